"""What is counted of each binding: the queries that triggered it, and those whose user took one of its items."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nlargest

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from slotbeam.search.snapshot import Holder

SHOWN = 500
"""Bindings with series of their own at most."""
HALF_LIFE_S = 3600.0
"""Of an activation, where the most active bindings are chosen: a word of today goes before one of last month."""
_RESCALE_AT = 500.0
"""Half-lives after which weights begin at 1 again: a float holds 2 to the power of 1023."""


class EventResult(StrEnum):
    """What became of an event: counted as what it is, or not counted."""

    VIEW = "view"
    CLICK = "click"
    CART = "cart"
    ORDER = "order"
    REPEATED = "repeated"
    UNKNOWN_ITEM = "unknown_item"
    REFUSED = "refused"


EVENTS = (EventResult.VIEW, EventResult.CLICK, EventResult.CART, EventResult.ORDER)
"""What is reported of an item; the other results are what came in between."""
HITS = (EventResult.CLICK, EventResult.ORDER)
"""Those of `EVENTS` that a binding is hit by."""


@dataclass(slots=True)
class _Counts:
    activations: int = 0
    hits: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HITS, 0))
    weight: float = 0.0


class Activity(Collector):
    """Counts by binding, and in all. Threads may count while others read.

    A binding's series are there while the current snapshot holds it, from 0 on, triggered or not; whatever its slot
    holds next begins at 0 under its own id. With more than `shown` bindings the less active have no series; the two
    totals count every binding, and go on when one ends.

    Args:
        holder: of the snapshot that says which bindings are live.
        shown: bindings with series of their own at most.
        clock: seconds, never backwards.
    """

    def __init__(self, holder: Holder, shown: int = SHOWN, clock: Callable[[], float] = time.monotonic) -> None:
        self._holder, self._shown, self._clock = holder, shown, clock
        self._began = clock()
        self._lock = threading.Lock()
        self._counts: dict[str, _Counts] = {}
        self._in_all = _Counts()

    def activated(self, ids: Iterable[str]) -> None:
        """Count a query that triggered these bindings."""
        with self._lock:
            worth = self._worth()
            for binding in ids:
                for counts in self._of(binding):
                    counts.activations += 1
                    counts.weight += worth

    def hit(self, binding: str, event: str) -> None:
        """Count that a user took an item of a binding that the query had triggered; `event` is one of `HITS`."""
        with self._lock:
            for counts in self._of(binding):
                counts.hits[event] += 1

    def collect(self) -> list[Metric]:
        activations = CounterMetricFamily(
            "slotbeam_binding_activations", "Queries that triggered a live binding.", labels=["binding"]
        )
        hits = CounterMetricFamily(
            "slotbeam_binding_hits",
            "Queries whose user took an item of a live binding they triggered.",
            labels=["binding", "event"],
        )
        info = GaugeMetricFamily("slotbeam_binding_info", "Where a live binding is.", labels=["binding", "slot"])
        total = CounterMetricFamily("slotbeam_activations", "Bindings triggered by queries, gone ones too.")
        total_hits = CounterMetricFamily("slotbeam_hits", "Hits of bindings, gone ones too.", labels=["event"])
        with self._lock:
            slots = self._forget()
            for binding in nlargest(self._shown, slots, key=lambda binding: self._known(binding).weight):
                counts = self._known(binding)
                info.add_metric([binding, slots[binding]], 1)
                activations.add_metric([binding], counts.activations)
                for event, count in counts.hits.items():
                    hits.add_metric([binding, event], count)
            total.add_metric([], self._in_all.activations)
            for event, count in self._in_all.hits.items():
                total_hits.add_metric([event], count)
        return [activations, hits, info, total, total_hits]

    def document(self) -> dict[str, list[int]]:
        """Return of live bindings that were triggered, the most active ones: queries, clicks, orders (as hits)."""
        with self._lock:
            live = self._forget()
            most = nlargest(self._shown, self._counts.keys() & live, key=lambda binding: self._counts[binding].weight)
            found = ((binding, self._counts[binding]) for binding in most)
            return {binding: [one.activations, *(one.hits[event] for event in HITS)] for binding, one in found}

    def _of(self, binding: str) -> tuple[_Counts, ...]:
        """Return what to count in: the total and, while the binding is live, its own."""
        if binding not in self._counts:
            if binding not in self._forget():  # a request that began before the swap
                return (self._in_all,)
            self._counts[binding] = _Counts()
        return self._in_all, self._counts[binding]

    def _known(self, binding: str) -> _Counts:
        return self._counts.get(binding) or _NONE

    def _forget(self) -> dict[str, str]:
        """Drop what is counted of bindings that are gone. Returns the live ones: id → slot."""
        live = {pinned.id: str(pinned.slot) for pinned in self._holder.current.overlay.pinned}
        for gone in self._counts.keys() - live.keys():
            del self._counts[gone]
        return live

    def _worth(self) -> float:
        """Return what an activation weighs now: twice what one did a half-life ago, instead of halving the others."""
        age = (self._clock() - self._began) / HALF_LIFE_S
        if age > _RESCALE_AT:
            for counts in self._counts.values():
                counts.weight *= 2.0**-age
            self._began, age = self._clock(), 0.0
        return float(2.0**age)


_NONE = _Counts()
