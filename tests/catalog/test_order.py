"""Row order: ids in order of their characters, whatever they hold; then SID, popularity, id."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.arrays import Strings
from slotbeam.catalog.order import id_ranks, row_order
from slotbeam.errors import InputError

prefixes = st.sampled_from(["", "p", "p0000000", "p00000000000000", "é", "拉布布", "aaaaaaa\0", "aaaaaaaa"])
ids = st.lists(st.builds("".join, st.tuples(prefixes, st.text(alphabet="a0\0é拉😀", max_size=9))), unique=True)


@settings(max_examples=300)
@given(ids)
def test_ids_have_the_places_that_sorting_gives_them(given_ids):
    ranks = id_ranks(Strings.of(given_ids))
    assert [given_ids[row] for row in np.argsort(ranks).tolist()] == sorted(given_ids)


@pytest.mark.parametrize("twin", ["a", "", "aaaaaaaa", "aaaaaaaaa", "é" * 20, "a\0"])
def test_two_equal_ids_are_refused_by_name(twin):
    with pytest.raises(InputError, match="ids are unique in a catalog"):
        id_ranks(Strings.of(["b", twin, "c", "aaaaaaa", twin]))


@settings(max_examples=100)
@given(st.lists(st.tuples(st.tuples(st.integers(0, 2), st.integers(0, 40_000)), st.integers(0, 2)), max_size=30))
def test_rows_are_in_the_order_of_sid_then_popularity_then_id(rows):
    sids, popularity = np.array([sid for sid, _ in rows], int).reshape(-1, 2), np.array([p for _, p in rows], float)
    names = [f"i{number * 7 % 31}" for number in range(len(rows))]
    order = row_order(sids, popularity, id_ranks(Strings.of(names)))
    assert order.tolist() == sorted(range(len(rows)), key=lambda i: (rows[i][0], -rows[i][1], names[i]))
