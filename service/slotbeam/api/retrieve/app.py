"""The data plane: `/retrieve`, `/retrieve:batch`, events, probes. No request ever waits for the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from starlette.middleware import Middleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES

from slotbeam.api.http.app import plane_app
from slotbeam.api.http.bodies import TEXT
from slotbeam.api.http.integrity import Integrity
from slotbeam.api.http.packing import Packed
from slotbeam.api.http.probes import probes
from slotbeam.api.http.vitals import Vitals, following_metrics, item_metrics
from slotbeam.api.page.searching import search_routes
from slotbeam.api.retrieve.admission import Admission
from slotbeam.api.retrieve.cors import PublicCors
from slotbeam.api.retrieve.events import EventCounter, events_route
from slotbeam.api.retrieve.following import data_replica, following
from slotbeam.api.retrieve.metrics import Metrics
from slotbeam.api.retrieve.plane import DataPlane, Search
from slotbeam.api.retrieve.requestid import RequestIds, events_key
from slotbeam.api.retrieve.routes import query_routes
from slotbeam.api.retrieve.schemas import BatchBody, EventsBody, RetrieveBody
from slotbeam.bindings.replica.pace import Pace
from slotbeam.items.replica.indexes import load_index
from slotbeam.items.replica.replica import LiveReplica
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from slotbeam.suggestions.reporting import TrendReporter

STABLE = "/v1"
"""Before the paths that a shop's own programs ask: what is answered there stays as it is. Probes are for operators, who
may close their paths to others, so they have no second one."""
GZIP = Middleware(
    Packed,
    minimum_size=1024,
    compresslevel=1,
    exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, TEXT),  # metrics: they are asked for on the same machine
)
"""Level 1: docs/log.md has what each level costs and saves."""


def create_data_app(
    settings: Settings,
    artifact: Artifact | None = None,
    holder: Holder | None = None,
    *,
    pace: Pace = Pace(),
    search: Search = retrieve,
    process: int = 1,
) -> FastAPI:
    """Build the data plane.

    Args:
        settings: `redis_url` set: the lifespan follows that store's bindings; unset: it serves what `holder` holds.
        artifact: to serve; None loads `settings.artifact`, or the index that took its place.
        holder: of the snapshot to serve; None makes one without bindings.
        pace: how often its replica does what.
        search: what answers a query, called in a worker thread.
        process: which of the processes behind one port this is.

    Raises:
        ArtifactError: the artifact cannot be loaded.
        SetupError: `settings.events_key` is too short; the store's URL or its CA cannot be used.
    """
    artifact = artifact or (holder.current.artifact if holder else load_index(settings))
    holder = holder or Holder(Snapshot(artifact))
    admission = Admission(settings.workers, settings.queue, settings.queue_ms / 1000)
    plane = DataPlane(settings, holder, Metrics(holder), admission, RequestIds(events_key(settings)), search)
    replica = data_replica(settings, holder, pace, process)
    plane.trends = trends = TrendReporter(activity=plane.metrics.bindings.document) if replica else None
    plane.metrics.queue_depth.set_function(lambda: plane.admission.depth)
    plane.metrics.watch(lambda: [*snapshot_gauges(holder.current), *(_followed(replica) if replica else ())])
    integrity = Integrity(holder)
    restarts = replica.restarts if replica else dict[str, int]
    Vitals(plane.metrics.registry, "data", holder, settings.data_dir, integrity, restarts)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as entered:
            await entered.enter_async_context(integrity.checking())
            if replica and trends:
                await entered.enter_async_context(following(replica, trends, plane.metrics))
            yield
        plane.admission.close()

    public = APIRouter()
    public.include_router(query_routes(plane))
    clicked = trends.note_click if trends else lambda mark: None
    public.include_router(events_route(holder, EventCounter(plane.ids, plane.metrics, clicked), settings.body_limit))
    paths = {prefix + one.path for one in iter_route_contexts(public.routes) if one.path for prefix in ("", STABLE)}
    app = plane_app(
        "slotbeam data plane",
        lifespan,
        (RetrieveBody, BatchBody, EventsBody),
        around=[Middleware(PublicCors, origins=settings.origins, paths=paths)] if settings.origins else [],
        inside=[GZIP],
    )
    app.state.plane = plane
    app.state.ready = ready = lambda: replica is None or replica.is_ready
    app.state.whole = lambda: replica is None or replica.is_whole()
    app.include_router(probes(holder, ready, plane.metrics))
    if settings.search_page:
        app.include_router(search_routes(holder.current.artifact.name, holder.current.artifact.examples))
    app.include_router(public)
    app.include_router(public, prefix=STABLE, include_in_schema=False)
    return app


def snapshot_gauges(snapshot: Snapshot) -> list[Metric]:
    """Return what the snapshot says of its slots and its revision."""
    slots = GaugeMetricFamily("slotbeam_slots", "Reserved slots.", labels=["position", "state"])
    codebook = snapshot.artifact.kae.codebook
    bound = Counter(pinned.slot.position for pinned in snapshot.overlay.pinned)
    held = Counter(one.slot.position for one in snapshot.overlay.pinned if not codebook.is_overflow(one.slot))
    for position, count in enumerate(codebook.reserved_counts):
        slots.add_metric([str(position), "active"], bound[position])
        slots.add_metric([str(position), "free"], count - held[position])
    revision = GaugeMetricFamily("slotbeam_bindings_applied_revision", "Revision that answers carry.")
    revision.add_metric([], snapshot.revision)
    return [slots, revision]


def _followed(replica: LiveReplica) -> list[Metric]:
    return [*following_metrics(replica.watcher.facts), *item_metrics(replica.items.facts)]
