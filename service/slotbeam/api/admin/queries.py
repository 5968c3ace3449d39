"""`/admin/queries`: queries that got no items, or no clicks, merged over the replicas."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from slotbeam.api.admin.models.queries import QueryList
from slotbeam.api.admin.parameters import QueriesQuery
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.http.bodies import json_response
from slotbeam.api.http.openapi import answers
from slotbeam.bindings.times import iso
from slotbeam.suggestions.unanswered import merge_unanswered
from slotbeam.suggestions.unclicked import merge_unclicked


def query_routes(plane: AdminPlane) -> APIRouter:
    """Build the route; it asks for `slots:read`."""
    router = APIRouter(prefix="/queries")

    @router.get(
        "",
        summary="Queries that got no items, or no clicks, from five askers on",
        responses=answers(200, model=QueryList),
        dependencies=[Depends(plane.caller("slots:read"))],
    )
    async def list_queries(query: Annotated[QueriesQuery, Query()]) -> Response:
        documents = await plane.store.stats()
        merge = merge_unanswered if query.answered == "none" else merge_unclicked
        found, withheld = await plane.off_loop(lambda: merge(documents))
        shown = [
            {"query": text, "count": one.count, "askers": one.askers, "last_seen": iso(1000 * one.last_s)}
            for text, one in list(found.items())[: query.count]
        ]
        return json_response({"queries": shown, "withheld": withheld})

    return router
