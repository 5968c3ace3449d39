"""The control plane's application."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.middleware import Middleware

from slotbeam.access.audit import Audit
from slotbeam.api.admin.forms import AcceptForm, BindForm, PatchForm, PatchRuleForm, RowForm, RuleForm
from slotbeam.api.admin.models.items import BatchForm, ItemForm, ItemPatch
from slotbeam.api.admin.places import all_places
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.admin.routes import admin_routes
from slotbeam.api.http.app import plane_app
from slotbeam.api.http.probes import probes
from slotbeam.api.http.vitals import Vitals, following_metrics, item_metrics
from slotbeam.api.page.app import page_routes
from slotbeam.bindings.binding import Lifecycle
from slotbeam.bindings.replica.pace import Pace
from slotbeam.items.replica.indexes import load_index
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings


def create_admin_app(
    settings: Settings,
    artifact: Artifact | None = None,
    *,
    clock: Callable[[], float] = time.time,
    pace: Pace = Pace(),
) -> FastAPI:
    """Build the control plane: a full read replica that also writes.

    Args:
        settings: `redis_url`, else the store in `data_dir`; `admin_token`, else `data_dir/admin.token`.
        artifact: to preview with; None loads `settings.artifact`, or the index that took its place.
        clock: unix seconds.
        pace: how often its replica does what.

    Raises:
        ArtifactError: the artifact cannot be loaded.
        SetupError: the admin token cannot be used.
    """
    artifact = artifact or load_index(settings)
    holder = Holder(Snapshot(artifact))
    plane = AdminPlane(settings, holder, clock, pace)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with plane.running():
            yield

    app = plane_app(
        "slotbeam control plane",
        lifespan,
        (BindForm, PatchForm, RuleForm, PatchRuleForm, AcceptForm, RowForm, BatchForm, ItemForm, ItemPatch),
        secured="/admin",
        around=[Middleware(Audit, trail=plane.trail, clock=clock)],  # what the guard refuses is an attempt, too
    )
    app.state.plane = plane
    app.state.ready = ready = lambda: plane.replica.is_ready
    app.include_router(probes(holder, ready, AdminMetrics(plane)))
    # A router of routers that is included without a prefix has all its routes built once more, to be looked at.
    app.include_router(admin_routes(plane), prefix="/admin")
    for views in page_routes(plane):
        app.include_router(views)
    return app


class AdminMetrics(Collector):
    """What the control plane knows at each scrape."""

    def __init__(self, plane: AdminPlane) -> None:
        self.plane = plane
        self.registry = CollectorRegistry()
        self.registry.register(self)
        Vitals(self.registry, "control", plane.holder, plane.settings.data_dir, plane.integrity, plane.restarts)

    def render(self) -> bytes:
        """Return the text exposition format."""
        return generate_latest(self.registry)

    def collect(self) -> list[Metric]:
        plane = self.plane
        slots = GaugeMetricFamily("slotbeam_slots", "Reserved slots.", labels=["position", "state"])
        revision = GaugeMetricFamily("slotbeam_bindings_applied_revision", "Revision that previews read.")
        attempts = CounterMetricFamily("slotbeam_admin_attempts", "Admin requests by outcome.", labels=["outcome"])
        for outcome, count in plane.trail.counts.items():
            attempts.add_metric([outcome], count)
        unwritten = CounterMetricFamily(
            "slotbeam_admin_audit_failures", "Attempts that the audit could not keep.", value=plane.trail.failures
        )
        facts = plane.watcher.facts
        revision.add_metric([], facts.revision)
        codebook, now = plane.artifact.kae.codebook, plane.now_ms()
        counts: Counter[tuple[str, str]] = Counter()
        for place in all_places(codebook, plane.watcher.listing):
            at = place.position(codebook)
            counts["" if at is None else str(at), place.state(facts.failed, now)] += 1
        for position in range(len(codebook.sizes)):
            counts[str(position), Lifecycle.FREE] += 0  # a position without a free slot says so
        for labels, count in sorted(counts.items()):
            slots.add_metric(list(labels), count)
        followed = [*following_metrics(facts), *item_metrics(plane.follower.facts)]
        limit = GaugeMetricFamily(
            "slotbeam_items_limit", "Items that may differ from the index.", value=plane.settings.delta_limit
        )
        return [slots, revision, *followed, limit, attempts, unwritten]
