"""The data plane: `/retrieve`, `/retrieve:batch`, events, probes. No request ever waits for the store."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.http.app import plane_app
from slotbeam.api.http.bodies import json_response, read_model
from slotbeam.api.http.integrity import Integrity
from slotbeam.api.http.openapi import answers, asks
from slotbeam.api.http.probes import probes
from slotbeam.api.http.vitals import Vitals, following_metrics, item_metrics
from slotbeam.api.page.searching import search_routes
from slotbeam.api.retrieve.address import CACHE_CONTROL, AddressQuery, address_route, is_known, tag_of
from slotbeam.api.retrieve.admission import Admission
from slotbeam.api.retrieve.answers import document
from slotbeam.api.retrieve.events import EventCounter, events_route
from slotbeam.api.retrieve.following import data_replica, following
from slotbeam.api.retrieve.metrics import Metrics, QueryOutcome
from slotbeam.api.retrieve.models import BatchAnswer, RetrieveAnswer
from slotbeam.api.retrieve.outcomes import counted
from slotbeam.api.retrieve.requestid import RequestIds, events_key
from slotbeam.api.retrieve.schemas import BatchBody, EventsBody, RetrieveBody
from slotbeam.bindings.replica.pace import Pace
from slotbeam.errors import FieldError
from slotbeam.items.replica.indexes import load_index
from slotbeam.items.replica.replica import LiveReplica
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import Answer, SearchRequest
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.search.unknown import WordResult, split_words, understood, words_that
from slotbeam.settings import Settings
from slotbeam.suggestions.reporting import TrendReporter
from slotbeam.types import QueryStage, Timings

Search = Callable[[Snapshot, SearchRequest, Timings], Answer]
ASKER = 128
"""Characters of `X-Asker` that are looked at."""


@dataclass(slots=True)
class DataPlane:
    """What the requests of one data plane share; `app.state.plane`."""

    settings: Settings
    holder: Holder
    metrics: Metrics
    admission: Admission
    ids: RequestIds
    search: Search
    trends: TrendReporter | None = None

    async def answer(
        self, http: Request, bodies: list[RetrieveBody], batch: bool = False
    ) -> tuple[Snapshot, list[tuple[dict[str, object], Timings]]]:
        """Answer every query on one snapshot, read here and nowhere else.

        Args:
            http: the request that `bodies` came in, read to its end.
            batch: whether they came as a list: an error says in which one it is.

        Returns:
            The snapshot, and for each query its document and the seconds of its stages.

        Raises:
            Overloaded, QueueTimeout, ClientGone: as `Admission.run`. Anything `search` raises.
        """

        async def left() -> None:
            while (await http.receive())["type"] != "http.disconnect":
                pass

        snapshot = self.holder.current
        asker = asker_of(http)
        jobs = [self._job(snapshot, body, f"queries.{i}" if batch else "", *asker) for i, body in enumerate(bodies)]
        return snapshot, await self.admission.run(jobs, left)

    def _job(
        self, snapshot: Snapshot, body: RetrieveBody, place: str, named: str, caller: str
    ) -> Callable[[float], tuple[dict[str, object], Timings]]:
        def job(waited_s: float) -> tuple[dict[str, object], Timings]:
            started = time.perf_counter()
            timings = Timings()
            try:
                cursor = body.read_cursor()
                request = body.request(self.settings.beam_width, self.settings.max_bindings_per_query, cursor)
                answer = self.search(snapshot, request, timings)
            except FieldError as error:
                raise error.inside(place) if place else error from None
            timings.add(QueryStage.QUEUE, waited_s)
            self.metrics.record(timings, len(answer.hits), waited_s + time.perf_counter() - started)
            applied_ids = [applied.id for applied in answer.applied]
            self.metrics.bindings.activated(applied_ids)
            # Counted is what was typed, whatever it was taken for.
            reading, typed, words = answer.reading, answer.encoded, answer.words.words
            if reading.corrected:
                typed = snapshot.artifact.kae.encode(reading.shape.text)
                words = split_words(typed, [reading.uncorrected(each.match) for each in reading.bound])
            for word in words:
                self.metrics.words.labels(word.result).inc()
            self.metrics.understood.labels(understood(words)).inc()
            mark = self.ids.mark_of_query(reading.typed)
            if self.trends is not None and not (cursor and cursor.shown.items):  # a further page is no query more
                self.trends.note(typed.text, words_that(words, WordResult.UNKNOWN), named)
                if len(answer.hits):
                    self.trends.note_answered(mark, reading.typed, caller)
                else:
                    self.trends.note_unanswered(reading.typed, caller)
            return document(self.ids.issue(request.k, applied_ids, mark), snapshot, answer, cursor), timings

        return job


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
    examples = [{"query": query, "k": 10} for query in artifact.examples]
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

    app = plane_app("slotbeam data plane", lifespan, (RetrieveBody, BatchBody, EventsBody))
    app.state.plane = plane
    app.state.ready = ready = lambda: replica is None or replica.is_ready
    app.state.whole = lambda: replica is None or replica.is_whole()
    app.include_router(probes(holder, ready, plane.metrics))
    if settings.search_page:
        app.include_router(search_routes(holder.current.artifact.name, holder.current.artifact.examples))
    clicked = trends.note_click if trends else lambda mark: None
    app.include_router(events_route(holder, EventCounter(plane.ids, plane.metrics, clicked), settings.body_limit))

    @app.post(
        "/retrieve",
        summary="Retrieve items for one query",
        responses=answers(200, model=RetrieveAnswer),
        openapi_extra=asks(body=RetrieveBody, example=examples[0] if examples else None),
    )
    async def retrieve_one(request: Request) -> Response:
        async def answering() -> Response:
            body = await read_model(request, RetrieveBody, settings.body_limit)
            snapshot, [(answer, timings)] = await plane.answer(request, [body])
            return json_response(answer, headers=_headers(snapshot, timings))

        return await counted(plane.metrics, answering())

    async def retrieve_address(request: Request, query: AddressQuery) -> Response:
        def caching(body: RetrieveBody, snapshot: Snapshot) -> dict[str, str]:
            tag = tag_of(snapshot, body, (settings.beam_width, settings.max_bindings_per_query), plane.ids.clock())
            return {"ETag": tag, "Cache-Control": CACHE_CONTROL}

        async def answering() -> Response:
            body = query.body()
            told = caching(body, holder.current)
            if is_known(request, told["ETag"]):
                plane.metrics.requests.labels(QueryOutcome.UNCHANGED).inc()
                return Response(status_code=304, headers=told)
            snapshot, [(answer, timings)] = await plane.answer(request, [body])
            return json_response(answer, headers=_headers(snapshot, timings) | caching(body, snapshot))

        return await counted(plane.metrics, answering())

    app.include_router(address_route(retrieve_address))

    @app.post(
        "/retrieve:batch",
        summary="Retrieve for up to 64 queries",
        responses=answers(200, model=BatchAnswer),
        openapi_extra=asks(body=BatchBody, example={"queries": examples} if examples else None),
    )
    async def retrieve_batch(request: Request) -> Response:
        async def answering() -> Response:
            body = await read_model(request, BatchBody, settings.body_limit)
            snapshot, told = await plane.answer(request, body.queries, batch=True)
            total = Timings()
            for _, timings in told:
                for stage, seconds in timings.stages.items():
                    total.add(stage, seconds)
            return json_response({"answers": [answer for answer, _ in told]}, headers=_headers(snapshot, total))

        return await counted(plane.metrics, answering())

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


def asker_of(http: Request) -> tuple[str, str]:
    """Return who asks: as the header `X-Asker` says, "" where it does not; and as it says, else by the address."""
    named = http.headers.get("x-asker", "").strip()[:ASKER]
    return named, named or f"from {http.client.host if http.client else ''}"


def _headers(snapshot: Snapshot, timings: Timings) -> dict[str, str]:
    stages = ", ".join(f"{stage};dur={1000 * timings.stages.get(stage, 0.0):.3f}" for stage in QueryStage)
    return {"Server-Timing": stages, "X-Bindings-Revision": str(snapshot.revision)}
