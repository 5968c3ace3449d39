"""Numbers on the grid: their sums of products are exact, so no order of adding can be told from another.

Runs, ranges, running totals and strings say what plain Python says.
"""

from fractions import Fraction
from itertools import accumulate, groupby
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from slotbeam.arrays import Strings, among, load_strings, on_grid, ranges, run_starts, running_totals, save_strings

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


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2))), st.booleans())
def test_a_run_begins_where_a_row_differs_from_the_one_before_it(pairs, flat):
    pairs.sort()
    rows = np.array([a for a, _ in pairs] if flat else pairs, np.int16).reshape((len(pairs),) if flat else (-1, 2))
    lengths = [len(list(run)) for _, run in groupby(rows.tolist())]
    assert run_starts(rows).tolist() == list(accumulate(lengths, initial=0))[: len(lengths)]
    assert run_starts(rows).dtype == np.int64


@given(st.lists(st.tuples(st.integers(-5, 100), st.integers(0, 4))), st.sampled_from([np.int32, np.int64]))
def test_ranges_are_written_out_one_behind_the_other(given_ranges, dtype):
    start, length = np.array(given_ranges, dtype).reshape(-1, 2).T
    expected = [(i, first + n) for i, (first, count) in enumerate(given_ranges) for n in range(count)]
    owner, number = ranges(start, length)
    assert list(zip(owner.tolist(), number.tolist(), strict=True)) == expected
    assert ranges(7, length)[1].tolist() == [7 + n for _, count in given_ranges for n in range(count)]


@given(st.lists(st.integers(0, 9)), st.booleans())
def test_running_totals_are_the_sums_before_each_place_and_the_sum_of_all(values, mask):
    values = [value > 4 for value in values] if mask else values
    totals = running_totals(np.array(values, np.bool_) if mask else values, np.int32)
    assert totals.tolist() == [sum(values[:i]) for i in range(len(values) + 1)]
    assert totals.dtype == np.int32


def test_taking_rows_gives_what_each_row_holds(tmp_path: Path) -> None:
    words = ["mug", "", "拉布布", "a\u0301", "🎁"]
    Strings.of(words).save(tmp_path, "words")
    for strings in (Strings.of(words), Strings.load(tmp_path, "words")):
        assert strings.take([4, 0, 0, 2, 1, 3]) == ["🎁", "mug", "mug", "拉布布", "", "a\u0301"]
        assert strings.take([]) == []


def test_strings_with_their_ends_are_read_as_they_were_written(tmp_path: Path) -> None:
    words = ["mug", "", "拉布布", "🎁"]
    save_strings(tmp_path / "words", words)
    assert load_strings(tmp_path / "words") == words
    assert np.load(tmp_path / "words.ends.npy").tolist() == [3, 3, 12, 16]
    save_strings(tmp_path / "none", [])
    assert load_strings(tmp_path / "none") == []


@given(st.lists(st.integers(0, 40)), st.lists(st.integers(0, 40)), st.sampled_from([np.int32, np.int64, np.float64]))
def test_what_is_among_rising_numbers_is_told_whatever_their_type(held, wanted, dtype):
    rising = np.array(sorted(set(held)), dtype)
    assert among(rising, np.array(wanted, np.int64)).tolist() == [number in set(held) for number in wanted]
