"""Which words stand out against their own past."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from typing import Any

import pytest

from slotbeam.suggestions.bursts import MIN_COUNT, MIN_RATIO, bursts, merge, read_counts
from slotbeam.suggestions.trends import DAY, RECENT, TrendCounter


def feed(counter: TrendCounter, word: str, bucket: int, with_it: int, queries: int, distinct: int = 10) -> None:
    """`queries` queries in `bucket`, `with_it` of them with the word."""
    for number in range(queries):
        carries = number < with_it
        counter.add(f"{word} {number % distinct}" if carries else f"other {number}", [word] if carries else [], bucket)


def offered(*counters: TrendCounter, bucket: int) -> list[str]:
    published = [read_counts(json.loads(json.dumps(counter.document()))) for counter in counters]
    merged = merge([counts for counts in published if counts], bucket)
    return [burst.word for burst in bursts(merged.total, merged.words, merged.bucket)]


def test_a_new_word_is_offered_and_a_steady_one_is_not() -> None:
    counter = TrendCounter()
    for bucket in range(1, 2 * DAY):
        feed(counter, "steady", bucket, 5, 100)
    feed(counter, "steady", 2 * DAY, 5, 100)
    feed(counter, "labubu", 2 * DAY, MIN_COUNT, 100)
    assert offered(counter, bucket=2 * DAY) == ["labubu"]


def test_twice_the_traffic_is_no_burst() -> None:
    counter = TrendCounter()
    for bucket in range(1, DAY):
        feed(counter, "steady", bucket, 5, 100)
    feed(counter, "steady", DAY, 500, 10_000)
    assert offered(counter, bucket=DAY) == []


def test_a_word_of_the_evening_is_no_burst_of_this_evening() -> None:
    counter = TrendCounter()
    for day in range(1, 4):
        for hour in range(DAY):
            feed(counter, "pizza", day * DAY + hour, 10 if hour == 19 else 0, 100)
    now = 4 * DAY + 19
    for hour in range(now - 19, now):
        feed(counter, "other", hour, 0, 100)
    feed(counter, "pizza", now, 30, 100)
    feed(counter, "labubu", now, 30, 100)
    assert offered(counter, bucket=now) == ["labubu"]
    for hour in range(1, 9):  # but one of the morning after is
        feed(counter, "pizza", now + hour, 30 if hour == 8 else 0, 100)
    assert "pizza" in offered(counter, bucket=now + 8)


@pytest.mark.parametrize(("times", "found"), [(MIN_RATIO - 1, []), (MIN_RATIO + 2, ["desk"])])
def test_what_a_campaign_lifts_a_little_is_no_burst(times: float, found: list[str]) -> None:
    counter = TrendCounter()
    for bucket in range(1, 4 * DAY):
        feed(counter, "desk", bucket, 5, 500)
    for bucket in range(4 * DAY, 4 * DAY + 2):
        feed(counter, "desk", bucket, round(5 * times), 500)
    assert offered(counter, bucket=4 * DAY + 1) == found


def test_what_one_asker_says_all_day_counts_once_and_again_tomorrow() -> None:
    counter = TrendCounter()
    for bucket in range(DAY, 3 * DAY):
        for number in range(20):
            counter.add(f"other {number}", [], bucket, number)
            counter.add(f"zaigoni {number}", ["zaigoni"], bucket, 7)  # a crawler that follows links
    assert sum(counter.entries["zaigoni"].seen.recent.values()) == 1  # of yesterday is past what is not recent
    assert 0.9 < sum(counter.entries["zaigoni"].seen.past) <= 1
    for number in range(MIN_COUNT):
        counter.add(f"labubu {number}", ["labubu"], 3 * DAY, number)
    assert offered(counter, bucket=3 * DAY) == ["labubu"]


def test_without_names_every_query_counts() -> None:
    counter = TrendCounter()
    for bucket in range(1, DAY):
        feed(counter, "other", bucket, 0, 100)
    for number in range(MIN_COUNT):
        counter.add(f"labubu {number}", ["labubu"], DAY)
    assert offered(counter, bucket=DAY) == ["labubu"]


def test_a_word_that_stays_becomes_its_own_past() -> None:
    counter, days = TrendCounter(), []
    for day in range(1, 8):
        for hour in range(DAY):
            feed(counter, "labubu", day * DAY + hour, 5 if day > 1 else 0, 100)
        days.append(offered(counter, bucket=day * DAY + DAY - 1))
    assert days == [[], ["labubu"], [], [], [], [], []]


def test_a_replica_whose_clock_is_far_ahead_spoils_nothing() -> None:
    good, ahead = TrendCounter(), TrendCounter()
    for bucket in range(1, DAY):
        feed(good, "other", bucket, 0, 100)
    feed(good, "labubu", DAY, MIN_COUNT, 100)
    feed(ahead, "labubu", 10**9, 1, 10)
    assert offered(good, ahead, bucket=DAY) == ["labubu"]


@pytest.mark.parametrize(("count", "distinct"), [(MIN_COUNT - 1, 10), (500, 3)])
def test_few_queries_or_one_query_again_and_again_offer_nothing(count: int, distinct: int) -> None:
    counter = TrendCounter()
    for bucket in range(1, DAY):
        feed(counter, "other", bucket, 0, 100)
    feed(counter, "labubu", DAY, count, 1000, distinct)
    assert offered(counter, bucket=DAY) == []


def test_without_a_past_nothing_can_stand_out() -> None:
    counter = TrendCounter()
    feed(counter, "labubu", 5, 500, 1000)
    assert offered(counter, bucket=5) == []


def test_what_the_counter_may_have_forgotten_counts_as_past() -> None:
    counter = TrendCounter(1)
    for bucket in range(1, DAY):
        feed(counter, "steady", bucket, 50, 100)
    feed(counter, "labubu", DAY, 25, 100)  # displaces, and inherits what may have been its own past
    assert counter.entries["labubu"].error > 1000
    assert offered(counter, bucket=DAY) == []


def test_replicas_that_each_saw_too_little_find_a_word_together() -> None:
    one, two = TrendCounter(), TrendCounter()
    for counter in (one, two):
        for bucket in range(1, DAY):
            feed(counter, "other", bucket, 0, 50)
        feed(counter, "labubu", DAY, MIN_COUNT // 2, 50)
    assert offered(one, bucket=DAY) == offered(two, bucket=DAY) == []
    assert offered(one, two, bucket=DAY) == ["labubu"]


def test_merging_is_counting_in_one_place() -> None:
    one, two, both = TrendCounter(), TrendCounter(), TrendCounter()
    for bucket in range(1, 3 * DAY):
        for counter in (one, both):
            feed(counter, "labubu", bucket, bucket % 7, 20)
        if bucket < 2 * DAY:  # the second falls silent: its counts decay where they are merged
            for counter in (two, both):
                feed(counter, "labubu", bucket, bucket % 5, 30)
    merged = merge([c for c in (read_counts(counter.document()) for counter in (one, two)) if c], 3 * DAY - 1)
    expected = both.entries["labubu"].seen
    assert merged.words["labubu"].seen.recent == expected.recent
    assert merged.words["labubu"].seen.past == pytest.approx(expected.past, abs=0.01)
    assert merged.total.past == pytest.approx(both.total.past, abs=0.01)
    assert min(merged.total.recent) > 3 * DAY - 1 - RECENT


def _with(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**deepcopy(document), **changes}


def test_what_slotbeam_did_not_write_is_left_out() -> None:
    counter = TrendCounter()
    counter.add("red labubu", ["labubu"], 5)
    good = counter.document()
    assert read_counts(good) is not None
    hours = [0] * DAY
    tally = {"recent": {"5": -1}, "past": hours}
    bad: list[Any] = [None, [], "x", {}, _with(good, format=1), _with(good, bucket="x"), _with(good, words=[])]
    bad += [_with(good, total=tally), _with(good, total={"recent": [], "past": 0}), _with(good, words={"x": {}})]
    pasts: list[Any] = [0, hours[1:], [math.nan, *hours[1:]], [math.inf, *hours[1:]]]
    bad += [_with(good, total={"recent": {}, "past": past}) for past in pasts]
    assert read_counts(_with(good, total={"recent": {}, "past": hours})) is not None
    assert [read_counts(document) for document in bad] == [None] * len(bad)
