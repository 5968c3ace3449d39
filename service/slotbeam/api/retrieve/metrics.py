"""Metrics of the data plane: Prometheus names, base units, bounded labels (never a query or a word)."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from slotbeam.api.retrieve.activity import EVENTS, Activity, EventResult
from slotbeam.search.snapshot import Holder
from slotbeam.search.unknown import Understood, WordResult
from slotbeam.types import QueryStage, Timings

RANKS = (10, 100, 350, 1000)
"""Upper bounds of the ranks that events are counted by; the last is the largest k."""
NO_RANK = "unknown"
"""The label of events that name no rank, and of those that are refused."""
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ITEMS = (0, 1, 10, 50, 100, 200, 350, 500, 1000)


class QueryOutcome(StrEnum):
    """What became of a query: an answer, or why there was none.

    `unchanged`: its client has the answer; `late`: no worker in time; `gone`: its client left.
    """

    OK = "ok"
    UNCHANGED = "unchanged"
    INVALID = "invalid"
    OVERLOADED = "overloaded"
    LATE = "late"
    GONE = "gone"
    ERROR = "error"


class Metrics:
    """Everything one data plane counts, in a registry of its own (several apps may live in one process).

    Args:
        holder: of the snapshot whose bindings are counted.
    """

    def __init__(self, holder: Holder) -> None:
        self.registry = registry = CollectorRegistry()
        self.bindings = Activity(holder)
        registry.register(self.bindings)
        self.requests = Counter("slotbeam_retrieve_requests", "Queries by outcome.", ["outcome"], registry=registry)
        self.duration = Histogram(
            "slotbeam_retrieve_duration_seconds", "Seconds by stage.", ["stage"], buckets=_SECONDS, registry=registry
        )
        self.items = Histogram("slotbeam_retrieve_items", "Items in an answer.", buckets=_ITEMS, registry=registry)
        self.queue_depth = Gauge("slotbeam_queue_depth", "Queries admitted and not answered yet.", registry=registry)
        self.events = Counter(
            "slotbeam_events",
            "Events by the bound of their rank and what became of them.",
            ["k", "result"],
            registry=registry,
        )
        self.words = Counter(
            "slotbeam_query_words", "Query words that were known, unknown or bound.", ["result"], registry=registry
        )
        self.understood = Counter(
            "slotbeam_queries_understood",
            "Queries by how many of their words were known.",
            ["understood"],
            registry=registry,
        )
        self.zero_answers = Counter(
            "slotbeam_retrieve_zero_answers", "Queries that were answered with no items.", registry=registry
        )
        self.reload = Histogram(
            "slotbeam_bindings_reload_duration_seconds",
            "Seconds from a listing to the swap.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.propagation = Histogram(
            "slotbeam_bindings_propagation_seconds",
            "Seconds from a commit to the swap here.",
            buckets=_SECONDS,
            registry=registry,
        )
        for outcome in QueryOutcome:
            self.requests.labels(outcome)
        for stage in (*QueryStage, "total"):
            self.duration.labels(stage)
        for result in WordResult:
            self.words.labels(result)
        for how in Understood:
            self.understood.labels(how)
        for bound in (*map(str, RANKS), NO_RANK):
            for became in (*EVENTS, EventResult.REPEATED, EventResult.UNKNOWN_ITEM):
                self.events.labels(bound, became)
        self.events.labels(NO_RANK, EventResult.REFUSED)

    def watch(self, gauges: Callable[[], list[Metric]]) -> None:
        """Read `gauges` at each scrape: facts that the snapshot and the watcher hold already."""
        self.registry.register(_Reader(gauges))

    def record(self, timings: Timings, items: int, total_s: float) -> None:
        """Count one answer."""
        self.requests.labels(QueryOutcome.OK).inc()
        self.items.observe(items)
        if not items:
            self.zero_answers.inc()
        self.duration.labels("total").observe(total_s)
        for stage, seconds in timings.stages.items():
            self.duration.labels(stage).observe(seconds)

    def render(self) -> bytes:
        """Return the text exposition format."""
        return generate_latest(self.registry)


class _Reader(Collector):
    def __init__(self, gauges: Callable[[], list[Metric]]) -> None:
        self._gauges = gauges

    def collect(self) -> list[Metric]:
        return self._gauges()
