"""Live items: read, put, patched, deleted, one by one or in batches."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.access.auth import Principal
from slotbeam.api.admin.history import item_entries
from slotbeam.api.admin.itemwrites import answer_batch, answer_one, operation_of, operations_of, rules_of
from slotbeam.api.admin.models.audit import ItemAuditPage
from slotbeam.api.admin.models.items import (
    BatchCommitted,
    BatchDryRun,
    BatchForm,
    FoundItems,
    ItemCommitted,
    ItemDryRun,
    ItemForm,
    ItemPatch,
    ItemView,
)
from slotbeam.api.admin.parameters import IF_MATCH, KEY, ItemAuditQuery, ItemPath, ItemsQuery, WriteQuery
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.http.bodies import json_response, read_json, read_model
from slotbeam.api.http.openapi import answers, asks
from slotbeam.bindings.times import iso
from slotbeam.catalog.loaders.place import shown
from slotbeam.errors import InputError, NotFound, StoreError
from slotbeam.items.edits import Verb, current_of
from slotbeam.items.record import ItemRecord, Op, seq_of
from slotbeam.items.rows import check_id
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.types import Timings

_IF_MATCH = {**IF_MATCH, "required": False, "description": "The ETag that was read, or *; looked at when it is sent"}


def item_routes(plane: AdminPlane) -> APIRouter:
    """Build the routes, without the prefix."""
    router = APIRouter()
    reads, writes = Depends(plane.caller("items:read")), Depends(plane.caller("items:write"))

    @router.get(
        "/items",
        summary="Find items by text; without one, those that were edited, newest first",
        responses=answers(200, model=FoundItems),
        dependencies=[reads],
    )
    async def list_items(query: Annotated[ItemsQuery, Query()]) -> Response:
        facts, records = plane.follower.facts, dict(plane.follower.records)
        found = await plane.off_loop(lambda: _found(plane, records, query.q, query.limit))
        head = {"state": facts.state, "seq": facts.seq, "edited": facts.delta}
        return json_response({**head, "items": found}, headers={"X-Items-Seq": str(facts.seq)})

    @router.post(
        "/items:batch",
        summary="Up to 1 000 edits of items, each reported; those that are not refused are done at one moment",
        responses=answers(200, model=BatchDryRun | BatchCommitted) | answers(202, model=BatchCommitted),
        openapi_extra=asks(KEY, body=BatchForm),
    )
    async def batch(request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes) -> Response:
        form = await read_model(request, BatchForm, plane.settings.admin_body_limit)
        return await answer_batch(plane, request, query, operations_of(form), who.name)

    @router.get(
        "/items/{item_id:path}",
        summary="One item as it is now, edited or as the index has it",
        responses=answers(200, model=ItemView),
        dependencies=[reads],
    )
    async def get_item(item_id: ItemPath) -> Response:
        record = plane.follower.records.get(check_id(item_id))
        now = await plane.off_loop(lambda: current_of(item_id, record, rules_of(plane).base))
        if now.why is not None:
            raise now.why
        if now.row is None:
            deleted = f"; it was deleted (seq {now.seq})" if now.seq is not None else ""
            raise NotFound(f"there is no item {shown(item_id)}{deleted}")
        headers = {"ETag": str(now.etag), "X-Items-Seq": str(plane.follower.facts.seq)}
        view = {"id": item_id, "item": now.row, "seq": now.seq, "etag": now.etag, **await _author(plane, now.seq)}
        return json_response(view, headers=headers)

    @router.put(
        "/items/{item_id:path}",
        summary="Make an item what the body says",
        status_code=201,
        responses=answers(200, model=ItemDryRun | ItemCommitted) | answers(201, 202, model=ItemCommitted),
        openapi_extra=asks(_IF_MATCH, KEY, body=ItemForm),
    )
    async def put_item(
        item_id: ItemPath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        body = _object(await read_json(request, plane.settings.admin_body_limit))
        return await answer_one(plane, request, query, operation_of(request, Verb.PUT, item_id, body), who.name)

    @router.patch(
        "/items/{item_id:path}",
        summary="Change parts of an item (JSON merge patch)",
        responses=answers(200, model=ItemDryRun | ItemCommitted) | answers(202, model=ItemCommitted),
        openapi_extra=asks(_IF_MATCH, KEY, body=ItemPatch),
    )
    async def patch_item(
        item_id: ItemPath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        body = _object(await read_json(request, plane.settings.admin_body_limit))
        return await answer_one(plane, request, query, operation_of(request, Verb.PATCH, item_id, body), who.name)

    @router.delete(
        "/items/{item_id:path}",
        summary="Take an item away",
        responses=answers(200, model=ItemDryRun | ItemCommitted) | answers(202, model=ItemCommitted),
        openapi_extra=asks(_IF_MATCH, KEY),
    )
    async def delete_item(
        item_id: ItemPath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        return await answer_one(plane, request, query, operation_of(request, Verb.DELETE, item_id), who.name)

    @router.get(
        "/audit/items",
        summary="Who edited which item, newest first; `next` is the `before` of what follows",
        responses=answers(200, model=ItemAuditPage),
        dependencies=[reads],
    )
    async def item_audit(query: Annotated[ItemAuditQuery, Query()]) -> Response:
        found, rest = await item_entries(plane.follower.store, query.filter, query.count, query.before)
        return json_response({"entries": found, "next": rest})

    return router


async def _author(plane: AdminPlane, seq: int | None) -> dict[str, str | None]:
    """Return who made an edit, and when; null for an item of the index, and where the feed no longer tells."""
    entry = None
    if seq is not None:
        with suppress(StoreError):
            entry = await plane.follower.store.entry(seq)
    return {"changed_by": entry.actor if entry else None, "changed_at": iso(entry.at) if entry else None}


def _object(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InputError(f"the body must be an object: the item, or its patch (given {shown(body)})")
    return body


def _found(plane: AdminPlane, records: Mapping[str, bytes], q: str | None, limit: int) -> list[dict[str, object]]:
    """Return what the plane's own snapshot finds for a text, as it is now; without one, what was edited last."""
    if q is None:
        newest = sorted(records.values(), key=seq_of, reverse=True)[:limit]
        return [_told(ItemRecord.of(data)) for data in newest]
    snapshot = plane.holder.current
    answer = retrieve(snapshot, SearchRequest(query=q, k=limit, use_bindings=False), Timings())
    catalog = snapshot.artifact.catalog
    ids, titles = catalog.ids.take(answer.hits.rows), catalog.titles.take(answer.hits.rows)
    found: list[dict[str, object]] = []
    row = None if q in ids else catalog.row_of(q)  # an id is found, too, and comes first
    named = [] if row is None else [(q, catalog.titles[row])]
    for item_id, title in [*named, *zip(ids, titles, strict=True)][:limit]:
        if item_id not in records:
            found.append({"id": item_id, "title": title, "seq": None})
        elif (record := ItemRecord.of(records[item_id])).op is Op.PUT:
            found.append(_told(record))
    return found


def _told(record: ItemRecord) -> dict[str, object]:
    return {"id": record.id, "title": str(record.row.get("title", "")), "seq": record.seq}
