"""Counting unknown words in bounded memory, against exact counts."""

from __future__ import annotations

import json
import random
import sys
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.suggestions.trends import (
    CAPACITY,
    DAY,
    EXAMPLE_LENGTH,
    EXAMPLES,
    HALF_LIFE,
    MAX_WORD,
    MOST_ASKERS,
    PUBLISHED,
    QUERIES_KEPT,
    RECENT,
    TrendCounter,
)


def test_counts_are_exact_while_the_words_fit() -> None:
    rng, counter, truth = random.Random(0), TrendCounter(50), Counter[str]()
    for number in range(2000):
        word = f"w{min(49, int(rng.expovariate(0.1)))}"
        truth[word] += 1
        counter.add(f"q{number}", [word, word], 5)  # a word counts once a query
    assert {word: entry.seen.recent[5] for word, entry in counter.entries.items()} == truth
    assert all(entry.error == 0 for entry in counter.entries.values())
    assert counter.total.recent == {5: 2000}


@settings(max_examples=60)
@given(st.lists(st.integers(0, 30), max_size=400), st.integers(1, 12))
def test_an_estimate_is_off_by_no_more_than_space_saving_promises(stream: list[int], capacity: int) -> None:
    counter, truth = TrendCounter(capacity), Counter[str]()
    for number, value in enumerate(stream):
        counter.add(f"q{number}", [str(value)], 1)
        truth[str(value)] += 1
    bound = len(stream) / capacity
    assert len(counter.entries) <= capacity
    for word, entry in counter.entries.items():
        seen = sum(entry.seen.recent.values())
        assert seen <= truth[word] <= entry.weight <= truth[word] + bound
        assert entry.weight == seen + entry.error
    assert all(word in counter.entries for word, count in truth.items() if count > bound)


def test_junk_without_end_keeps_memory_flat_and_a_frequent_word_in() -> None:
    counter = TrendCounter()
    for number in range(200_000):
        words = [f"junk{number:x}" * 3]
        if number % 500 == 0:
            words.append("labubu")
        counter.add(f"{words[0]} and more of it" * 8, words, number // 20_000, number)
    assert len(counter.entries) == CAPACITY
    assert len(counter._heap) == CAPACITY
    for entry in counter.entries.values():
        assert len(entry.seen.recent) <= RECENT
        assert len(entry.queries) <= QUERIES_KEPT
        assert len(entry.today) <= MOST_ASKERS
        assert len(entry.examples) <= EXAMPLES
        assert all(len(example) <= EXAMPLE_LENGTH for example in entry.examples)
    assert sys.getsizeof(counter.entries) < 200_000
    assert counter.entries["labubu"].weight >= 380  # 400 less what ten hours decay


def test_what_is_published_is_bounded() -> None:
    counter = TrendCounter()
    for number in range(5000):
        counter.add("語" * 256 + str(number), [f"junk{number}", "labubu"], number // 100)
    document = counter.document()
    assert len(document["words"]) == PUBLISHED
    assert "labubu" in document["words"]
    assert len(json.dumps(document)) < 600_000


def test_an_endless_word_is_not_counted() -> None:
    counter = TrendCounter()
    counter.add("q", ["x" * (MAX_WORD + 1)], 1)
    assert not counter.entries
    assert counter.total.recent == {1: 1}


def test_counts_leave_the_recent_buckets_for_a_past_that_halves() -> None:
    counter = TrendCounter()
    for _ in range(8):
        counter.add("red labubu", ["labubu"], 100)
    counter.advance(100 + RECENT - 1)
    entry = counter.entries["labubu"]
    assert (entry.seen.recent, sum(entry.seen.past)) == ({100: 8}, 0)
    counter.advance(100 + RECENT)
    assert (entry.seen.recent, sum(entry.seen.past), entry.seen.past[100 % DAY]) == ({}, 8, 8)
    counter.advance(100 + RECENT + HALF_LIFE)
    assert abs(entry.seen.past[100 % DAY] - 4) < 1e-9
    assert abs(sum(counter.total.past) - 4) < 1e-9


def test_a_clock_that_steps_back_counts_in_the_current_bucket() -> None:
    counter = TrendCounter()
    counter.add("a", ["labubu"], 10)
    counter.add("b", ["labubu"], 7)
    assert counter.entries["labubu"].seen.recent == {10: 2}
