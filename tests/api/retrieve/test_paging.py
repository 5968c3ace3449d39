"""Pages: without edits they are one answer in parts; whatever is edited in between, nothing comes twice.

The oracle is the plain answer of k = 1 000 and lists: of it, in its order, what was not shown yet.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import redis
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slotbeam.api.retrieve.answers import document
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.api.retrieve.cursor import BEGIN
from slotbeam.api.retrieve.schemas import RetrieveBody
from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.catalog.item import Item
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.indexing.live import LiveIndex
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import MAX_K
from slotbeam.search.snapshot import PLACEMENTS, Holder, ItemsFacts, ServingState, Snapshot
from slotbeam.settings import Settings
from slotbeam.types import Slot, Timings
from support.clients import client_of
from support.shop import BRANDS, COLORS, ENTITIES, make_kae, make_shop

BOUND_WORDS = ("labubu", "crocs", "zorglub")
PAGES = 8
"""At most, of one property."""


def variants(seed: int) -> list[Item]:
    """Items of few families, some of no family; of every seed the same ids, and other items."""
    rng = np.random.default_rng(seed)
    items = []
    for i in range(120):
        said: dict[str, Any] = {
            "family": f"f{rng.integers(30)}",
            "price": float(rng.integers(-1, 9)),
            "sale": bool(rng.integers(2)),
        }
        if said["price"] == 0 and rng.random() < 0.5:
            said["price"] = -0.0
        title = " ".join(str(rng.choice(words)) for words in (COLORS, BRANDS, ENTITIES))
        kept = {name: value for name, value in said.items() if rng.random() < 0.8}
        items.append(Item(f"v{i:03d}", title, fields=kept, popularity=float(rng.integers(5))))
    return items


@pytest.fixture(scope="module")
def catalogs(tmp_path_factory: pytest.TempPathFactory) -> list[Artifact]:
    """One catalog before and after its items were edited: other titles, fields and popularities, some gone."""
    sizes = (40, 25, 60)
    return [
        replace(
            make_shop(tmp_path_factory.mktemp("shop"), size, seed, coarse=True, extra=variants(seed)),
            directory=tmp_path_factory.mktemp(f"index{seed}"),
        )
        for seed, size in enumerate(sizes)
    ]


@st.composite
def bindings(draw: st.DrawFn) -> tuple[Bound, ...]:
    """Bindings of some of the words, to items of any catalog."""
    ids = st.sets(
        st.sampled_from([f"v{i:03d}" for i in range(120)] + ["i001", "i030", "i055"]), min_size=1, max_size=60
    )
    made = []
    for number, word in enumerate(draw(st.lists(st.sampled_from(BOUND_WORDS), unique=True, max_size=3))):
        slot = Slot(number, make_kae().codebook.reserved(number)[0])
        made.append(Bound(f"b{number}", slot, (word,), tuple(sorted(draw(ids))), draw(st.sampled_from(PLACEMENTS))))
    return tuple(made)


SORTS = st.lists(
    st.fixed_dictionaries(
        {"field": st.sampled_from(["family", "price", "sale"]), "order": st.sampled_from(["asc", "desc"])}
    ),
    max_size=2,
)
REQUESTS = st.fixed_dictionaries(
    {
        "query": st.lists(st.sampled_from([*BOUND_WORDS, "mug", "red", "bolt", "lamp", "37", "-blue"]), min_size=1).map(
            " ".join
        ),
        "filter": st.sampled_from([{}, {}, {"sale": True}, {"price": {"gte": 3}}, {"family": {"not": "f3"}}]),
        "collapse": st.sampled_from([None, "family", "price", "sale"]),
        "sort": st.just([]) | SORTS,
        "min_relevance": st.sampled_from([0.0, 0.0, 0.2, 0.6]),
        "fallback": st.sampled_from([None, "popular"]),
        "beam_width": st.sampled_from([None, None, 3]),
        "use_bindings": st.sampled_from([True, True, False]),
    }
)
EDITS = st.tuples(st.integers(0, 2), bindings())


def snapshot_of(catalogs: list[Artifact], edit: tuple[int, tuple[Bound, ...]], revision: int = 0) -> Snapshot:
    artifact = catalogs[edit[0]]
    manifest = {**artifact.manifest, "files": {"index": edit[0]}}
    artifact = replace(artifact, manifest=manifest)
    return Snapshot(artifact, build_overlay(artifact, edit[1]), "e1", revision, ServingState.LIVE, "")


def ask(snapshot: Snapshot, **sent: Any) -> dict[str, Any]:
    """Answer a body as the data plane does."""
    body = RetrieveBody.model_validate(sent)
    cursor = body.read_cursor()
    return document("", snapshot, retrieve(snapshot, body.request(None, 4, cursor), Timings()), cursor)


@settings(max_examples=100)
@given(request=REQUESTS, edit=EDITS, sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4))
@example({"query": "labubu red mug"}, (0, ()), [7])
@example({"query": "nothing"}, (0, ()), [5])
def test_pages_without_edits_are_one_answer_in_parts(
    catalogs: list[Artifact], request: dict[str, Any], edit: tuple[int, tuple[Bound, ...]], sizes: list[int]
) -> None:
    """Items with their scores and all else that is said of them; what is said of the query is on every page."""
    snapshot = snapshot_of(catalogs, edit)
    whole = ask(snapshot, **request, k=MAX_K)
    items: list[dict[str, Any]] = []
    cursor, counted = BEGIN, ask(snapshot, **request, facets=["sale"])["counted"]
    for number in range(PAGES):
        k = sizes[number % len(sizes)]
        page = ask(snapshot, **request, k=k, cursor=cursor)
        items += page.pop("items")
        told = {name: page.pop(name) for name in ("next", "end", "changed", "candidates")}
        left = len(whole["items"]) - len(items)
        assert items == whole["items"][: len(items)]
        assert {**page, "items": whole["items"]} == whole
        assert (told["next"] is None) == (left == 0)
        assert (told["end"], told["changed"]) == (None if left else "exhausted", False)
        assert told["candidates"] == counted
        if told["next"] is None:
            break
        cursor = told["next"]
    else:
        assert len(items) == sum(sizes[number % len(sizes)] for number in range(PAGES))


@settings(max_examples=150)
@given(
    request=REQUESTS,
    edits=st.lists(EDITS, min_size=2, max_size=5),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4),
)
def test_what_was_shown_never_comes_again_whatever_is_edited_and_nothing_else_is_left_out(
    catalogs: list[Artifact], request: dict[str, Any], edits: list[tuple[int, tuple[Bound, ...]]], sizes: list[int]
) -> None:
    """No item, and where variants are collapsed no value of the field: another variant may have become the best."""
    snapshots = [snapshot_of(catalogs, edit, revision) for revision, edit in enumerate(edits) for _ in range(2)]
    turn_through(snapshots, request, sizes)


def turn_through(snapshots: list[Snapshot], request: dict[str, Any], sizes: list[int]) -> set[Any]:
    """Ask each snapshot for one page, hold it to the oracle; return all ids that were shown, and their values."""
    field = request.get("collapse")
    asked = {**request, "fields": [field] if field else []}
    seen: set[Any] = set()
    cursor, before = BEGIN, snapshots[0].identity()
    for number, snapshot in enumerate(snapshots):
        k = sizes[number % len(sizes)]
        page = ask(snapshot, **asked, k=k, cursor=cursor)
        left = [
            (item["id"], marks)
            for item in ask(snapshot, **asked, k=MAX_K)["items"]
            if not (marks := {item["id"], *item.get("fields", {}).items()}) & seen
        ]
        assert [item["id"] for item in page["items"]] == [item_id for item_id, _ in left[:k]]
        assert page["changed"] == (snapshot.identity() != before)
        assert (page["next"] is None) == (len(left) <= k)
        seen = seen.union(*(marks for _, marks in left[:k]))
        before, cursor = snapshot.identity(), page["next"]
        if cursor is None:
            break
    return seen


@pytest.mark.parametrize("collapse", [None, "price"])
def test_an_item_that_was_shown_stays_shown_when_it_is_put_anew_and_a_new_one_comes(
    tiny_artifact: Path, collapse: str | None
) -> None:
    """Live items: what was shown is patched, encoded anew or put back after a delete, and comes on no further page."""
    live = LiveIndex(Artifact.load(tiny_artifact))
    request = {"query": "red mug", "collapse": collapse}
    snapshots = [Snapshot(live.artifact)]
    first, second, third = (item["id"] for item in ask(snapshots[0], **request, k=3)["items"])
    edits: list[dict[str, Item | None]] = [
        {
            first: Item(first, "red mug", fields={"price": 1234.5}, popularity=1e6),
            "new": Item("new", "red mug", fields={"price": 7.25}),
        },
        {second: None, "newer": Item("newer", "red mug mug", popularity=1e6)},
        {second: Item(second, "red mug"), third: Item(third, "red mug red mug", popularity=1e9)},
    ]
    for seq, edit in enumerate(edits, 1):
        snapshots.append(Snapshot(live.apply(edit), items=ItemsFacts(seq, "e1", ServingState.LIVE)))
    shown = turn_through([*snapshots, *[snapshots[-1]] * 5], request, [3, 10, 4, 30])
    assert {first, second, third, "new", "newer"} <= shown


def test_a_snapshot_is_told_from_another_by_all_that_answers_depend_on(shop: Artifact) -> None:
    """`overlay` is what `active` is the digest of; `state` says how the store was reached, and changes no answer.

    `hidden` is what was looked up in the others.
    """
    snapshot = Snapshot(shop, epoch="e1", revision=7, active="c1")
    others: dict[str, Any] = {
        "artifact": replace(shop, manifest={**shop.manifest, "files": {}}),
        "epoch": "e2",
        "revision": 8,
        "active": "c2",
        "items": ItemsFacts(seq=3),
    }
    told_otherwise = {"overlay", "state", "hidden"}
    assert {field.name for field in fields(Snapshot)} - told_otherwise == set(others), "add it to `identity`"
    identities = {
        snapshot.identity(),
        *(replace(snapshot, **{name: other}).identity() for name, other in others.items()),
    }
    assert len(identities) == 6
    again = Snapshot(
        replace(shop), snapshot.overlay, "e1", 7, ServingState.DEGRADED, "c1", ItemsFacts(state=ServingState.LIVE)
    )
    assert again.identity() == snapshot.identity(), "so that replicas agree"


async def test_pages_end_at_a_thousand_items_and_say_so(tmp_path: Path) -> None:
    artifact = make_shop(tmp_path / "shop", 1100)
    async with client_of(create_data_app(Settings(data_dir=tmp_path), artifact)) as data:
        request = {"query": "red mug", "k": 700}
        first = (await data.post("/retrieve", json={**request, "cursor": BEGIN})).json()
        second = (await data.post("/retrieve", json={**request, "cursor": first["next"]})).json()
        whole = (await data.post("/retrieve", json={**request, "k": MAX_K})).json()
    assert [first["end"], second["next"], second["end"]] == [None, None, "limit"]
    assert (len(first["items"]), len(second["items"])) == (700, 300)
    assert first["items"] + second["items"] == whole["items"]
    assert first["candidates"] == second["candidates"] == 1100


async def test_without_a_cursor_nothing_is_said_of_pages(data: httpx.AsyncClient) -> None:
    plain = (await data.post("/retrieve", json={"query": "red mug", "k": 5})).json()
    paged = (await data.post("/retrieve", json={"query": "red mug", "k": 5, "cursor": BEGIN})).json()
    assert paged.keys() - plain.keys() == {"next", "end", "changed", "candidates"}
    assert {name: paged[name] for name in plain if name != "request_id"} == {
        name: plain[name] for name in plain if name != "request_id"
    }


async def test_an_edit_between_pages_is_told_once(bound_shop: Snapshot, tmp_path: Path) -> None:
    holder = Holder(bound_shop)
    async with client_of(create_data_app(Settings(data_dir=tmp_path), holder=holder)) as data:
        cursor, changed = BEGIN, []
        for revision in (7, 7, 8, 8):
            holder.current = replace(bound_shop, revision=revision)
            page = (await data.post("/retrieve", json={"query": "mug", "k": 3, "cursor": cursor})).json()
            cursor = page["next"]
            changed.append(page["changed"])
    assert changed == [False, False, True, False]


async def test_what_a_page_is_not_made_of_may_change_from_page_to_page(data: httpx.AsyncClient) -> None:
    request: dict[str, Any] = {"query": "Red  mug", "k": 5}
    first = (await data.post("/retrieve", json={**request, "cursor": BEGIN})).json()
    shown = {item["id"] for item in first["items"]}
    further = {
        "query": "red mug",
        "k": 2,
        "user": {"recent_queries": ["lamp"], "recent_item_ids": [first["items"][0]["id"]]},
        "exclude_ids": [first["items"][1]["id"]],
        "fields": ["price"],
        "facets": ["department"],
        "explain": True,
    }
    response = await data.post("/retrieve", json={**further, "cursor": first["next"]})
    assert response.status_code == 200, response.text
    second = response.json()
    assert len(second["items"]) == len(second["explain"]["brought_by"]) == 2
    assert not shown & {item["id"] for item in second["items"]}


async def test_a_batch_pages_each_of_its_queries(data: httpx.AsyncClient) -> None:
    queries = [{"query": "mug", "k": 4, "cursor": BEGIN}, {"query": "lamp", "k": 4}]
    first = (await data.post("/retrieve:batch", json={"queries": queries})).json()["answers"]
    queries[0]["cursor"] = first[0]["next"]
    second = (await data.post("/retrieve:batch", json={"queries": queries})).json()["answers"]
    whole = (await data.post("/retrieve", json={"query": "mug", "k": 8})).json()
    assert first[0]["items"] + second[0]["items"] == whole["items"]
    assert "next" not in first[1]
    assert first[1]["items"] == second[1]["items"]


async def test_a_further_page_is_no_further_query(
    bound_shop: Snapshot, raw: redis.Redis, server: EmbeddedStore, tmp_path: Path
) -> None:
    app = create_data_app(Settings(data_dir=tmp_path, redis_url=server.url), holder=Holder(bound_shop))
    async with client_of(app) as data:
        cursor = BEGIN
        for _ in range(3):
            page = (await data.post("/retrieve", json={"query": "mug xyzzy", "k": 3, "cursor": cursor})).json()
            cursor = page["next"]
        trends = app.state.plane.trends
        trends.drain()
    assert sum(trends.counter.entries["xyzzy"].seen.recent.values()) == 1
