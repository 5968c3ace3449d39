"""The routes of the control plane."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.access.auth import Principal
from slotbeam.api.admin.forms import BindForm, PatchForm
from slotbeam.api.admin.history import entries
from slotbeam.api.admin.indexes import index_routes
from slotbeam.api.admin.items import item_routes
from slotbeam.api.admin.loading import loading_routes
from slotbeam.api.admin.models.audit import AuditPage
from slotbeam.api.admin.models.dryrun import DryRun
from slotbeam.api.admin.models.edits import Done, Removed
from slotbeam.api.admin.models.replicas import ReplicaList
from slotbeam.api.admin.models.slots import BindingDetail, FreeSlot, SlotList, UnreadableSlot
from slotbeam.api.admin.parameters import IF_MATCH, KEY, MAX_SEARCH, AuditQuery, SlotPath, SlotsQuery, WriteQuery
from slotbeam.api.admin.places import ListedSlot, all_places
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.admin.queries import query_routes
from slotbeam.api.admin.reverting import reverting_routes
from slotbeam.api.admin.rules import rule_routes
from slotbeam.api.admin.scopes import EDITING
from slotbeam.api.admin.slotwrites import binding_write, patching_write, replacing_write
from slotbeam.api.admin.suggestions import suggestion_routes
from slotbeam.api.admin.views import place_view, replica_view, slot_view
from slotbeam.api.admin.writes import Write, WriteRequest, answered_before, carry_out
from slotbeam.api.http.bodies import json_response, read_model
from slotbeam.api.http.openapi import answers, asks
from slotbeam.bindings.binding import Lifecycle
from slotbeam.bindings.edits.checks import check_slot
from slotbeam.bindings.edits.wanted import find, unbind
from slotbeam.errors import InputError
from slotbeam.language.normalize import normalize
from slotbeam.text import shown
from slotbeam.types import Slot


def admin_routes(plane: AdminPlane) -> APIRouter:
    """Build what is below `/admin`; every route asks for a bearer token with a scope."""
    router = APIRouter()
    router.include_router(suggestion_routes(plane))
    router.include_router(query_routes(plane))
    router.include_router(loading_routes(plane))
    router.include_router(rule_routes(plane))
    router.include_router(reverting_routes(plane))
    router.include_router(item_routes(plane))
    router.include_router(index_routes(plane))
    artifact = plane.artifact
    reads, writes = Depends(plane.caller("slots:read")), Depends(plane.caller(*EDITING))

    @router.get(
        "/slots",
        summary="Every reserved slot with what it holds",
        responses=answers(200, model=SlotList),
        dependencies=[reads],
    )
    async def list_slots(query: Annotated[SlotsQuery, Query()]) -> Response:
        position = None if query.position is None else _position(plane, query.position)
        text = normalize(query.q[:MAX_SEARCH]) if query.q else None
        behind = None if query.after is None else _named(query.after)
        listing, facts = plane.watcher.listing, plane.watcher.facts
        codebook, now = plane.artifact.kae.codebook, plane.now_ms()
        every = [(place, place.state(facts.failed, now)) for place in all_places(codebook, listing)]
        chosen = [
            place
            for place, state in every
            if query.state in (None, state)
            and not (query.bound and state is Lifecycle.FREE)
            and (position is None or position == place.position(codebook))
            and (text is None or place.holds(text))
            and (behind is None or place.order > behind)
        ]
        page = [place_view(plane.artifact, place, facts.failed, now) for place in chosen[: query.limit]]
        await plane.authors.sign(page, facts.epoch)
        head = {"state": facts.state, "epoch": facts.epoch, "revision": facts.revision, "active": facts.active}
        return json_response(
            {
                **head,
                "counts": dict(Counter(str(state) for _, state in every)),
                "slots": page,
                "next": str(page[-1]["slot"] or page[-1]["id"]) if len(page) < len(chosen) else None,
            },
            headers={"X-Bindings-Revision": str(facts.revision)},
        )

    @router.get(
        "/slots/{slot}",
        summary="One slot, or a binding by its id, with its items",
        responses=answers(200, model=BindingDetail | UnreadableSlot | FreeSlot),
        dependencies=[reads],
    )
    async def get_slot(slot: SlotPath) -> Response:
        return await _one(plane, slot)

    @router.post(
        "/slots",
        summary="Bind words to items",
        status_code=201,
        responses=answers(200, model=DryRun) | answers(201, 202, model=Done),
        openapi_extra=asks(KEY, body=BindForm),
    )
    async def post_slot(request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes) -> Response:
        form = await read_model(request, BindForm, plane.settings.admin_body_limit)
        asked = WriteRequest.of(request, query, who, form)
        if (again := await answered_before(plane, asked)) is not None:
            return again
        return await carry_out(plane, asked, await binding_write(plane, form, who.name))

    @router.put(
        "/slots/{slot}",
        summary="Replace a binding (If-Match)",
        responses=answers(200, model=DryRun | Done) | answers(202, model=Done),
        openapi_extra=asks(IF_MATCH, KEY, body=BindForm),
    )
    async def put_slot(
        slot: SlotPath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        form = await read_model(request, BindForm, plane.settings.admin_body_limit)
        if form.slot not in (None, slot):
            raise InputError(f"slot in the body is {shown(form.slot)}, the path says {shown(slot)}; leave it out")
        asked = WriteRequest.of(request, query, who, form)
        if (again := await answered_before(plane, asked)) is not None:
            return again
        write = await replacing_write(plane, slot, form, request.headers.get("if-match"), who.name)
        return await carry_out(plane, asked, write)

    @router.patch(
        "/slots/{slot}",
        summary="Change parts of a binding (If-Match)",
        responses=answers(200, model=DryRun | Done) | answers(202, model=Done),
        openapi_extra=asks(IF_MATCH, KEY, body=PatchForm),
    )
    async def patch_slot(
        slot: SlotPath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        form = await read_model(request, PatchForm, plane.settings.admin_body_limit)
        asked = WriteRequest.of(request, query, who, form)
        if (again := await answered_before(plane, asked)) is not None:
            return again
        before = find(artifact, await plane.listing(), slot)
        write = await patching_write(plane, slot, form, before, request.headers.get("if-match"), who.name)
        return await carry_out(plane, asked, write)

    @router.delete(
        "/slots/{slot}",
        summary="Unbind (If-Match)",
        responses=answers(200, model=DryRun | Removed) | answers(202, model=Removed),
        openapi_extra=asks(IF_MATCH, KEY),
    )
    async def delete_slot(
        slot: SlotPath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        make = unbind(artifact, slot, request.headers.get("if-match"), who.name, plane.now_ms())
        return await carry_out(plane, WriteRequest.of(request, query, who), Write(make))

    @router.get(
        "/replicas",
        summary="Every live replica and what it has applied",
        responses=answers(200, model=ReplicaList),
        dependencies=[reads],
    )
    async def replicas() -> Response:
        found = [replica_view(beat) for beat in await plane.store.replicas()]
        head = await plane.store.head()
        return json_response({"revision": head.revision if head else None, "replicas": found})

    @router.get(
        "/audit",
        summary="Who changed what, newest first; `next` is the `before` of what follows",
        responses=answers(200, model=AuditPage),
        dependencies=[reads],
    )
    async def audit(query: Annotated[AuditQuery, Query()]) -> Response:
        found, rest = await entries(plane.store, query.filter, query.count, query.before)
        return json_response({"entries": found, "next": rest})

    return router


async def _one(plane: AdminPlane, address: str) -> Response:
    artifact, listing, facts = plane.artifact, plane.watcher.listing, plane.watcher.facts
    now, binding, slot = plane.now_ms(), None, None
    if not address.startswith("b_"):
        slot = Slot.parse(address)
        check_slot(artifact, slot)
    headers = {"X-Bindings-Revision": str(facts.revision)}
    held = address if listing is None or slot is None else listing.holders.get(slot, "")
    if listing is not None and held in listing.malformed:
        unread = ListedSlot(listing.placed.get(held), held, None)
        return json_response(place_view(artifact, unread, facts.failed, now), headers=headers)
    if listing is not None and (slot is None or slot in listing.holders):
        binding = find(artifact, listing, address)
        slot = listing.placed.get(binding.id)
    elif slot is None and listing is None:
        raise InputError("no bindings are known yet")
    view = slot_view(artifact, slot, binding, now, facts.failed.get(binding.id) if binding else None)
    await plane.authors.sign([view], facts.epoch)
    if binding is not None:
        good = plane.watcher.good
        view["item_ids"] = list(good.items.get(binding.items, ()) if good else ())
        compiled = plane.watcher.compiled.every.pinned if plane.watcher.compiled else ()
        view["found"] = next((len(pinned.rows) for pinned in compiled if pinned.id == binding.id), None)
        headers["ETag"] = binding.etag
    return json_response(view, headers=headers)


def _position(plane: AdminPlane, text: str) -> int:
    count = len(plane.artifact.kae.codebook.sizes)
    if not (text.isascii() and text.isdigit() and len(text) < 4 and int(text) < count):
        given, allowed = shown(text), f"allowed: 0 to {count - 1}"
        raise InputError(
            f"position is {given}; {allowed}", errors=[{"field": "position", "given": given, "message": allowed}]
        )
    return int(text)


def _named(text: str) -> tuple[Slot, str]:
    """Return where the slot, or the binding id, is that ended a page. Raises `InputError`: it is neither."""
    return ListedSlot(None if text.startswith("b_") else Slot.parse(text), text, None).order
