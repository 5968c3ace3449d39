"""Counts that belong to bindings: they begin and end with them, and there are only so many."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread

import numpy as np
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from slotbeam.api.retrieve.activity import HALF_LIFE_S, SHOWN, Activity
from slotbeam.search.snapshot import Holder, Overlay, Pinned, Placement, Snapshot
from slotbeam.trie.build import build_trie
from slotbeam.types import Slot


class Shop:
    """A snapshot of any number of bindings, and what is counted of them."""

    def __init__(self, base: Snapshot) -> None:
        self.holder, self.now = Holder(base), 0.0
        self.trie = build_trie(np.zeros((0, 2), np.int64))

    def hold(self, *ids: str) -> None:
        none = np.zeros(0, np.int64)
        pinned = tuple(
            Pinned(key, Slot(1, place), (key,), Placement.TOP, self.trie, none, none, (), None)
            for place, key in enumerate(ids, 100)
        )
        self.holder.current = replace(self.holder.current, overlay=Overlay(pinned))

    def counting(self, shown: int = SHOWN) -> Activity:
        return Activity(self.holder, shown, lambda: self.now)


@pytest.fixture
def counted(bound_shop: Snapshot) -> Shop:
    return Shop(bound_shop)


def samples(activity: Activity, name: str) -> dict[tuple[str, ...], float]:
    """Label values → value, as a scrape reads them."""
    registry = CollectorRegistry()
    registry.register(activity)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    found = (sample for family in families for sample in family.samples if sample.name == f"slotbeam_{name}")
    return {tuple(value for _, value in sorted(sample.labels.items())): sample.value for sample in found}


def test_a_live_binding_is_counted_from_0_before_anything_triggers_it(counted: Shop) -> None:
    counted.hold("b_a", "b_b")
    activity = counted.counting()
    assert samples(activity, "binding_activations_total") == {("b_a",): 0, ("b_b",): 0}
    assert samples(activity, "binding_info") == {("b_a", "1-100"): 1, ("b_b", "1-101"): 1}
    assert set(samples(activity, "binding_hits_total")) == {(b, e) for b in ("b_a", "b_b") for e in ("click", "order")}
    assert samples(activity, "hits_total") == {("click",): 0, ("order",): 0}


def test_what_is_left_in_the_store_tells_of_live_bindings_that_were_triggered(counted: Shop) -> None:
    counted.hold("b_a", "b_b", "b_c")
    activity = counted.counting()
    activity.activated(["b_a", "b_b"])
    activity.activated(["b_a"])
    activity.hit("b_a", "click")
    assert activity.document() == {"b_a": [2, 1, 0], "b_b": [1, 0, 0]}
    counted.hold("b_b", "b_c")
    assert activity.document() == {"b_b": [1, 0, 0]}


def test_series_end_with_their_binding_and_the_totals_go_on(counted: Shop) -> None:
    counted.hold("b_a", "b_b")
    activity = counted.counting()
    activity.activated(["b_a", "b_b"])
    activity.hit("b_a", "order")
    counted.hold("b_b")
    for name in ("binding_activations_total", "binding_hits_total", "binding_info"):
        assert {labels[0] for labels in samples(activity, name)} == {"b_b"}
    activity.activated(["b_a"])  # a query that began before the swap
    assert samples(activity, "binding_activations_total") == {("b_b",): 1}
    assert samples(activity, "activations_total") == {(): 3}
    assert samples(activity, "hits_total") == {("click",): 0, ("order",): 1}


def test_a_binding_that_comes_back_begins_at_0(counted: Shop) -> None:
    counted.hold("b_a")
    activity = counted.counting()
    activity.activated(["b_a"])
    counted.hold("b_b")
    activity.activated(["b_b"])  # no scrape saw it gone
    counted.hold("b_a", "b_b")
    assert samples(activity, "binding_activations_total") == {("b_a",): 0, ("b_b",): 1}


def test_series_are_of_the_most_active_and_bounded_in_number(counted: Shop) -> None:
    ids = [f"b_{n}" for n in range(SHOWN + 100)]
    counted.hold(*ids)
    activity = counted.counting()
    for turn in range(3):
        activity.activated(ids[100 - turn :])
    shown = samples(activity, "binding_activations_total")
    assert len(shown) == SHOWN
    assert set(shown) == {(key,) for key in ids[100:]}
    assert set(shown.values()) == {3.0}
    assert {key for key, _ in samples(activity, "binding_info")} == {key for (key,) in shown}
    assert {key for key, _ in samples(activity, "binding_hits_total")} == {key for (key,) in shown}
    assert samples(activity, "activations_total") == {(): 3 * SHOWN + 3}


def test_what_is_remembered_between_scrapes_is_bounded_by_the_live_bindings(counted: Shop) -> None:
    activity = counted.counting()
    for n in range(1000):
        counted.hold(f"b_{n}")
        activity.activated([f"b_{n}"])
        activity.hit(f"b_{n}", "click")
    assert len(activity._counts) == 1


def test_a_word_of_today_goes_before_one_that_was_searched_more_often_last_month(counted: Shop) -> None:
    counted.hold("b_old", "b_new")
    activity = counted.counting(shown=1)
    for _ in range(1000):
        activity.activated(["b_old"])
    assert samples(activity, "binding_activations_total") == {("b_old",): 1000}
    for _ in range(30):  # days; a weight of each half-life would not fit a float for two months
        counted.now += 24 * HALF_LIFE_S
        activity.activated(["b_new"])
        assert samples(activity, "binding_activations_total") != {("b_old",): 1000}
    assert samples(activity, "binding_activations_total") == {("b_new",): 30}
    counted.now += 10_000 * HALF_LIFE_S
    for _ in range(2):
        activity.activated(["b_old"])
    assert samples(activity, "binding_activations_total") == {("b_old",): 1002}


def test_threads_count_every_activation(counted: Shop) -> None:
    counted.hold("b_a")
    activity = counted.counting()

    def count() -> None:
        for _ in range(2000):
            activity.activated(["b_a"])

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        samples(activity, "activations_total")
    assert samples(activity, "binding_activations_total") == {("b_a",): 8000}
