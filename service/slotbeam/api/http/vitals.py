"""What both planes say of themselves at each scrape: process, build, state of the bindings, restarts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from slotbeam import __version__
from slotbeam.api.http.integrity import Integrity
from slotbeam.bindings.replica.status import REASONS, STATES, Facts
from slotbeam.embedded.record import restarts_of_up
from slotbeam.items.replica.status import ItemFacts
from slotbeam.search.snapshot import Holder


class Vitals(Collector):
    """Build, state of the bindings and restarts of one plane; registers the collectors of its process, too.

    Args:
        registry: of the plane.
        plane: `data` or `control`.
        holder: of the snapshot that it serves.
        data_dir: where an `up` above this process leaves its record.
        integrity: what is known of the artifact's files.
        tasks: background task → how often it was started again.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        plane: str,
        holder: Holder,
        data_dir: Path,
        integrity: Integrity,
        tasks: Callable[[], Mapping[str, int]],
    ) -> None:
        self._plane, self._holder, self._data_dir, self._tasks = plane, holder, data_dir, tasks
        self._integrity = integrity
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        registry.register(self)

    def collect(self) -> list[Metric]:
        snapshot = self._holder.current
        build = GaugeMetricFamily(
            "slotbeam_build_info", "What runs here.", labels=["plane", "version", "model", "codebook"]
        )
        artifact = snapshot.artifact
        build.add_metric([self._plane, __version__, artifact.name, artifact.codebook_sha[:12]], 1)
        state = GaugeMetricFamily("slotbeam_bindings_state", "1 for the state that bindings are in.", labels=["state"])
        for name in STATES:
            state.add_metric([name], float(name == snapshot.state))
        restarts = CounterMetricFamily("slotbeam_restarts", "Restarts of what ended by itself.", labels=["part"])
        for part, count in {**restarts_of_up(self._data_dir), **self._tasks(), **self._integrity.restarts()}.items():
            restarts.add_metric([part], count)
        intact = GaugeMetricFamily(
            "slotbeam_artifact_intact",
            "0 once a file of the artifact was found to differ from its manifest.",
            value=float(not self._integrity.damaged),
        )
        return [build, state, restarts, intact]


def item_metrics(facts: ItemFacts) -> list[Metric]:
    """Tell what a plane knows of its items."""
    seq = GaugeMetricFamily("slotbeam_items_applied_seq", "Last edit of an item that answers carry.", value=facts.seq)
    edited = GaugeMetricFamily("slotbeam_items_edited", "Items that differ from the index.", value=facts.delta)
    failed = GaugeMetricFamily("slotbeam_items_failed", "Edits that could not be served.", value=len(facts.failed))
    lag = GaugeMetricFamily("slotbeam_items_lag_seconds", "Seconds since the store last confirmed what is served.")
    if facts.staleness_s is not None:
        lag.add_metric([], facts.staleness_s)
    state = GaugeMetricFamily("slotbeam_items_state", "1 for the state that items are in.", labels=["state"])
    for name in STATES:
        state.add_metric([name], float(name == facts.state))
    failures = CounterMetricFamily("slotbeam_items_reload_failures", "Reads that failed.", labels=["reason"])
    for reason, count in {**dict.fromkeys(REASONS, 0), **facts.reload_failures}.items():
        failures.add_metric([reason], count)
    switch = GaugeMetricFamily("slotbeam_index_switch", "Newest switch of the index served here.", value=facts.switch)
    refused = GaugeMetricFamily(
        "slotbeam_index_refused",
        "1 while the active index cannot be served here.",
        value=float(bool(facts.index_error)),
    )
    return [seq, edited, failed, lag, state, failures, switch, refused]


def following_metrics(facts: Facts) -> list[Metric]:
    """Tell what a plane's watcher knows: every reason of a failure from 0 on, or its first would go unnoticed."""
    staleness = GaugeMetricFamily(
        "slotbeam_bindings_staleness_seconds", "Seconds since the store last confirmed what is served."
    )
    if facts.staleness_s is not None:
        staleness.add_metric([], facts.staleness_s)
    failures = CounterMetricFamily("slotbeam_bindings_reload_failures", "Reloads that failed.", labels=["reason"])
    for reason, count in {**dict.fromkeys(REASONS, 0), **facts.reload_failures}.items():
        failures.add_metric([reason], count)
    cut = GaugeMetricFamily(
        "slotbeam_bindings_cut", "Bindings that more items match than they may have.", value=len(facts.cut)
    )
    return [staleness, failures, cut]
