"""Parts of a delta against plain ones: what is nearest by text, words that are spelt, keywords in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.arrays import Strings, running_totals
from slotbeam.catalog.delta.fields import GrowingFields, LiveField
from slotbeam.catalog.delta.joined import JoinedArray
from slotbeam.catalog.delta.keywords import FieldKeywords, Keywords
from slotbeam.catalog.delta.passing import LivePassing
from slotbeam.catalog.delta.postings import LivePostings, PostingsRun
from slotbeam.catalog.delta.runs import FEW, with_run
from slotbeam.catalog.delta.texts import LiveTextIndex
from slotbeam.catalog.delta.words import LiveWords, WordsRun
from slotbeam.catalog.fields import Field, Fields
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.postings import Postings
from slotbeam.catalog.textindex import TextIndex
from slotbeam.catalog.words import Words

LISTS, WIDTH = 4, 3


def index_of(vectors: Any, lists: Any, centroids: Any) -> TextIndex:
    order = np.argsort(lists, kind="stable").astype(np.int32)
    return TextIndex(vectors, centroids, order, running_totals(np.bincount(lists, minlength=LISTS)))


@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(1, 30), st.integers(1, 10))
def test_the_nearest_of_index_and_delta_are_those_of_one_index(seed: int, more: int, scan: int, limit: int) -> None:
    rng, base = np.random.default_rng(seed), 20
    n = base + more
    vectors = rng.integers(-2, 3, (n, WIDTH)).astype(np.int8)  # few values: many are equally near
    lists, centroids = rng.integers(0, LISTS, n), rng.integers(-9, 9, (LISTS, WIDTH)).astype(np.int8)
    alive, places = rng.random(n) < 0.8, np.append(np.arange(base, dtype=float), rng.permutation(more) - 0.5)
    order = np.argsort(places, kind="stable")
    order = order[alive[order]]

    of_base = index_of(vectors[:base], lists[:base], centroids)
    of_delta = index_of(vectors[base:], lists[base:], centroids)
    joined: Any = JoinedArray(vectors[:base], vectors[base:])
    live = LiveTextIndex(
        joined, centroids, of_base.rows, of_base.starts, of_delta.rows, of_delta.starts, places[base:], base
    )
    in_order = order[order >= base] - base
    numbers = np.full(more, -1)
    numbers[in_order] = np.arange(len(in_order))
    passing: Any = LivePassing.of(Passing.of(alive[:base]), alive[base:], in_order, numbers)
    query = rng.normal(size=WIDTH)
    found = live.nearest(query, limit, scan, passing)
    whole = index_of(vectors[order], lists[order], centroids)
    assert found.tolist() == order[whole.nearest(query, limit, scan, Passing(len(order)))].tolist()


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(0, 30))
def test_postings_of_index_and_delta_say_what_one_table_says(seed: int, parts: int, limit: int) -> None:
    rng, base, more, terms = np.random.default_rng(seed), 24, 3 * parts, 5
    n, known = base + more, 3  # of these terms the index has three
    table = rng.integers(0, 3, (terms, n)) * (rng.random((terms, n)) < 0.6)
    table[:known, 0], table[known:, :base] = 1, 0
    rows = [np.flatnonzero(own[:base]) for own in table[:known]]
    starts = running_totals([len(own) for own in rows])
    impacts = np.concatenate([own[own > 0] for own in table[:known, :base]]).astype(np.float16)
    runs: tuple[PostingsRun, ...] = ()
    for start in range(0, more, 3):
        own = table[:, base + start : base + start + 3]
        at, places = np.nonzero(own.T)
        runs = with_run(runs, PostingsRun.of(places, at + start, own[places, at].astype(np.float16)), FEW)
    alive, order = rng.random(n) < 0.8, rng.permutation(more)
    in_order, numbers = order[alive[base:][order]], np.full(more, -1)
    numbers[in_order] = np.arange(len(in_order))
    passing: Any = LivePassing.of(Passing.of(alive[:base]), alive[base:], in_order, numbers)
    held = Postings.of(starts, np.concatenate(rows).astype(np.int32), impacts, base, window_bits=2)
    live = LivePostings(held, runs, passing)
    asked, wanted = rng.permutation(terms)[:3], rng.permutation(n)[:20]
    assert live.each(asked, wanted).tolist() == table[np.ix_(asked, wanted)].tolist()
    sums = table[asked].sum(axis=0)
    assert live.sums(asked, wanted).tolist() == sums[wanted].tolist()
    at = np.append(np.arange(base), np.full(more, base))
    at[base + in_order] += np.arange(len(in_order))
    best = np.lexsort((at, -sums))
    best = best[alive[best] & (sums[best] > 0)][:limit]
    assert live.best(asked, limit, passing, at[base:].astype(float)).tolist() == best.tolist()


texts = st.lists(st.lists(st.sampled_from(["lamp", "lamps", "lam", "stuhl", "tisch"]), max_size=4), max_size=6)


@given(texts, texts)
def test_words_of_an_index_and_of_live_items_are_counted_together(one: list[list[str]], other: list[list[str]]) -> None:
    def counts(items: list[list[str]]) -> dict[str, int]:
        flat = [word for item in items for word in item]
        return {word: 2 * flat.count(word) for word in flat}  # each text is its title

    base = counts(one)
    live = LiveWords(Words.of(base.items()), (WordsRun.of(Strings.of([" ".join(words) for words in other])),))
    both = counts([*one, *other])
    for word in ("lamp", "lamps", "lam", "stuhl", "tisch"):
        assert max(0, live.count(word)) == both.get(word, 0)
    assert dict(live.near("lamp", 1)) == {word: both[word] for word in ("lamp", "lamps", "lam") if word in both}


@given(st.lists(st.sampled_from("abcdefg"), max_size=5), st.lists(st.sampled_from("abcdefghxyz"), max_size=8))
def test_keywords_of_an_index_and_new_ones_are_in_one_order(old: list[str], new: list[str]) -> None:
    base = Field.of(old) if old else None
    grown = GrowingFields(FieldKeywords(Fields({"f": base} if base else {})))
    for word in new:  # one version each
        grown.append([{"f": word}])
        grown.view()
    if not grown.kinds and base is None:
        return
    kind = base.kind if base else grown.kinds["f"]
    none = np.empty(0, np.int64)
    field = LiveField(kind, base, len(old), grown.view().get("f"), None, (none, none))
    shown = field.at(np.arange(len(old) + len(new)))
    assert shown.said() == [*old, *new]
    assert np.argsort(shown.values, kind="stable").tolist() == np.argsort([*old, *new], kind="stable").tolist()
    keywords: Any = shown.keywords
    assert keywords.take(np.arange(len(keywords))) == sorted({*old, *new})


def test_keywords_without_new_ones_are_those_of_the_index() -> None:
    keywords = Keywords(Strings.of(["a", "c"]), ["b"], np.array([1]), np.array([1, -1]))
    assert keywords.take(np.array([0, 1, 2])) == ["a", "b", "c"]
    assert keywords.of_base(np.array([0, 1])).tolist() == [0, 2]
