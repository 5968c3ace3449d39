"""Numbers on the grid: their sums of products are exact, so no order of adding can be told from another."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from slotbeam.arrays import on_grid

numbers = st.floats(-8, 8, width=32)


@given(hnp.arrays(np.float32, (2, 100), elements=numbers), st.randoms(use_true_random=False))
def test_a_sum_of_products_is_exact_in_any_order(rows, random):
    one, two = on_grid(rows)
    exact = sum((Fraction(a) * Fraction(b) for a, b in zip(one.tolist(), two.tolist(), strict=True)), Fraction())
    order = random.sample(range(100), 100)
    assert Fraction(float(one @ two)) == Fraction(float(one[order] @ two[order])) == exact


@given(hnp.arrays(np.float32, 20, elements=numbers))
def test_rounding_moves_a_number_by_half_a_step_at_most_and_only_once(values):
    rounded = on_grid(values)
    assert np.abs(rounded - values).max() <= 2.0**-21
    assert on_grid(rounded).tolist() == rounded.tolist()
    assert (rounded * 2.0**20).tolist() == np.rint(rounded * 2.0**20).tolist()
