"""BM25 against its formula written out."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

from slotbeam.catalog.item import Item

bm25s = pytest.importorskip("bm25s")
pytest.importorskip("Stemmer")

from slotbeam.catalog.loaders import load_catalog  # noqa: E402
from slotbeam_lab.baselines.bm25 import Bm25, document  # noqa: E402
from slotbeam_lab.world import WorldOptions, make_world  # noqa: E402


def scores(index: Bm25, items: list[Item], query: str, k1: float = 1.2, b: float = 0.75) -> dict[str, float]:
    """Lucene's BM25: Σ ln(1 + (N − n + ½) / (n + ½)) · tf / (tf + k1 · (1 − b + b · length / mean length))."""
    texts = [index.words(document(item)) for item in items]
    mean = sum(map(len, texts)) / len(texts)
    found = {}
    for item, text in zip(items, texts, strict=True):
        total, counts = 0.0, Counter(text)
        for word in index.words(query):
            holders = sum(word in other for other in texts)
            idf = math.log(1 + (len(items) - holders + 0.5) / (holders + 0.5))
            total += idf * counts[word] / (counts[word] + k1 * (1 - b + b * len(text) / mean))
        found[item.id] = total
    return found


def test_the_order_is_that_of_lucenes_formula(tmp_path: Path) -> None:
    make_world(tmp_path, WorldOptions(items=1000, requests_per_item=0.1))
    items = list(load_catalog(tmp_path))[:300]
    index = Bm25(items)
    for query in ("black leather sofa", "travel mug 500 ml", "Waterproof tents for families"):
        wanted = scores(index, items, query)
        got = index.search(query, 50)
        assert len(got) == min(50, sum(score > 0 for score in wanted.values()))
        ordered = sorted(wanted.values(), reverse=True)
        assert [wanted[item] for item in got] == pytest.approx(ordered[: len(got)], abs=1e-4)


def test_words_are_stemmed_and_folded() -> None:
    index = Bm25([Item("1", "Red Mugs"), Item("2", "Blue Plate")])
    assert index.search("MUG", 10) == ["1"]


def test_title_description_and_brand_are_searched() -> None:
    index = Bm25([Item("1", "Mug", "of clay", fields={"brand": "Acme"}), Item("2", "Plate")])
    assert index.search("clay", 5) == index.search("acme", 5) == index.search("mug", 5) == ["1"]


def test_items_without_a_word_of_the_query_are_not_returned() -> None:
    index = Bm25([Item("1", "Mug"), Item("2", "Plate")])
    assert index.search("sofa", 5) == []
    assert index.search("", 5) == []
    assert index.search("plate sofa", 5) == ["2"]


def test_equal_scores_keep_catalog_order_and_k_cuts() -> None:
    index = Bm25([Item(str(n), "Mug") for n in range(9)] + [Item("x", "Plate")])
    assert index.search("mug", 4) == ["0", "1", "2", "3"]
