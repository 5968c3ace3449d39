"""Queries that got items of which nobody took one: bounded, merged, told to nobody before five asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.suggestions.unanswered import MIN_ASKERS
from slotbeam.suggestions.unclicked import MIN_COUNT, TOLD, UnclickedCounter, merge_unclicked

NOW_S = 1_800_000_000
QUERIES = ("red mug", "blue lamp", "green rug")


def mark(query: str) -> bytes:
    return query.encode()[:5]


def ask(counter: UnclickedCounter, query: str, times: int = MIN_COUNT) -> None:
    for number in range(times):
        counter.add(mark(query), query, number % MIN_ASKERS, NOW_S)


def told(*counters: UnclickedCounter) -> dict[str, int]:
    merged, _ = merge_unclicked([{"unclicked": counter.document()} for counter in counters])
    return {query: one.count for query, one in merged.items()}


steps = st.lists(st.tuples(st.sampled_from(QUERIES), st.booleans(), st.integers(0, 1)), max_size=30)


@given(steps=steps)
def test_it_tells_what_was_never_clicked_at_any_replica(steps: list[tuple[str, bool, int]]) -> None:
    counters = (UnclickedCounter(), UnclickedCounter())
    asked, clicked = {"other": 0}, {"other"}
    counters[0].click(b"other")
    for query, is_click, at in steps:
        if is_click:
            counters[at].click(mark(query))
            clicked.add(query)
        else:
            ask(counters[at], query)
            asked[query] = asked.get(query, 0) + MIN_COUNT
    assert told(*counters) == {query: count for query, count in asked.items() if query not in clicked}


def test_nothing_is_told_while_nobody_reports_a_click() -> None:
    counter = UnclickedCounter()
    ask(counter, "red mug")
    assert told(counter) == {}
    counter.click(b"other")
    assert told(counter) == {"red mug": MIN_COUNT}


def test_a_text_is_told_once_five_asked_it_twenty_times() -> None:
    counter = UnclickedCounter()
    counter.click(b"other")
    ask(counter, "red mug", MIN_COUNT - 1)
    for _ in range(50):
        counter.add(b"lamps", "blue lamp", 1, NOW_S)
    assert told(counter) == {}
    assert list(counter.document()["queries"]) == ["red mug"], "of one asker nothing leaves the process"


def test_the_memory_is_bounded_and_what_was_clicked_last_is_told() -> None:
    counter = UnclickedCounter(capacity=3, remembered=2 * TOLD)
    for number in range(3 * TOLD):
        counter.add(number.to_bytes(5, "big"), f"query {number}", 1, NOW_S)
        counter.click((number + 10**6).to_bytes(5, "big"))
    clicked = counter.document()["clicked"]
    assert (len(clicked), clicked[-1]) == (TOLD, (10**6 + 3 * TOLD - 1).to_bytes(5, "big").hex())
    assert len(counter._texts) <= 8
    assert len(counter._clicked) == 2 * TOLD


@pytest.mark.parametrize(
    "part", [None, [], {}, {"clicked": 1, "queries": 1, "marks": 1}, {"queries": {"a": 1}}, {"marks": {"a": []}}]
)
def test_what_is_no_such_document_is_left_out(part: Any) -> None:
    good = UnclickedCounter()
    ask(good, "red mug")
    good.click(b"other")
    told = [{"unclicked": part}, None, {"unclicked": good.document()}]
    assert list(merge_unclicked(told)[0]) == ["red mug"]
