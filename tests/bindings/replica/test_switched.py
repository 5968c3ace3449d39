"""Bindings and rules beside another index: a switch serves what a replica does that starts with that index."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.bindings.binding import Binding, encode_items
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.overlay import build_overlay
from slotbeam.bindings.replica.serving import Serving
from slotbeam.bindings.replica.status import Status
from slotbeam.bindings.spec import json_text
from slotbeam.catalog.item import Item
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Holder, ServingState, Snapshot
from slotbeam.types import Slot, Timings
from support.live import NOW, make_binding, make_listing, make_rule
from support.shop import make_shop

OLD, NEW = ("old1", "old2", "both"), ("new1", "both", "new2")
IDS = ("i000", "i003", "i007", "i010", "i020", "i050", *OLD, *NEW, "gone")
WORDS = ("mug", "red", "labubu", "sale", "lamp")
TESTS: tuple[dict[str, Any], ...] = ({"price": {"lte": 50}}, {"only_old": 1.0}, {"only_new": 1.0})
QUERIES = ("red mug", "labubu sale", "sale lamp", "zorblax")


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Artifact, Artifact]:
    """Of one model: the rows of their items differ, and each has a field that the other lacks."""

    def made(name: str, n: int, ids: Sequence[str]) -> Artifact:
        extra = [Item(item_id, "red mug", "", fields={f"only_{name}": 1.0}) for item_id in ids]
        return make_shop(tmp_path_factory.mktemp(name), n, extra=extra, weight_lexical=2.0)

    old, new = made("old", 40, OLD), made("new", 70, NEW)
    return old, replace(new, model=old.model, kae=old.kae)


def said(draw: st.DrawFn) -> dict[str, Any]:
    """What a binding may say, and a rule."""
    ids = draw(st.lists(st.sampled_from(IDS), max_size=4, unique=True))
    positions, hide = tuple(dict.fromkeys(ids[:2])), tuple(one for one in dict.fromkeys(ids[2:]) if one not in ids[:2])
    when = json_text(draw(st.sampled_from([None, *TESTS]))) if positions else json_text(None)
    weighed = draw(st.sampled_from([None, *TESTS]))
    boost = json_text([{"test": weighed, "weight": 1.5}] if weighed else None)
    return {"positions": positions, "hide": hide, "when": when, "boost": boost, "metadata": json_text({"a": 1})}


@st.composite
def listings(draw: st.DrawFn) -> tuple[Listing, dict[str, tuple[str, ...]]]:
    rules = [
        make_rule(
            draw(st.sampled_from(WORDS)),
            **{"id": f"b_rule{number + 2}", "created_at": number, **said(draw)},
            filter=json_text(draw(st.sampled_from([None, None, *TESTS]))),
            ends_at=draw(st.sampled_from([None, None, NOW + 500])),
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    if everywhere := draw(st.lists(st.sampled_from(IDS), max_size=4, unique=True)):
        rules.append(make_rule(id="b_every", hide=tuple(everywhere)))
    placed: dict[Slot, Binding] = {}
    lists: dict[str, tuple[str, ...]] = {}
    for number in range(draw(st.integers(0, 2))):
        ids = tuple(sorted(draw(st.sets(st.sampled_from(IDS), min_size=1))))
        lists[encode_items(ids)[0]] = ids
        live = draw(st.sampled_from([False, "live"]))
        fields = {**said(draw), "id": f"b_slot{number + 2}", "match": live}
        fields |= {"starts_at": draw(st.sampled_from([None, None, NOW + 500]))}
        placed[Slot(1, 4 + number)] = make_binding(("labubu", "lamp")[number], ids=ids, **fields)
    return make_listing(placed, unplaced=rules), lists


def serving(artifact: Artifact, directory: Path, clock: list[int]) -> Serving:
    holder = Holder(Snapshot(artifact))
    given = {"build": build_overlay, "keep": lambda path, sha, good: None}
    return Serving(holder, artifact, directory / "good", Status(holder), lambda: clock[0], **given)  # type: ignore[arg-type]


def answers(one: Serving) -> list[Any]:
    snapshot = one._holder.current
    ids = snapshot.artifact.catalog.ids
    return [
        (
            [(ids[hit.row], hit.score, hit.source) for hit in answer.hits],
            [each.rule.id for each in answer.reading.rules.each],
        )
        for query in QUERIES
        for answer in [retrieve(snapshot, SearchRequest(query, k=30), Timings())]
    ]


@settings(max_examples=60)
@given(made=listings(), later=st.sampled_from([0, 1000]))
def test_a_switch_serves_what_a_replica_does_that_starts_with_that_index(
    indexes: tuple[Artifact, Artifact], tmp_path_factory: pytest.TempPathFactory, made: Any, later: int
) -> None:
    """Also what the first index had no field for, and what became active since."""
    (old, new), (listing, lists), directory = indexes, made, tmp_path_factory.mktemp("replica")

    async def check() -> None:
        clock = [NOW]
        switched, fresh = serving(old, directory, clock), serving(new, directory, clock)
        await switched.apply(listing, lists, {}, ServingState.LIVE)
        answers(switched)
        clock[0] += later
        await switched.swap_items(lambda: (new, None), 0)
        await fresh.apply(listing, lists, {}, ServingState.LIVE)
        assert switched.compiled is not None
        assert fresh.compiled is not None
        for part in ("active", "digest", "failed", "boundary", "cut"):
            assert getattr(switched.compiled, part) == getattr(fresh.compiled, part), part
        assert answers(switched) == answers(fresh)
        await switched.swap_items(lambda: (old, None), 0)
        await fresh.swap_items(lambda: (old, None), 0)
        assert answers(switched) == answers(fresh)

    asyncio.run(check())


async def test_what_ended_the_process_or_has_no_list_stays_left_out_beside_another_index(
    indexes: tuple[Artifact, Artifact], tmp_path: Path
) -> None:
    old, new = indexes
    lost = make_binding("labubu", ids=("i001",))
    replica = serving(old, tmp_path, [NOW])
    await replica.apply(make_listing({Slot(1, 4): lost}), {}, {lost.items: "it is torn"}, ServingState.LIVE)
    await replica.swap_items(lambda: (new, None), 0)
    assert replica.compiled is not None
    assert replica.compiled.failed == {lost.id: "NACK:ITEMS it is torn"}
