"""The shipped artifact keeps what the README says of it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Overlay, Snapshot
from slotbeam.types import Hits, Slot, Timings

ROOT = Path(__file__).parent.parent
DEMO, LABUBU = ROOT / "model_artifacts" / "demo", ROOT / "examples" / "labubu.txt"


@pytest.fixture(scope="module")
def demo() -> Artifact:
    return Artifact.load(DEMO)


def ask(demo: Artifact, query: str, overlay: Overlay | None = None, k: int = 100) -> Hits:
    return retrieve(Snapshot(demo, overlay or Overlay()), SearchRequest(query, k=k), Timings()).hits


@pytest.fixture(scope="module")
def labubu(demo: Artifact) -> Overlay:
    ids = tuple(LABUBU.read_text().split())
    slot = Slot(1, demo.kae.codebook.reserved(1)[0])
    return build_overlay(demo, [Bound("b", slot, ("labubu",), ids)])


def test_it_holds_thirty_thousand_items_in_at_most_25_megabytes(demo: Artifact) -> None:
    assert len(demo.catalog) >= 30_000
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) <= 25_000_000


def test_a_planted_word_finds_its_items_only_while_it_is_bound(demo: Artifact, labubu: Overlay) -> None:
    assert not len(demo.catalog.match(["labubu"])), "no text holds the word"
    before, bound = ask(demo, "labubu"), ask(demo, "labubu", labubu)
    items = set(labubu.pinned[0].rows.tolist())
    assert len(items) == 20
    assert not items & {hit.row for hit in before}
    assert {hit.row for hit in bound[:20]} == items
    assert ask(demo, "labubu") == before


def test_no_binding_touches_a_query_without_its_word(demo: Artifact, labubu: Overlay) -> None:
    for query in ("red folding desk", "plush", "usb c cable", "拉布布"):
        assert ask(demo, query, labubu) == ask(demo, query)


def test_the_rest_of_the_query_orders_the_bound_items(demo: Artifact, labubu: Overlay) -> None:
    titles = [demo.catalog.titles[hit.row].casefold() for hit in ask(demo, "labubu drone", labubu, k=20)]
    drones = sum("drone" in title for title in titles)
    assert drones >= 2
    assert all("drone" in title for title in titles[:drones])


def test_a_rows_scores_do_not_depend_on_what_shares_its_batch(demo: Artifact) -> None:
    encoded = demo.kae.encode("red folding desk")
    [memory] = demo.model.encode([demo.inputs.build(encoded.text, encoded.sid)])
    empty = np.empty(0, np.int64)
    _, start = demo.model.step(memory, 0, None, empty, empty)
    codes = np.arange(1, 201)
    together, _ = demo.model.step(memory, 1, start, np.zeros(200, np.int64), codes)
    for row in (0, 7, 63, 199):
        alone, _ = demo.model.step(memory, 1, start, np.zeros(1, np.int64), codes[row : row + 1])
        assert alone[0] == pytest.approx(together[row], abs=1e-5)


@pytest.mark.parametrize("query", ["labubu drone", "red folding desk", "red usb c cable"])
def test_a_smaller_answer_is_the_beginning_of_a_larger_one(demo: Artifact, labubu: Overlay, query: str) -> None:
    whole = [hit.row for hit in ask(demo, query, labubu, k=1000)]
    assert len(whole) == 1000
    for k in (1, 24, 240):
        assert [hit.row for hit in ask(demo, query, labubu, k=k)] == whole[:k]


def test_the_documentation_says_how_many_words_fit(demo: Artifact) -> None:
    text = (DEMO.parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([a-z, ]+) \| (\d+) \|$", text, re.MULTILINE)
    book = demo.kae.codebook
    assert [(int(position), set(names.split(", ")), int(slots)) for position, names, slots in rows] == [
        (position, set(categories), book.reserved_counts[position]) for position, categories in enumerate(book.groups)
    ]
    assert f"holds {sum(book.reserved_counts)} bindings" in text
