"""A live catalog answers as an index built of what it came to: edits, filters and facets, whatever their order."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.background import in_turns
from slotbeam.bindings.replica.compiling import Compiled
from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.bindings.replica.renewal import LiveMatches
from slotbeam.bindings.spec import json_text
from slotbeam.catalog.inmemory import item_source
from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import CatalogReader
from slotbeam.catalog.table import item_text
from slotbeam.files import sha256_of
from slotbeam.indexing.build import build_index
from slotbeam.indexing.live import Edits, LiveIndex
from slotbeam.kae.matcher import Matcher
from slotbeam.model.textvectors import TABLE, TOKENIZER
from slotbeam.search.artifact import MANIFEST, MODEL, Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import Answer, SearchRequest, SortKey
from slotbeam.search.rules.matching import Rules
from slotbeam.search.rules.rule import Rule, Weighted
from slotbeam.search.snapshot import Overlay, Snapshot
from slotbeam.types import Slot, Timings
from support.shop import BRANDS, COLORS, ENTITIES, make_items
from support.texts import text_vectors

WORDS = (*ENTITIES, *BRANDS, *COLORS, "zorblax", "thing", "number")
OPTIONS: dict[str, Any] = {"scan_budget": 24, "step_rows": 4, "lexical_candidates": 9, "candidates": 12}
OPTIONS |= {"text_candidates": 7, "text_rows": 20}  # less than there are: lists are chosen among
REQUESTS = (
    SearchRequest("red mug"),
    SearchRequest("acme"),
    SearchRequest("zorblax lamp", facets=("price", "department")),
    SearchRequest("blue chair number 7", explain=True),
    SearchRequest("lamp", filter={"price": {"lte": 40}}),
    SearchRequest("mug", filter={"department": ["kitchen", "new"]}, fields=("price", "department", "stock")),
    SearchRequest("rug", sort=(SortKey("department"), SortKey("price", descending=True))),
    SearchRequest("green", exclude_ids=("i003", "n1"), collapse="department"),
    SearchRequest("acme lamp", exclude_ids=("i000", "i002", "n2", "i0035", "zz")),
    SearchRequest("cobalt rug", beam_width=3),
    SearchRequest("usb c", beam_width=50, filter={"stock": True}),
    SearchRequest("ruled"),
    SearchRequest("ruled red mug", filter={"price": {"lte": 40}}),
    SearchRequest("ruled zorblax number", facets=("price", "department")),
    SearchRequest("cheap lamp", explain=True),
    SearchRequest("swapped acme", sort=(SortKey("price"),)),
)
RULES = (
    Rule(id="r1", words=("ruled",), positions=("n1", "i005", "i003", "zz"), hide=("n2", "i007", "i090")),
    Rule(id="r2", words=("ruled",), positions=("i0035", "i003"), when={"price": {"lte": 39.5}}),
    Rule(id="r3", words=("ruled",), boost=(Weighted({"department": ["kitchen", "new"]}, 1.5),)),
    Rule(id="r4", words=("ruled", "cheap"), bury=(Weighted({"price": {"gte": 80}}, 2.5),)),
    Rule(id="r5", words=("cheap",), filter={"price": {"lte": 39.5}}, hide=("i001", "n1")),
    Rule(id="r6", words=("swapped",), replace="red lamp"),
)


def titles() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


def items_of(item_id: str) -> st.SearchStrategy[Item]:
    fields = st.fixed_dictionaries(
        {},
        optional={
            "department": st.sampled_from(["kitchen", "office", "new", "attic"]),
            "price": st.sampled_from([5.0, 20.0, 39.5, 80.0]),
            "stock": st.booleans(),
        },
    )
    return st.builds(
        lambda title, fields, popularity: Item(item_id, title, "", {}, fields, popularity),
        titles(),
        fields,
        st.sampled_from([0.0, 1.0, 7.0]),
    )


ids = st.sampled_from([*(f"i{n:03d}" for n in range(12)), "n1", "n2", "i0035", "zz"])
edits = st.lists(
    st.one_of(
        ids.flatmap(lambda item_id: items_of(item_id).map(lambda item: {item_id: item})),
        ids.map(lambda item_id: {item_id: None}),
        st.tuples(ids, st.sampled_from([1.0, 30.0, 99.0])),
        st.none(),
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module")
def base(tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """An index whose items have text vectors, too."""
    made = tmp_path_factory.mktemp("texts")
    taught = made / "taught"
    shutil.copytree(tiny_artifact, taught)
    text_vectors().save(taught / MODEL)
    manifest = json.loads((taught / MANIFEST).read_bytes())
    for name in (TABLE, TOKENIZER):
        path = taught / MODEL / name
        manifest["files"][f"{MODEL}/{name}"] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
    (taught / MANIFEST).write_text(json.dumps(manifest))
    held = {item.id: item for item in make_items(120)}
    artifact = index_of(taught, held, made)
    assert artifact.catalog.text_index.vectors.shape[1]
    return artifact


def index_of(model: Path, held: Mapping[str, Item], directory: Path, **how: Any) -> Artifact:
    lines = directory / "catalog.jsonl"
    lines.write_bytes(b"\n".join(map(item_source, held.values())))
    build_index(model, CatalogReader(lines), directory / "out", **how)
    artifact = Artifact.load(directory / "out")
    return replace(artifact, options=replace(artifact.options, **OPTIONS))


def apply(live: LiveIndex, held: dict[str, Item], steps: Sequence[Any], bound: Sequence[Bound]) -> Overlay:
    """Do the steps, one version each, and note what the catalog should hold; a price alone is a patch, None a restart.

    Returns:
        The overlay of `bound`, renewed with each version.
    """
    compiled = compiled_of(live.artifact, bound)
    edited: dict[str, Item | None] = {}
    for step in steps:
        numbering = live.numbering
        if step is None:
            live.restart(edited)
            step = {}
        else:
            if isinstance(step, tuple):
                item = held.get(step[0])
                step = {step[0]: item and replace(item, fields={**item.fields, "price": step[1]})}
            live.apply(step)
        edited |= step
        same = live.numbering == numbering
        compiled = compiled.with_items(live.artifact, set(step)) if same else compiled_of(live.artifact, bound)
        for item_id, item in step.items():
            held.pop(item_id, None)
            if item is not None:
                held[item_id] = item
    return compiled.overlay


def compiled_of(artifact: Artifact, bound: Sequence[Bound]) -> Compiled:
    overlay = build_overlay(artifact, bound)
    return Compiled(overlay, overlay, {}, "", artifact, LiveMatches(artifact.folding, overlay.pinned))


def bindings(base: Artifact) -> list[Bound]:
    reserved = [Slot(position, base.kae.codebook.reserved(position)[n]) for n, position in enumerate((0, 2, 2))]
    held = ("i001", "n1", "i0035", "i007", "zz", "i090"), ("n2", "i007", "i001")
    return [
        Bound("b1", reserved[0], ("zorblax",), held[0]),
        Bound("b2", reserved[1], ("number",), held[1], placement="blend"),
        Bound("b3", reserved[2], ("lamp", "acme"), ("i007", "n2"), live=True, when=json_text({"price": {"lt": 80}})),
    ]


def listed(base: Artifact, bound: Sequence[Bound], items: Iterable[Item]) -> list[Bound]:
    """The bindings with every item listed that a live match has to find: as the matcher reads its text."""
    texts = {item.id: item_text(item) for item in items}
    found = [Matcher(one.words if one.live else (), base.folding) for one in bound]
    return [
        replace(one, live=False, item_ids=(*one.item_ids, *(own for own, text in texts.items() if words.find(text))))
        for one, words in zip(bound, found, strict=True)
    ]


def oracle(base: Artifact, held: Mapping[str, Item], directory: Path) -> Artifact:
    return index_of(base.directory, held, directory, statistics_of=base.directory)


def assert_same(live: Snapshot, built: Snapshot, request: SearchRequest) -> None:
    """Two answers are the same but for items whose scores are within 1e-5."""
    one, other = (retrieve(snapshot, request, Timings()) for snapshot in (live, built))
    mine, theirs = shown(live.artifact, one, request), shown(built.artifact, other, request)
    assert [score for _, score, _ in mine] == pytest.approx([score for _, score, _ in theirs], abs=1e-5), request
    if [item for item, _, _ in mine] != [item for item, _, _ in theirs]:
        # Only items that nearly tie may stand in another order.
        places = {item: score for item, score, _ in theirs}
        assert all(places.get(item) == pytest.approx(score, abs=1e-5) for item, score, _ in mine), request
        assert not request.sort, request
    assert {item: fields for item, _, fields in mine} == {item: fields for item, _, fields in theirs}, request
    assert one.facets == other.facets
    assert one.confidence == pytest.approx(other.confidence, abs=1e-5)


def shown(artifact: Artifact, answer: Answer, request: SearchRequest) -> list[tuple[str, float, Any]]:
    catalog, rows = artifact.catalog, answer.hits.rows
    fields = [[catalog.fields[name].at(rows).said()[n] for name in request.fields] for n in range(len(rows))]
    return list(zip(catalog.ids.take(rows), answer.hits.scores.tolist(), fields, strict=True))


def test_a_live_catalog_answers_as_an_index_of_the_resulting_items(base: Artifact, tmp_path: Path) -> None:
    @given(edits)
    @settings(max_examples=40)
    def check(steps: Sequence[Any]) -> None:
        assert_as_built(base, steps, tmp_path)

    check()


def assert_as_built(base: Artifact, steps: Sequence[Any], directory: Path) -> None:
    held = {item.id: item for item in make_items(120)}
    live, bound = LiveIndex(base), bindings(base)
    overlay = apply(live, held, steps, bound)
    built = oracle(base, held, directory)
    rebuilt = build_overlay(built, listed(base, bound, held.values()))
    snapshots = (
        Snapshot(live.artifact, replace(overlay, rules=Rules.of(live.artifact, RULES))),
        Snapshot(built, replace(rebuilt, rules=Rules.of(built, RULES))),
    )
    assert len(live.artifact.catalog) == len(held) == len(built.catalog)
    for request in REQUESTS:
        if request.filter.keys() | set(request.fields) <= set(built.catalog.fields):
            assert_same(*snapshots, request)
    for word in ("zorblax", "mug", "red mug", "usb-c"):
        rows = [artifact.catalog.match([word]) for artifact in (live.artifact, built)]
        found = [
            sorted(artifact.catalog.ids.take(own)) for artifact, own in zip((live.artifact, built), rows, strict=True)
        ]
        assert found[0] == found[1]


def test_many_items_are_taken_in_turns_with_requests(base: Artifact) -> None:
    slept: list[float] = []
    items = {f"n{number}": Item(f"n{number}", f"red mug number {number}") for number in range(500)}
    with in_turns(slept.append):
        live = LiveIndex(base).restart(items)
    assert slept
    assert live.catalog.rows_of(items)[1] == []


def test_an_edit_leaves_earlier_versions_as_they_are(base: Artifact) -> None:
    live = LiveIndex(base)
    before = live.apply({"n1": Item("n1", "red mug"), "i000": None})
    answer = retrieve(Snapshot(before), SearchRequest("red mug"), Timings())
    edits: Edits = {"n1": None, "n2": Item("n2", "red mug"), "i000": Item("i000", "blue lamp", popularity=9.0)}
    after = live.apply(edits)
    again = retrieve(Snapshot(before), SearchRequest("red mug"), Timings())
    assert np.array_equal(answer.hits.rows, again.hits.rows)
    assert np.array_equal(answer.hits.scores, again.hits.scores)
    assert before.catalog.rows_of(["n1", "n2", "i000"])[1] == ["n2", "i000"]
    assert after.catalog.rows_of(["n1", "n2", "i000"])[1] == ["n1"]
