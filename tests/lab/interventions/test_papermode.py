"""Look-ahead: the states it favours, the chance it goes by, and that it only decides who survives."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

pytest.importorskip("bm25s")

from slotbeam.decode.beam import beam_search
from slotbeam.trie.build import build_trie
from slotbeam.types import IntArray, Slot
from slotbeam_lab.interventions.papermode import leading, look_ahead, slot_chance
from support.models import PrefixModel

SIZES = (5, 4, 6, 3)
ALL = np.array(list(product(*(range(size) for size in SIZES))))
MEMORY = (3, 1)


@pytest.fixture(scope="module")
def model() -> PrefixModel:
    return PrefixModel(SIZES, 2)


SIDS = ALL[np.random.default_rng(0).choice(len(ALL), 60, replace=False)]
SLOT = Slot(2, 5)


def test_a_state_leads_to_a_slot_when_a_sid_below_it_has_the_slot() -> None:
    trie = build_trie(SIDS)
    leads = leading(trie, SLOT)
    with_slot = SIDS[SIDS[:, SLOT.position] == SLOT.index]
    states: IntArray = np.zeros(1, np.int64)
    prefixes: list[tuple[int, ...]] = [()]
    for depth in range(SLOT.position + 2):
        wanted = [float(any(tuple(sid[:depth]) == prefix for sid in with_slot.tolist())) for prefix in prefixes]
        assert leads[states].tolist() == wanted
        parent, codes, states = trie.expand(states)
        prefixes = [(*prefixes[p], int(c)) for p, c in zip(parent, codes, strict=True)]


def test_the_chance_is_the_models_own_behind_the_greedy_prefix(model: PrefixModel) -> None:
    trie = build_trie(ALL)
    prefix: tuple[int, ...] = ()
    for _ in range(SLOT.position):
        prefix = (*prefix, int(np.argmax(model.logp(MEMORY, prefix))))
    wanted = float(np.exp(model.logp(MEMORY, prefix)[SLOT.index]))
    assert slot_chance(model, MEMORY, trie, SLOT) == pytest.approx(wanted)
    first = float(np.exp(model.logp(MEMORY, ())[1]))
    assert slot_chance(model, MEMORY, trie, Slot(0, 1)) == pytest.approx(first)


def test_favour_keeps_prefixes_alive_and_leaves_their_scores_alone(model: PrefixModel) -> None:
    trie = build_trie(SIDS)
    leads = leading(trie, SLOT)
    plain = beam_search(model, MEMORY, trie, 6)
    forced = beam_search(
        model, MEMORY, trie, 6, ahead=lambda states, depth: 100 * leads[states] * (depth <= SLOT.position + 1)
    )
    with_slot = [sid for sid in SIDS.tolist() if sid[SLOT.position] == SLOT.index]
    found = trie.sids(forced.states - trie.levels[-2]).tolist()
    assert sum(sid[SLOT.position] == SLOT.index for sid in found) == min(6, len(with_slot))
    for sid, logp in zip(found, forced.logp.tolist(), strict=True):
        assert logp == pytest.approx(sum(float(model.logp(MEMORY, tuple(sid[:i]))[c]) for i, c in enumerate(sid)))
    none = beam_search(model, MEMORY, trie, 6, ahead=lambda states, depth: np.zeros(len(states)))
    assert (none.states == plain.states).all()


def test_the_favour_is_the_log_odds_before_the_slot_and_nothing_from_there_on(model: PrefixModel) -> None:
    trie = build_trie(SIDS)
    chance = slot_chance(model, MEMORY, trie, SLOT)
    ahead = look_ahead(model, MEMORY, trie, SLOT)
    states = np.arange(trie.levels[1], trie.levels[3])
    assert ahead(states, 2) == pytest.approx(np.log(chance / (1 - chance)) * leading(trie, SLOT)[states])
    assert not ahead(states, SLOT.position + 1).any()
