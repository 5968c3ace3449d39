"""Items by what their texts mean: brute force says which are nearest."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.arrays import running_totals, save_array
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.textindex import TextIndex, save_lists

N, M, C = 300, 12, 7
RNG = np.random.default_rng(1)
UNITS = RNG.integers(-60, 61, (N, M)).astype(np.int8)
UNITS[50:60] = UNITS[50]  # equal ones tie by row
CENTROIDS = RNG.integers(-127, 128, (C, M)).astype(np.int8)
LISTS = np.argmax(UNITS.astype(int) @ CENTROIDS.T.astype(int), axis=1)
ROWS = np.argsort(LISTS, kind="stable").astype(np.int32)
INDEX = TextIndex(UNITS, CENTROIDS, ROWS, running_totals(np.bincount(LISTS, minlength=C)))

vectors = st.integers(0, 2**31).map(lambda seed: np.random.default_rng(seed).normal(size=M))
masks = st.one_of(st.none(), st.lists(st.booleans(), min_size=N, max_size=N))


def passing_of(mask):
    return Passing(N) if mask is None else Passing.of(np.array(mask))


def ranked(vector, rows):
    close = UNITS[rows].astype(float) @ vector
    return rows[np.lexsort((rows, -np.round(close, 6)))]


@settings(max_examples=60)
@given(vectors, masks, st.integers(1, 40))
def test_where_all_are_looked_at_they_are_the_nearest_that_pass(vector, mask, limit):
    passing = passing_of(mask)
    expected = ranked(vector, passing.rows(np.array([0]), np.array([N])))[:limit]
    assert INDEX.nearest(vector, limit, N, passing).tolist() == expected.tolist()


@settings(max_examples=60)
@given(vectors, masks, st.integers(1, 40), st.integers(1, N))
def test_otherwise_they_are_the_nearest_of_the_nearest_lists_that_hold_enough(vector, mask, limit, scan):
    passing = passing_of(mask)
    found = INDEX.nearest(vector, limit, scan, passing)
    near = np.argsort(-(CENTROIDS.astype(float) @ vector), kind="stable")
    some = False
    for count in range(1, C + 1):  # more lists may be looked at than are needed
        rows = np.flatnonzero(np.isin(LISTS, near[:count]) & passing.holds(np.arange(N)))
        if len(rows) >= min(scan, passing.count(np.array([0]), np.array([N]))[0]):
            some |= found.tolist() == ranked(vector, rows)[:limit].tolist()
    assert some


def test_a_query_that_says_nothing_is_near_to_nothing():
    assert len(INDEX.nearest(np.zeros(M), 10, 100, Passing(N))) == 0
    assert len(INDEX.nearest(RNG.normal(size=M), 0, 100, Passing(N))) == 0


def test_an_index_without_a_teacher_has_no_vectors_and_brings_nothing(tmp_path):
    none = TextIndex.load(tmp_path / "texts", 5)
    assert none.vectors.shape == (5, 0)
    assert len(none.nearest(RNG.normal(size=M), 10, 100, Passing(5))) == 0


def test_what_is_saved_is_mapped_again(tmp_path):
    save_array(tmp_path / "vectors.npy", UNITS)
    save_lists(tmp_path, CENTROIDS, LISTS)
    again = TextIndex.load(tmp_path, N)
    vector = RNG.normal(size=M)
    assert again.nearest(vector, 9, 50, Passing(N)).tolist() == INDEX.nearest(vector, 9, 50, Passing(N)).tolist()
