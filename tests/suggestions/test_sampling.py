"""A uniform sample of recent queries, against all of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.suggestions.bursts import merge, read_counts
from slotbeam.suggestions.sampling import SAMPLES, Sample, Sampled, read_sampled, smallest
from slotbeam.suggestions.trends import RECENT, TrendCounter


@given(
    stream=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=80),
    size=st.integers(1, 12),
    dropped=st.integers(-1, 5),
    seed=st.integers(0, 9),
)
def test_samples_of_parts_add_up_to_the_sample_of_the_whole(
    stream: list[tuple[int, int]], size: int, dropped: int, seed: int
) -> None:
    """The oracle keeps every query with its key: the sample is those with the smallest keys of what was not dropped."""
    parts = [Sample(size, random.Random(seed + part)) for part in range(3)]
    keys = [random.Random(seed + part) for part in range(3)]
    every = []
    for number, (at, bucket) in enumerate(stream):
        parts[at].add(f"q{number}", bucket)
        every.append(Sampled(keys[at].random(), bucket, f"q{number}"))
    for part in parts:
        part.drop(dropped)
    found = smallest((one for part in parts for one in part.best()), size)
    assert found == sorted(one for one in every if one.bucket > dropped)[:size]


def test_every_query_is_as_likely_to_be_in_the_sample() -> None:
    counts = Counter[str]()
    for seed in range(400):
        sample = Sample(10, random.Random(seed))
        for number in range(40):
            sample.add(f"q{number}", number // 10)
        counts.update(one.query for one in sample.best())
    assert sum(counts.values()) == 4000
    assert all(60 < counts[f"q{number}"] < 140 for number in range(40)), "100 each, σ = 8.7"


def test_a_counter_publishes_a_sample_of_the_last_day_and_no_more() -> None:
    counter = TrendCounter()
    for number in range(SAMPLES):
        counter.add(f"old {number}", [], 100)
    for number in range(30):
        counter.add(f"new {number}", [], 100 + RECENT)
    counts = read_counts(counter.document())
    assert counts is not None
    assert sorted(one.query for one in counts.sample) == sorted(f"new {number}" for number in range(30))
    for number in range(3 * SAMPLES):
        counter.add(f"more {number}", [], 100 + RECENT)
    assert len(counter.document()["sample"]) == SAMPLES


def test_a_merged_sample_leaves_out_what_a_replica_saw_more_than_a_day_ago() -> None:
    gone, alive = TrendCounter(), TrendCounter()
    gone.add("yesterday", [], 100)
    alive.add("today", [], 100 + RECENT)
    published = [counts for each in (gone, alive) if (counts := read_counts(each.document())) is not None]
    assert [one.query for one in merge(published, 100 + RECENT).sample] == ["today"]


def test_a_report_without_a_sample_is_one_of_an_older_version() -> None:
    document = TrendCounter().document()
    del document["sample"]
    counts = read_counts(document)
    assert counts is not None
    assert counts.sample == []


@pytest.mark.parametrize(
    "value",
    [[[2.0, 1, "q"]], [["x", 1, "q"]], [[0.5, 1]], [[0.5, 1, ""]], [[0.5, 1, "q" * 300]], 7, [[0.5, None, "q"]]],
)
def test_what_is_no_sample_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        read_sampled(value)
