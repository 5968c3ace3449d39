"""Indexes: listed, activated, rolled back. No replica restarts."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.access.auth import Principal
from slotbeam.api.admin.models.indexes import IndexDryRun, IndexList, IndexSwitched
from slotbeam.api.admin.parameters import IndexPath, WriteQuery
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.admin.views import SWITCH, is_complete, spread_of
from slotbeam.api.http.bodies import json_response
from slotbeam.api.http.openapi import answers
from slotbeam.bindings.times import iso
from slotbeam.errors import ArtifactError, Conflict, NotFound, SetupError, SlotbeamError
from slotbeam.indexing.directory import check_index_name
from slotbeam.items.replica.switching import check_model
from slotbeam.items.store.switching import MakeSwitch, commit_switch, read_base
from slotbeam.items.switch import Base, IndexMark, Switch, activation, check_watermark, followed, rollback
from slotbeam.search.artifact import MANIFEST, check_files, read_manifest


def index_routes(plane: AdminPlane) -> APIRouter:
    """Build the routes, without the prefix."""
    router = APIRouter()
    reads, writes = Depends(plane.caller("indexes:read")), Depends(plane.caller("indexes:write"))

    @router.get(
        "/indexes",
        summary="The active index, the one before it, and those that can be activated",
        responses=answers(200, model=IndexList),
        dependencies=[reads],
    )
    async def list_indexes() -> Response:
        switch, base = await read_base(plane.follower.store)
        switch = followed(switch, plane.served.sha)
        facts = plane.follower.facts
        return json_response(
            {
                "switch": switch.number if switch else 0,
                "active": (switch.active if switch else plane.served).beat(),
                "before": switch.before.beat() if switch else None,
                "switched_by": switch.by if switch else None,
                "switched_at": iso(switch.at) if switch else None,
                "delta": facts.delta,
                "limit": plane.settings.delta_limit,
                "trimmed": base.trimmed,
                "indexes": await plane.off_loop(lambda: _listed(plane, base)),
            }
        )

    @router.post(
        "/indexes/{index}:activate",
        summary="Serve another index everywhere, without a restart",
        responses=answers(200, model=IndexDryRun | IndexSwitched) | answers(202, model=IndexSwitched),
    )
    async def activate(
        index: IndexPath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        wanted = await plane.off_loop(lambda: _wanted(plane, check_index_name(index)))

        def make(now: Switch | None, base: Base) -> Switch | None:
            return activation(now, wanted, plane.served, base, who.name, plane.now_ms())

        return await _switch(plane, query, "activated", make)

    @router.post(
        "/indexes/{index}:rollback",
        summary="Serve the index before the active one again; it is the active one that is named",
        responses=answers(200, model=IndexDryRun | IndexSwitched) | answers(202, model=IndexSwitched),
    )
    async def roll_back(
        index: IndexPath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        check_index_name(index)

        def make(now: Switch | None, base: Base) -> Switch:
            return rollback(followed(now, plane.served.sha), index, base, who.name, plane.now_ms())

        return await _switch(plane, query, "rolled back", make)

    return router


async def _switch(plane: AdminPlane, query: WriteQuery, did: str, make: MakeSwitch) -> Response:
    """Switch, or say what that would do. Raises why it is refused."""
    if query.dry_run:
        now, base = await read_base(plane.follower.store)
        return json_response({"dry_run": True, **_told(plane, did, now, make(now, base))})
    switch, durability = await commit_switch(plane.follower.store, make)
    now = switch
    if switch is None:
        now, _ = await read_base(plane.follower.store)
    number = now.number if now else 0
    spread = await spread_of(plane.store, number, [], query.wait_s, SWITCH)
    complete = is_complete(spread, query.wait_s)
    body = {
        **_told(plane, did, now, switch),
        "switch": number,
        "durability": durability,
        "propagation": spread,
        **({} if complete else {"look": "/admin/replicas"}),
    }
    return json_response(body, 200 if complete else 202)


def _told(plane: AdminPlane, did: str, now: Switch | None, switch: Switch | None) -> dict[str, Any]:
    """Return what is, or would be, active: after `switch`; None: as it is `now`."""
    newest = switch or now
    return {
        "did": did if switch else "unchanged",
        "active": (newest.active if newest else plane.served).beat(),
        "before": newest.before.beat() if newest else None,
    }


def _wanted(plane: AdminPlane, name: str) -> IndexMark:
    """Return the index of that name. Raises `NotFound`, `Conflict`: it cannot be served."""
    directory = plane.settings.indexes / name
    if not directory.is_dir():
        raise NotFound(f"there is no index {name} in {plane.settings.indexes} (SLOTBEAM_INDEX_DIR)")
    try:
        manifest = read_manifest(directory)
        check_files(directory, manifest)
        check_model(plane.base, manifest, name)
        return IndexMark.told_by(manifest, name)
    except (ArtifactError, SetupError) as error:
        raise Conflict(f"{name} cannot be served: {error}") from None


def _listed(plane: AdminPlane, base: Base) -> list[dict[str, Any]]:
    """Return every index under SLOTBEAM_INDEX_DIR, the newest first."""
    found = []
    directories = [path for path in _directories(plane.settings.indexes) if (path / MANIFEST).is_file()]
    for directory in directories:
        with suppress(SlotbeamError, ValueError, KeyError, TypeError):  # what is being copied is none yet
            check_index_name(directory.name)
            manifest = read_manifest(directory)
            mark = IndexMark.told_by(manifest, directory.name)
            facts = {"items": manifest["index"]["items"], "created": manifest["created"]}
            why = _refusal(plane, directory, manifest, mark, base)
            found.append({**mark.beat(), **facts, **({"refused": why} if why else {})})
    return sorted(found, key=lambda view: str(view["created"]), reverse=True)


def _refusal(plane: AdminPlane, directory: Path, manifest: dict[str, Any], mark: IndexMark, base: Base) -> str | None:
    try:
        check_files(directory, manifest)
        check_model(plane.base, manifest, mark.name)
        check_watermark(mark, base)
    except SlotbeamError as error:
        return str(error)
    return None


def _directories(path: Path) -> list[Path]:
    try:
        return [entry for entry in path.iterdir() if entry.is_dir()]
    except OSError:
        return []
