from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.catalog.postings import ARRAYS, Postings
from slotbeam.catalog.postingsbuilder import PostingsBuilder

items = st.lists(st.lists(st.sampled_from([0, 1, 2, 3, 2**31, 2**32 - 1]), max_size=8), max_size=60)


def built(texts: list[list[int]], sizes: list[int], run: int, directory: Path | None = None):
    """Builds postings of items that are lists of hashes, added in blocks of `sizes`, then the rest."""
    builder = PostingsBuilder(directory, run, window_bits=2)
    start = 0
    for size in [*sizes, len(texts)]:
        block = texts[start : start + size]
        builder.add(np.array([h for own in block for h in own], np.uint32), np.array([len(own) for own in block], int))
        start += size
    return builder.finish()


def raw(vocabulary, ceilings, postings) -> list[bytes]:
    return [vocabulary.tobytes(), ceilings.tobytes(), *(getattr(postings, name).tobytes() for name in ARRAYS)]


@given(items, st.lists(st.integers(0, 20), max_size=6), st.integers(1, 200))
def test_the_same_items_give_the_same_bytes_whatever_the_blocks_and_the_runs(texts, sizes, run):
    assert raw(*built(texts, sizes, run)) == raw(*built(texts, [], 2**20))


@pytest.mark.parametrize("texts", [[], [[]], [[5, 7, 5], [], [7]] * 30])
def test_what_is_built_on_disk_is_what_is_built_in_memory_and_is_mapped_as_written(tmp_path, texts):
    in_memory = built(texts, [], 2**20)
    on_disk = built(texts, [7, 13], 11, tmp_path)
    assert raw(*on_disk) == raw(*in_memory)
    mapped = Postings.load(tmp_path)
    assert all(getattr(mapped, name).tobytes() == getattr(in_memory[2], name).tobytes() for name in ARRAYS)
    kept = {*ARRAYS, "counts", "vocabulary", "ceilings", "statistics"}
    assert {path.stem for path in tmp_path.iterdir()} == kept, "no run is left"
    again = tmp_path / "again"
    again.mkdir()
    in_memory[2].save(again)
    assert all((again / f"{name}.npy").read_bytes() == (tmp_path / f"{name}.npy").read_bytes() for name in ARRAYS)


@given(items)
def test_postings_are_the_items_of_each_term_in_row_order_with_the_windows_of_their_impacts(texts):
    vocabulary, _, postings = built(texts, [], 2**20)
    assert vocabulary.tolist() == sorted({h for own in texts for h in own})
    for place, h in enumerate(vocabulary.tolist()):
        rows, impacts = postings.of_term(place)
        assert rows.tolist() == [row for row, own in enumerate(texts) if h in own]
        number = postings.heavy_number(place)
        assert (number is None) == (len(rows) < 4 * postings.windows)
        for window in range(postings.windows if number is not None else 0):
            inside = rows >> 2 == window
            assert postings.maxima[number, window] == max(impacts[inside], default=0)
            edges = postings.edges[number, window : window + 2]
            assert np.flatnonzero(inside).tolist() == list(range(*edges.tolist()))


def test_a_term_that_weighs_next_to_nothing_still_weighs_something():
    """Of 10 000 items all carry 0, and one is a very long text."""
    lengths = np.append(np.ones(9_999, np.int64), 300_000)
    hashes = np.append(np.zeros(9_999, np.uint32), np.arange(300_000, dtype=np.uint32))
    builder = PostingsBuilder()
    builder.add(hashes, lengths)
    rows, impacts = builder.finish()[2].of_term(0)
    assert len(rows) == 10_000
    assert 0 < impacts[-1] < np.finfo(np.float16).tiny
