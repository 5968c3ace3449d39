"""The routes that search: `/retrieve` by POST and by GET, `/retrieve:batch`."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.http.bodies import json_response, read_model
from slotbeam.api.http.openapi import answers, asks
from slotbeam.api.retrieve.address import CACHE_CONTROL, AddressQuery, address_route, is_known, tag_of
from slotbeam.api.retrieve.metrics import QueryOutcome
from slotbeam.api.retrieve.models import BatchAnswer, RetrieveAnswer
from slotbeam.api.retrieve.outcomes import counted
from slotbeam.api.retrieve.plane import DataPlane
from slotbeam.api.retrieve.schemas import BatchBody, RetrieveBody
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import QueryStage, Timings


def query_routes(plane: DataPlane) -> APIRouter:
    """Build the routes."""
    router, settings = APIRouter(), plane.settings
    examples = [{"query": query, "k": 10} for query in plane.holder.current.artifact.examples]

    @router.post(
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
            told = caching(body, plane.holder.current)
            if is_known(request, told["ETag"]):
                plane.metrics.requests.labels(QueryOutcome.UNCHANGED).inc()
                # No middleware says of an answer without a body what it would have said of the one that stands.
                return Response(status_code=304, headers=told | {"Vary": "Accept-Encoding"})
            snapshot, [(answer, timings)] = await plane.answer(request, [body])
            return json_response(answer, headers=_headers(snapshot, timings) | caching(body, snapshot))

        return await counted(plane.metrics, answering())

    router.include_router(address_route(retrieve_address))

    @router.post(
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

    return router


def _headers(snapshot: Snapshot, timings: Timings) -> dict[str, str]:
    stages = ", ".join(f"{stage};dur={1000 * timings.stages.get(stage, 0.0):.3f}" for stage in QueryStage)
    return {"Server-Timing": stages, "X-Bindings-Revision": str(snapshot.revision)}
