"""Rules keep what they promise while items are edited and an answer is read page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.bindings.replica.compiling import Compiled
from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.bindings.replica.renewal import LiveMatches
from slotbeam.bindings.spec import json_text
from slotbeam.catalog.item import Item
from slotbeam.indexing.live import LiveIndex
from slotbeam.search.artifact import Artifact
from slotbeam.search.paging import Shown
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.rules.matching import Rules
from slotbeam.search.rules.rule import Rule, Weighted
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Slot, Timings
from support.shop import make_items

IDS = ("i000", "i001", "i002", "i003", "n1", "n2", "n3", "i119")
CHEAP: dict[str, Any] = {"price": {"lte": 20}}
QUERIES = ("red mug", "labubu", "labubu lamp", "zorblax")

items = st.builds(
    lambda title, price, popularity: Item("", title, fields={"price": price}, popularity=popularity),
    st.sampled_from(["red mug", "labubu", "blue lamp", "zorblax"]),
    st.sampled_from([5.0, 80.0]),
    st.sampled_from([0.0, 50.0]),
)
edits = st.dictionaries(st.sampled_from(IDS), st.none() | items, max_size=3)


@pytest.fixture(scope="module")
def base(tiny_artifact: Path) -> Artifact:
    return Artifact.load(tiny_artifact)


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    """Of these queries, each with a word or for all of them."""
    return [
        Rule(
            id=f"r{number}",
            words=draw(st.sampled_from([(), ("mug", "labubu"), ("zorblax",)])),
            positions=tuple(draw(st.lists(st.sampled_from(IDS), max_size=3, unique=True))),
            hide=tuple(draw(st.lists(st.sampled_from(IDS), max_size=2))),
            when=draw(st.sampled_from([None, CHEAP])),
            boost=draw(st.sampled_from([(), (Weighted(CHEAP, 2.0),)])),
        )
        for number in range(draw(st.integers(1, 3)))
    ]


@settings(max_examples=80)
@given(
    told=rules(),
    steps=st.lists(edits, min_size=1, max_size=4),
    query=st.sampled_from(QUERIES),
    wanted=st.sampled_from([{}, CHEAP]),
    k=st.integers(1, 6),
)
def test_page_by_page_nothing_hidden_comes_and_what_is_positioned_comes_once_and_first(
    base: Artifact,
    told: Sequence[Rule],
    steps: Sequence[dict[str, Item | None]],
    query: str,
    wanted: dict[str, Any],
    k: int,
) -> None:
    """Whatever is put, patched and deleted in between, and of a binding those come that count."""
    live, held = LiveIndex(base), {item.id: item for item in make_items(120)}
    bound = Bound(
        *("b1", Slot(1, base.kae.codebook.reserved(1)[0]), ("labubu",), ("i001", "n1", "i119")),
        live=True,
        when=json_text(CHEAP),
    )
    overlay = build_overlay(base, [bound])
    compiled = Compiled(overlay, overlay, {}, "", base, LiveMatches(base.folding, overlay.pinned))
    served = Rules.of(base, told)
    ruled = [match.rule for match in served.match(query)]
    hidden = {item for rule in ruled for item in rule.hide}
    shown, seen = Shown(), list[str]()
    for step in steps:
        edited = {item_id: item and replace(item, id=item_id) for item_id, item in step.items()}
        artifact = live.apply(edited)
        compiled = compiled.with_items(artifact, set(edited))
        held = {item_id: item for item_id, item in {**held, **edited}.items() if item is not None}
        request = SearchRequest(query, k=k, filter=wanted, shown=shown)
        answer = retrieve(Snapshot(artifact, replace(compiled.overlay, rules=served)), request, Timings())
        assert answer.page is not None
        shown = answer.page.shown
        page = [artifact.catalog.ids[hit.row] for hit in answer.hits]
        first = dict.fromkeys(item for rule in ruled for item in rule.positions if counts(held, item, rule, wanted))
        due = [item for item in first if item not in hidden and item not in seen]
        assert page[: len(due)] == due[:k]
        assert not hidden.intersection(page)
        assert held.keys() >= set(page)
        assert not set(seen).intersection(page)
        of_binding = [item for item, hit in zip(page, answer.hits, strict=True) if hit.bindings]
        assert all(passing(held[item], CHEAP) for item in of_binding)
        seen += page


def counts(held: Mapping[str, Item], item: str, rule: Rule, wanted: dict[str, Any]) -> bool:
    return item in held and passing(held[item], wanted) and (rule.when is None or passing(held[item], CHEAP))


def passing(item: Item, wanted: dict[str, Any]) -> bool:
    return not wanted or float(item.fields["price"]) <= 20
