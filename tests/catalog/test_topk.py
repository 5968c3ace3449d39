"""The best items by summed impacts, against sums of every item."""

import dataclasses

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slotbeam.catalog.passing import Passing
from slotbeam.catalog.postings import Postings
from slotbeam.catalog.postingsbuilder import PostingsBuilder
from slotbeam.catalog.topk import best_rows
from slotbeam.types import BoolArray, FloatArray, IntArray
from support.cases import CASES

ASKED = 4
"""Queries of each corpus, every second one through a filter."""


def corpus(rng: np.random.Generator, n: int, window_bits: int) -> Postings:
    """Items of 0 to 12 terms, most of them common ones; of every second corpus neighbouring items are alike."""
    lengths = rng.integers(0, 13, n)
    vocabulary = int(rng.integers(1, 40))
    terms = rng.zipf(float(rng.uniform(1.1, 2.5)), lengths.sum())
    if rng.random() < 0.5:
        terms += np.repeat(np.arange(n) // int(rng.integers(1, 50)), lengths)
    builder = PostingsBuilder(window_bits=window_bits)
    builder.add(terms % vocabulary, lengths)
    return builder.finish()[2]


def summed(postings: Postings, terms: IntArray, n: int) -> FloatArray:
    """(n,) what every item's impacts add up to, in the order of the terms."""
    sums = np.zeros(n, np.float32)
    for term in terms.tolist():
        rows, impacts = postings.of_term(term)
        sums[rows] += impacts.astype(np.float32)
    return sums


def by_sum_then_row(sums: FloatArray, passes: BoolArray, limit: int) -> list[int]:
    order = np.lexsort((np.arange(len(sums)), -sums))
    return list(order[(sums > 0)[order] & passes[order]][:limit].tolist())


@settings(max_examples=CASES // ASKED, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.integers(0, 8))
def test_the_best_are_those_of_the_highest_sums_that_pass_then_in_row_order(seed, n, window_bits):
    rng = np.random.default_rng(seed)
    postings = corpus(rng, n, window_bits)
    known = len(postings.starts) - 1
    for filtered in [False, True] * (ASKED // 2):
        terms = np.sort(rng.choice(known, int(rng.integers(0, min(known, 6) + 1)), replace=False))
        sums, limit = summed(postings, terms, n), int(rng.integers(1, n + 1))
        passes = rng.random(n) < rng.random() ** 4 if filtered else np.ones(n, np.bool_)
        rows, got = best_rows(postings, terms, limit, Passing.of(passes) if filtered else None)
        assert rows.tolist() == by_sum_then_row(sums, passes, limit)
        assert got.tolist() == sums[rows].tolist() == postings.sums(terms, rows).tolist()


def test_postings_of_windows_that_cannot_reach_the_top_are_not_read():
    hashes = np.tile([1, 3], 64_000)
    hashes[64_000:64_128:2] = 2  # all items carry 3, and 64 neighbours 2
    builder = PostingsBuilder(window_bits=6)
    builder.add(hashes, np.full(64_000, 2))
    _, _, postings = builder.finish()
    # Whoever reads one of these takes it for the best of all.
    poisoned = np.where(postings.rows < 40_000, postings.impacts, np.float16(1000))
    rows, _ = best_rows(dataclasses.replace(postings, impacts=poisoned), np.array([1, 2]), 64)
    assert rows.tolist() == list(range(32_000, 32_064))
