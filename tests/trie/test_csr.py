import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from slotbeam.trie.build import build_trie
from slotbeam.trie.csr import Trie
from slotbeam.types import IntArray

sid_sets = st.tuples(st.integers(0, 60), st.integers(1, 5)).flatmap(
    lambda shape: hnp.arrays(np.int64, shape, elements=st.integers(0, 4))
)


@given(sid_sets)
def test_the_leaves_are_the_distinct_sids_in_order(sids):
    trie = build_trie(sids)
    expected = sorted({tuple(row) for row in sids.tolist()})
    assert [tuple(row) for row in trie.sids(np.arange(trie.n_leaves)).tolist()] == expected


@given(sid_sets)
def test_expanding_level_by_level_walks_exactly_the_prefixes_of_the_sids(sids):
    trie = build_trie(sids)
    states: IntArray = np.zeros(1, np.int64)
    prefixes: list[tuple[int, ...]] = [()]
    for depth in range(trie.depth):
        parent, code, child = trie.expand(states)
        prefixes = [(*prefixes[p], c) for p, c in zip(parent.tolist(), code.tolist(), strict=True)]
        assert prefixes == sorted({tuple(row[: depth + 1]) for row in sids.tolist()})
        states = child
    assert all(len(array) == 0 for array in trie.expand(states))


@given(sid_sets, st.data())
def test_the_leaves_below_a_state_are_one_range(sids, data):
    trie = build_trie(sids)
    depth = data.draw(st.integers(0, trie.depth))
    states = np.arange(trie.levels[depth], trie.levels[depth + 1])
    first, stop = trie.leaf_range(states, depth)
    leaves = sorted({tuple(row) for row in sids.tolist()})
    prefixes = sorted({leaf[:depth] for leaf in leaves})
    if not leaves:
        prefixes = [()] if depth == 0 else []
    for prefix, a, b in zip(prefixes, first, stop, strict=True):
        assert [leaf for leaf in leaves if leaf[:depth] == prefix] == leaves[a:b]


def test_expand_names_the_parent_by_its_place_not_by_its_number():
    trie = build_trie(np.array([[0, 1], [0, 2], [3, 1]]))
    parent, code, child = trie.expand(np.array([2, 1]))
    assert parent.tolist() == [0, 1, 1]
    assert code.tolist() == [1, 1, 2]
    assert child.tolist() == [5, 3, 4]


def test_a_saved_trie_loads_as_it_was(tmp_path):
    trie = build_trie(np.random.default_rng(1).integers(0, 9, (50, 3)))
    trie.save(tmp_path)
    loaded = Trie.load(tmp_path)
    for name in ("codes", "rows", "levels"):
        assert np.array_equal(getattr(loaded, name), getattr(trie, name))


def test_a_million_sids_of_wide_positions_need_more_than_one_sort_key():
    sids = np.random.default_rng(0).integers(0, 2**20, (1000, 6))
    trie = build_trie(sids)
    assert trie.sids(np.arange(trie.n_leaves)).tolist() == sorted(sids.tolist())


@pytest.mark.parametrize("sids", [np.zeros((3,), int), np.zeros((2, 0), int), np.array([[-1]])])
def test_sids_of_another_shape_or_below_zero_are_refused(sids):
    with pytest.raises(ValueError, match=r"sids must|codes must"):
        build_trie(sids)
