import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from slotbeam.decode.beam import beam_search, select_best
from slotbeam.trie.build import build_trie
from support.models import PrefixModel, exhaustive

SIZES = (5, 4, 6)
sid_sets = st.integers(0, 40).flatmap(lambda n: hnp.arrays(np.int64, (n, 3), elements=st.integers(0, 3)))


def found(model, trie, width, **options):
    beams = beam_search(model, (7,), trie, width, **options)
    sids = trie.sids(beams.states - trie.levels[-2])
    return beams, sids


@given(sid_sets, st.integers(0, 5), st.booleans())
def test_a_beam_as_wide_as_the_trie_equals_exhaustive_scoring(sids, seed, coarse):
    model, trie = PrefixModel(SIZES, seed, coarse), build_trie(sids)
    beams, got = found(model, trie, max(1, len(sids)))
    expected = exhaustive(model, (7,), sids)
    assert [tuple(row) for row in got.tolist()] == [sid for _, sid in expected]
    assert beams.logp == pytest.approx([logp for logp, _ in expected], abs=1e-5)


@given(sid_sets, st.integers(1, 12), st.integers(0, 5))
def test_any_beam_equals_plain_beam_search_over_prefixes(sids, width, seed):
    model, trie = PrefixModel(SIZES, seed, coarse=True), build_trie(sids)
    _, got = found(model, trie, width)
    distinct = {tuple(row) for row in sids.tolist()}
    beam = [(0.0, ())]
    for depth in range(3):
        grown = {
            (logp + float(model.logp((7,), prefix)[sid[depth]]), sid[: depth + 1])
            for logp, prefix in beam
            for sid in distinct
            if sid[:depth] == prefix
        }
        beam = sorted(grown, key=lambda pair: (-pair[0], pair[1]))[:width]
    assert [tuple(row) for row in got.tolist()] == [prefix for _, prefix in beam]


def test_a_beam_wider_than_the_trie_returns_only_sids_of_the_trie():
    trie = build_trie(np.array([[1, 2, 3], [1, 2, 4]]))
    _, got = found(PrefixModel(SIZES), trie, 100)
    assert sorted(got.tolist()) == [[1, 2, 3], [1, 2, 4]]


def test_an_empty_trie_gives_no_beams():
    beams, _ = found(PrefixModel(SIZES), build_trie(np.empty((0, 3), int)), 8)
    assert len(beams.states) == 0
    assert len(beams.logp) == 0


def test_states_that_may_not_be_kept_never_compete_for_a_beam():
    sids = np.array([[a, b, c] for a in range(4) for b in range(3) for c in range(5)])
    model, trie = PrefixModel(SIZES), build_trie(sids)
    wanted = {tuple(row) for row in sids.tolist() if sum(row) % 4 == 0}
    leaves = [tuple(row) for row in trie.sids(np.arange(trie.n_leaves)).tolist()]

    def keep(states, depth):
        first, stop = trie.leaf_range(states, depth)
        return np.array([any(leaf in wanted for leaf in leaves[a:b]) for a, b in zip(first, stop, strict=True)])

    _, got = found(model, trie, len(sids), keep=keep)
    expected = [sid for _, sid in exhaustive(model, (7,), np.array(sorted(wanted)))]
    assert [tuple(row) for row in got.tolist()] == expected


@given(hnp.arrays(np.float64, st.integers(0, 30), elements=st.integers(0, 5).map(float)), st.integers(1, 35))
def test_the_best_are_the_largest_and_ties_go_to_the_first(scores, width):
    expected = sorted(sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:width])
    assert select_best(scores, width).tolist() == expected


def test_a_beam_of_no_width_is_refused():
    with pytest.raises(ValueError, match="beam width must be >= 1, got 0"):
        beam_search(PrefixModel(SIZES), (7,), build_trie(np.array([[1, 1, 1]])), 0)
