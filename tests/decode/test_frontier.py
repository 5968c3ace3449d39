from dataclasses import replace
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from slotbeam.arrays import run_starts
from slotbeam.catalog.passing import Passing
from slotbeam.decode.frontier import ScanBudget, open_ranges
from slotbeam.search.candidates import Shelf
from slotbeam.trie.build import build_trie, sid_order
from support.cases import CASES
from support.models import PrefixModel

SIZES = (5, 4, 6)
ASKED = 5
"""Budgets, each under a model of its own, that are tried on one shelf."""
MEMORY = (7,)


@st.composite
def shelves(draw):
    """Sorted SIDs of up to 120 items with few distinct slots, and a mask of those that pass."""
    sids = draw(st.integers(0, 120).flatmap(lambda n: hnp.arrays(np.int64, (n, 3), elements=st.integers(0, 3))))
    mask = draw(hnp.arrays(np.bool_, len(sids), elements=st.booleans())) | draw(st.booleans())
    return sids[sid_order(sids)], mask


budgets = st.builds(ScanBudget, st.integers(1, 130), st.integers(0, 20), st.integers(1, 4), st.integers(0, 12))


def opened_by(model, sids, mask, budget):
    leaf_items = np.append(run_starts(sids), len(sids))
    return open_ranges(model, MEMORY, Shelf(build_trie(sids), leaf_items, Passing.of(mask)), budget)


def fill_greedily(model, sids, mask, budget):
    """Return (start, stop) of the ranges by the definition: one prefix at a time, in plain Python."""

    def node(prefix, logp):
        rows = [row for row, sid in enumerate(sids.tolist()) if tuple(sid[: len(prefix)]) == prefix]
        count = int(mask[rows].sum()) if rows else 0
        return (log(count) - logp, rows[0], rows[-1] + 1, prefix, logp, count) if count else None

    nodes, steps = [root] if (root := node((), 0.0)) else [], 0
    while True:  # every decode may bring what is denser than anything so far: the fill begins anew
        nodes.sort()
        ranges: list[tuple[int, int]] = []
        left = budget.rows
        deeper = None
        for one in nodes:
            _, start, stop, prefix, _, count = one
            if left <= 0:
                break
            if count > left + budget.step:
                if len(prefix) < 3 and steps < budget.steps:
                    deeper = one
                    break
                stop = start + int(np.flatnonzero(np.cumsum(mask[start:stop]) == left)[0]) + 1
            ranges.append((start, stop))
            left -= count
        if deeper is None:
            return ranges
        _, start, stop, prefix, logp, _ = deeper
        scores, steps = model.logp(MEMORY, prefix), steps + 1
        codes = sorted({int(sid[len(prefix)]) for sid in sids[start:stop]})
        children = [node((*prefix, code), logp + float(scores[code])) for code in codes]
        nodes = [one for one in nodes if one is not deeper] + [child for child in children if child]


@settings(max_examples=CASES // ASKED)
@given(shelves(), st.lists(budgets, min_size=ASKED, max_size=ASKED))
def test_one_state_a_step_opens_the_ranges_of_a_greedy_fill(shelf, asked):
    sids, mask = shelf
    for seed, budget in enumerate(asked):
        narrow, model = replace(budget, width=1), PrefixModel(SIZES, seed)
        opened = opened_by(model, sids, mask, narrow)
        ranges = list(zip(opened.start.tolist(), opened.stop.tolist(), strict=True))
        assert ranges == fill_greedily(model, sids, mask, narrow)


@settings(max_examples=300)
@given(shelves(), budgets, st.integers(0, 5))
def test_the_ranges_hold_the_budget_and_little_more_and_do_not_overlap(shelf, budget, seed):
    sids, mask = shelf
    opened = opened_by(PrefixModel(SIZES, seed), sids, mask, budget)
    rows = [row for a, b in zip(opened.start, opened.stop, strict=True) for row in range(a, b) if mask[row]]
    assert len(rows) == len(set(rows))
    assert min(budget.rows, mask.sum()) <= len(rows) <= budget.rows + budget.step
    assert opened.steps <= budget.steps
    assert opened.decoded <= opened.steps * budget.width


@given(shelves(), st.integers(0, 20), st.integers(0, 5))
def test_a_budget_of_all_that_pass_hands_all_of_them_on_and_decodes_nothing(shelf, step, seed):
    sids, mask = shelf
    opened = opened_by(PrefixModel(SIZES, seed), sids, mask, ScanBudget(max(1, int(mask.sum())), step, 8, 12))
    assert opened.decoded == 0
    assert [(0, len(sids))] * bool(mask.any()) == list(zip(opened.start, opened.stop, strict=True))


@given(shelves(), budgets, st.integers(0, 5))
def test_a_range_is_that_of_its_state_and_scored_as_its_prefix(shelf, budget, seed):
    sids, mask = shelf
    model, trie = PrefixModel(SIZES, seed), build_trie(sids)
    opened = opened_by(model, sids, mask, budget)
    for start, stop, state, depth, logp in zip(
        opened.start, opened.stop, opened.states, opened.depths, opened.logp, strict=True
    ):
        prefix = tuple(sids[start][:depth].tolist())
        assert {tuple(sid[:depth]) for sid in sids[start:stop].tolist()} == {prefix}
        assert logp == pytest.approx(sum(float(model.logp(MEMORY, prefix[:i])[c]) for i, c in enumerate(prefix)))
        first, _ = trie.leaf_range(np.array([state]), depth)
        assert tuple(trie.sids(first)[0][:depth]) == prefix
