import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from slotbeam.catalog.passing import Passing
from support.cases import CASES

RANGES = 8
"""That are counted of each set."""

masks = st.integers(0, 300).flatmap(
    lambda n: (
        hnp.arrays(np.bool_, n, elements=st.booleans())
        | hnp.arrays(np.bool_, n, elements=st.booleans(), fill=st.just(False))
    )
)
"""Every second one of few rows: such sets are kept as a list, too."""


@st.composite
def sets(draw):
    """A set of rows, and the same as a plain mask."""
    mask = draw(masks)
    passing = Passing.of(mask) if draw(st.booleans()) else Passing(len(mask))
    mask = mask.copy() if passing.bits is not None else np.ones(len(mask), np.bool_)
    left_out = draw(st.lists(st.integers(0, len(mask) - 1), max_size=20)) if len(mask) else []
    mask[left_out] = False
    return passing.without(np.array(left_out, np.int64)), mask


@st.composite
def ranges_of(draw, n):
    edges = [sorted(draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for _ in range(RANGES)]
    return np.array(edges, np.int64).reshape(-1, 2).T


@settings(max_examples=CASES // RANGES)
@given(st.data())
def test_a_set_counts_lists_and_tells_what_a_mask_does(data):
    passing, mask = data.draw(sets())
    start, stop = data.draw(ranges_of(len(mask)))
    assert passing.count(start, stop).tolist() == [int(mask[a:b].sum()) for a, b in zip(start, stop, strict=True)]
    expected = [np.flatnonzero(mask[a:b]) + a for a, b in zip(start, stop, strict=True)]
    assert passing.rows(start, stop).tolist() == [row for rows in expected for row in rows.tolist()]
    assert passing.holds(np.arange(len(mask))).tolist() == mask.tolist()
    assert passing.before(np.arange(len(mask) + 1)).tolist() == [int(mask[:row].sum()) for row in range(len(mask) + 1)]


def test_what_one_request_leaves_out_is_not_left_out_of_the_set_that_it_shares():
    shared = Passing.of(np.array([True, False, True, True]))
    own = shared.without(np.array([3, 1, 3]))
    assert own.rows(np.array([0]), np.array([4])).tolist() == [0, 2]
    assert shared.rows(np.array([0]), np.array([4])).tolist() == [0, 2, 3]
    assert own.bits is shared.bits


def test_a_filter_over_a_million_items_takes_less_than_a_third_of_a_byte_an_item():
    for share in (1, 31, 32, 100):
        assert Passing.of(np.arange(10**6) % share == 0).nbytes < (0.2 if share < 32 else 0.32) * 10**6
