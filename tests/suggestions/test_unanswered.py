"""Queries without items: what is told of them, from how many askers on, in how much memory."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.suggestions.reporting import TrendReporter
from slotbeam.suggestions.unanswered import (
    DAY_S,
    KEPT_S,
    LISTED,
    MIN_ASKERS,
    MOST_ASKERS,
    Askers,
    UnansweredCounter,
    merge_unanswered,
)
from support.live import NOW, Clock

NOW_S = NOW // 1000
QUERIES = st.sampled_from(["john doe home address", "qwertyuiop", "zzz"])


def counted(*asked: tuple[str, int], now_s: int = NOW_S) -> UnansweredCounter:
    counter = UnansweredCounter()
    for query, asker in asked:
        counter.add(query, asker, now_s)
    return counter


@given(st.lists(st.tuples(QUERIES, st.integers(0, 7)), max_size=60))
def test_a_text_is_published_if_and_only_if_five_askers_asked_it(asked: list[tuple[str, int]]) -> None:
    document = counted(*asked).document()
    told = json.dumps(document)
    for query in {query for query, _ in asked}:
        askers = {asker for text, asker in asked if text == query}
        assert (query in told) == (len(askers) >= MIN_ASKERS)
        if query in told:
            assert document["queries"][query] == [sum(text == query for text, _ in asked), len(askers), NOW_S]
    assert document["withheld"] + len(document["queries"]) == len({query for query, _ in asked})


def test_one_asker_never_brings_a_text_out_however_often_it_asks() -> None:
    assert counted(*[("qwertyuiop", 1)] * 1000).document() == {"queries": {}, "withheld": 1}


def test_askers_of_several_days_do_not_add_up() -> None:
    counter = UnansweredCounter()
    for day in range(6):
        counter.add("qwertyuiop", day, NOW_S + day * DAY_S)
    assert counter.document()["queries"] == {}


def test_a_text_that_was_told_is_told_on_until_nobody_asks_it_for_a_week() -> None:
    counter = counted(*[("qwertyuiop", asker) for asker in range(5)])
    counter.advance(NOW_S + KEPT_S - DAY_S)
    assert counter.document()["queries"] == {"qwertyuiop": [5, 5, NOW_S]}
    counter.advance(NOW_S + KEPT_S + DAY_S)
    assert counter.document() == {"queries": {}, "withheld": 0}


def test_memory_is_bounded_and_what_many_ask_stays() -> None:
    counter = UnansweredCounter(capacity=50)
    for asker in range(100):
        counter.add("qwertyuiop", asker, NOW_S)
    for number in range(5000):
        counter.add(f"flood {number}", 1, NOW_S)
        assert len(counter.entries) <= 100
    assert counter.document()["queries"] == {"qwertyuiop": [100, MOST_ASKERS, NOW_S]}
    assert max(len(entry.today) for entry in counter.entries.values()) <= MOST_ASKERS


def test_no_more_texts_are_published_than_are_listed() -> None:
    counter = counted(*[(f"query {number}", asker) for number in range(LISTED + 50) for asker in range(5)])
    assert len(counter.document()["queries"]) == LISTED


def test_an_asker_is_the_same_for_a_day_and_another_one_tomorrow_and_elsewhere() -> None:
    clock = Clock(NOW // (DAY_S * 1000) * DAY_S * 1000)
    askers = Askers(clock)
    first = askers.asker("from 10.0.0.1")
    assert first == askers.asker("from 10.0.0.1")
    assert first != askers.asker("from 10.0.0.2")
    assert first != Askers(clock).asker("from 10.0.0.1"), "another process has another key"
    clock.now_ms += DAY_S * 1000
    assert first != askers.asker("from 10.0.0.1")


counts = st.tuples(st.integers(1, 100), st.integers(MIN_ASKERS, MOST_ASKERS), st.integers(0, NOW_S))
documents = st.fixed_dictionaries(
    {"unanswered": st.fixed_dictionaries({"queries": st.dictionaries(QUERIES, counts), "withheld": st.integers(0, 9)})}
)


@given(st.lists(documents, max_size=4))
def test_replicas_add_up_their_counts_and_not_their_askers(published: list[Any]) -> None:
    merged, withheld = merge_unanswered(published)
    told = [document["unanswered"]["queries"] for document in published]
    for text in {text for queries in told for text in queries}:
        count, askers, last_s = zip(*(queries[text] for queries in told if text in queries), strict=True)
        entry = merged[text]
        assert (entry.count, entry.askers, entry.last_s) == (sum(count), max(askers), max(last_s))
    assert [entry.count for entry in merged.values()] == sorted((e.count for e in merged.values()), reverse=True)
    assert withheld == sum(document["unanswered"]["withheld"] for document in published)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@settings(max_examples=200)
@given(json_values, json_values)
def test_what_is_no_such_document_is_left_out(value: object, queries: object) -> None:
    good = {"unanswered": {"queries": {"zzz": [5, 5, NOW_S]}, "withheld": 1}}
    merged, withheld = merge_unanswered([value, {"unanswered": {"queries": queries, "withheld": 0}}, good])
    assert merged["zzz"].count >= 5
    assert withheld >= 1


def test_few_askers_that_a_document_claims_are_not_shown() -> None:
    assert merge_unanswered([{"unanswered": {"queries": {"zzz": [9, 4, NOW_S]}, "withheld": 0}}]) == ({}, 0)


def test_the_reporter_counts_what_requests_left_and_keeps_no_caller() -> None:
    reporter = TrendReporter(Clock(NOW))
    for number in range(5):
        reporter.note_unanswered("qwertyuiop", f"from 10.0.0.{number}")
    reporter.note_unanswered("john doe", "from 10.0.0.1")
    assert not reporter.unanswered.entries
    reporter.drain()
    assert reporter.unanswered.document() == {"queries": {"qwertyuiop": [5, 5, NOW_S]}, "withheld": 1}
    assert "10.0.0" not in repr(reporter.unanswered.entries)
