"""One commit undone by another: `POST /admin/revisions/{revision}:revert`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.access.auth import Principal
from slotbeam.api.admin.models.dryrun import DryRun
from slotbeam.api.admin.models.edits import Done, Removed
from slotbeam.api.admin.models.rules import RuleDone, RuleGone
from slotbeam.api.admin.parameters import KEY, RevisionPath, WriteQuery
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.admin.scopes import EDITING
from slotbeam.api.admin.writes import Write, WriteRequest, answered_before, carry_out
from slotbeam.api.http.openapi import answers, asks
from slotbeam.bindings.binding import MAX_NUMBER
from slotbeam.bindings.edits.revert import check_changes, records_before, revert
from slotbeam.bindings.edits.rules import NO_LIST, no_items
from slotbeam.errors import Conflict, NotFound


def reverting_routes(plane: AdminPlane) -> APIRouter:
    """Build the route, without the prefix."""
    router = APIRouter()
    writes = Depends(plane.caller(*EDITING))

    @router.post(
        "/revisions/{revision}:revert",
        summary="Undo what one revision changed, where nobody changed it since",
        responses=answers(200, model=DryRun | Done | Removed | RuleDone | RuleGone)
        | answers(202, model=Done | Removed | RuleDone | RuleGone),
        openapi_extra=asks(KEY),
    )
    async def post_revert(
        revision: RevisionPath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        asked = replace(WriteRequest.of(request, query, who), creates=False)
        if (again := await answered_before(plane, asked)) is not None:
            return again
        return await carry_out(plane, asked, await _undoing(plane, int(revision), who.name))

    return router


async def _undoing(plane: AdminPlane, revision: int, actor: str) -> Write:
    """Return what undoes a revision. Raises `NotFound`, `Conflict`, `BindingError`: it cannot be undone."""
    found = (await plane.store.commits([revision])).get(revision) if revision <= MAX_NUMBER else None
    if found is None or found["epoch"] != plane.watcher.facts.epoch:
        raise NotFound(f"the log holds no revision {revision}; GET /admin/audit lists those that it holds")
    check_changes(revision, found["changes"])
    named = {binding.items for binding in records_before(found["changes"])}
    lists, lost = await plane.store.items(named - {NO_LIST.sha})  # the empty one, of every rule, comes with the commit
    if lost:
        raise Conflict(
            f"the items of what revision {revision} removed are no longer kept (a list that nothing names goes after "
            "an hour); bind it anew, or restore a backup"
        )
    make = revert(plane.artifact, revision, found["changes"], actor, plane.now_ms())
    return Write(make, no_items(plane.artifact, ()), lists=lists)
