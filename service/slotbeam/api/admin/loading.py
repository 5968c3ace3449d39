"""Many bindings as one file: `GET /admin/slots.csv`, `GET /admin/slots.json`, and `POST /admin/slots:import`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.access.audit import attempt_of
from slotbeam.access.auth import Principal
from slotbeam.api.admin.exporting import export_views
from slotbeam.api.admin.forms import RowForm, said
from slotbeam.api.admin.models.files import Export, ImportCommitted, ImportDryRun
from slotbeam.api.admin.parameters import KEY, ImportQuery, ZoneQuery, idempotency_key_of
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.admin.rows import MAX_ROWS, Parsed, read_rows, to_csv, to_json
from slotbeam.api.admin.scopes import EDITING, allowed
from slotbeam.api.admin.views import is_complete, spread_of
from slotbeam.api.admin.writes import fingerprint_of, outcome_of, warnings_of
from slotbeam.api.http.bodies import json_response
from slotbeam.api.http.openapi import answers, asks, ref
from slotbeam.api.http.problems import document_of
from slotbeam.bindings.binding import Lifecycle, new_id
from slotbeam.bindings.edits.bulk import ImportRow, load
from slotbeam.bindings.edits.plan import Edit, following, make_plan
from slotbeam.bindings.edits.rules import as_rule, no_items
from slotbeam.bindings.edits.wanted import Resolved, Wanted, resolve_items
from slotbeam.bindings.spec import LIVE
from slotbeam.bindings.store.commit import Committed
from slotbeam.bindings.words import canonical_words
from slotbeam.errors import BindingError, ImportRefused, InputError, SlotbeamError
from slotbeam.search.artifact import Artifact
from slotbeam.suggestions.warnings import warnings_about
from slotbeam.types import Slot

CSV = "text/csv; charset=utf-8"
MAX_ITEMS_IN_ALL = 500_000
MAX_LOOKED_UP = 4000
MISSING_SHOWN = 10


@dataclass(frozen=True)
class Loaded:
    """A file, resolved against the catalog: good rows with their item lists, and what is wrong with the others."""

    rows: tuple[ImportRow, ...]
    resolved: Mapping[int, Resolved]
    refused: Mapping[int, SlotbeamError]


def loading_routes(plane: AdminPlane) -> APIRouter:
    """Build the routes, without the prefix."""
    router = APIRouter()
    reads, writes = Depends(plane.caller("slots:read")), Depends(plane.caller(*EDITING))

    @router.get(
        "/slots.csv",
        summary="Every binding with its items, and every rule, as CSV, as an import takes it",
        responses={200: {"description": "Answer", "content": {"text/csv": {"schema": {"type": "string"}}}}},
        response_class=Response,
        dependencies=[reads],
    )
    async def export(query: Annotated[ZoneQuery, Query()]) -> Response:
        views = export_views(plane)
        return await _file(plane, "bindings.csv", CSV, lambda: to_csv(views, query.zone).encode())

    @router.get(
        "/slots.json",
        summary="Every binding with its items, and every rule, as JSON, as an import takes it",
        responses=answers(200, model=Export),
        response_class=Response,
        dependencies=[reads],
    )
    async def export_json() -> Response:
        views = export_views(plane)
        return await _file(plane, "bindings.json", "application/json", lambda: to_json(views))

    @router.post(
        "/slots:import",
        summary="Make a binding or a rule of every row of a file in one revision, or none",
        responses=answers(200, model=ImportDryRun | ImportCommitted) | answers(202, model=ImportCommitted),
        openapi_extra=asks(
            KEY,
            body={
                "application/json": {"type": "array", "items": ref(RowForm), "minItems": 1, "maxItems": MAX_ROWS},
                "text/csv": {"type": "string", "minLength": 1},
            },
        ),
    )
    async def import_slots(
        request: Request, query: Annotated[ImportQuery, Query()], who: Principal = writes
    ) -> Response:
        parsed = await read_rows(request, plane.settings.admin_body_limit, query.zone)
        return await _import(plane, request, query, parsed, who)

    return router


async def _file(plane: AdminPlane, name: str, media_type: str, write: Callable[[], bytes]) -> Response:
    """Answer with a file to keep, written off the event loop."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Bindings-Revision": str(plane.watcher.facts.revision),
    }
    return Response(await plane.off_loop(write), media_type=media_type, headers=headers)


async def _import(plane: AdminPlane, request: Request, query: ImportQuery, parsed: Parsed, who: Principal) -> Response:
    idempotency_key, update = idempotency_key_of(request), query.mode == "update"
    forms, unread = parsed
    mark = fingerprint_of(request, list(forms.values()), f"update={update}\n")
    loaded = await plane.off_loop(lambda: _resolve(plane, forms, unread))
    make = load(plane.artifact, loaded.rows, loaded.refused, who.name, plane.now_ms(), update=update)
    make = allowed(make, who, attempt_of(request))
    try:
        done = None
        if idempotency_key is not None and not (query.dry_run or unread):
            done = await plane.committed_before(idempotency_key, mark)
        if done is None and (query.dry_run or loaded.refused):
            listing = await plane.listing()
            change = make(listing)
            make_plan(listing, change, "dry-run", "")
            after = following(listing, change)
            warned = await plane.off_loop(
                lambda: [warnings_about(plane.artifact, after, edit) for edit in change.edits]
            )
            report = _report(list(forms), loaded.resolved, change.edits, warned, dry_run=True)
            return json_response({"dry_run": True, "revision": listing.revision, **report})
        items = {resolved.sha: resolved.data for resolved in loaded.resolved.values()}
        done = done or await plane.commit(make, items, idempotency_key, mark)
    except ImportRefused as error:
        error.details.update(_refusals(loaded, error))
        raise
    report = _report(list(forms), loaded.resolved, done.edits, await warnings_of(plane, done.edits))
    return await _acknowledge(plane, done, report, query.wait_s)


async def _acknowledge(plane: AdminPlane, done: Committed, report: dict[str, object], seconds: float) -> Response:
    ids = [edit.after.id for edit in done.edits if edit.after]
    spread = await spread_of(plane.store, done.revision, ids, seconds)
    complete = plane.serves(done) and is_complete(spread, seconds)
    body, headers = outcome_of(plane, done, spread, complete)
    return json_response({**body, **report}, 200 if complete else 202, headers)


def _resolve(plane: AdminPlane, forms: Mapping[int, RowForm], unread: Mapping[int, SlotbeamError]) -> Loaded:
    """Look up canonical words and item lists of every row; runs off the event loop."""
    rows: list[ImportRow] = []
    resolved: dict[int, Resolved] = {}
    refused = dict(unread)
    _check_looked_up(forms.values())
    count = 0
    for line, form in forms.items():
        try:
            wanted, listed = _wanted(plane.artifact, form)
        except SlotbeamError as error:
            refused[line] = error
            continue
        count += len(listed.ids)
        if count > MAX_ITEMS_IN_ALL:
            raise InputError(
                f"lines up to {line} name {count} items; a file takes at most {MAX_ITEMS_IN_ALL}: send it in parts",
                items=count,
                allowed=MAX_ITEMS_IN_ALL,
            )
        resolved[line] = listed
        rows.append(ImportRow(line=line, wanted=wanted, binding_id=new_id(), was=form.id, revision=form.revision))
    return Loaded(tuple(rows), resolved, refused)


def _wanted(artifact: Artifact, form: RowForm) -> tuple[Wanted, Resolved]:
    """Return what one row describes; without a category that is a rule."""
    given: dict[str, Any] = {"draft": form.state == Lifecycle.DRAFT.value, **said(form)}
    if given.get("category"):
        words = canonical_words(form.words)
        rule = form.match if _looks_up(form) else False
        listed = resolve_items(artifact, words, form.items, rule, given.get("exact", False))
        slot = None if form.slot is None else Slot.parse(form.slot)
        return Wanted(**given, items=listed.list, slot=slot), listed
    if form.items or form.slot:
        raise BindingError("the row has no category; name it, or leave items and slot out: then it is a rule")
    wanted = as_rule(given)
    return wanted, no_items(artifact, list(dict.fromkeys((*wanted.positions, *wanted.hide))))


def _check_looked_up(forms: Iterable[RowForm]) -> None:
    """Refuse too many words to match: each reads the catalog's text once. Raises `InputError`."""
    count = sum(len(form.words) for form in forms if _looks_up(form))
    if count > MAX_LOOKED_UP:
        raise InputError(
            f"{count} words are to be matched; a file takes at most {MAX_LOOKED_UP}: send it in parts, or name items",
            words=count,
            allowed=MAX_LOOKED_UP,
        )


def _looks_up(form: RowForm) -> bool:
    """Return whether the row's words find items: beside `items` only a live match does."""
    return form.match == LIVE or (form.match and not form.items)


def _report(
    lines: Sequence[int],
    resolved: Mapping[int, Resolved],
    edits: Sequence[Edit],
    warned: Sequence[list[str]],
    dry_run: bool = False,
) -> dict[str, object]:
    """Return what became of each line. A replay whose log entry is trimmed has no edits: it says of no line what."""
    told = [
        {**_line(line, edit, resolved.get(line), dry_run), "warnings": texts}
        for line, edit, texts in zip(lines, edits, warned, strict=False)
    ]
    counts = {did: sum(line["did"] == did for line in told) for did in ("created", "updated")}
    return {"rows": len(lines), **counts, "lines": told or [{"line": line, "status": "ok"} for line in lines]}


def _line(line: int, edit: Edit, resolved: Resolved | None, dry_run: bool) -> dict[str, object]:
    made, after = edit.before is None, edit.after
    if after is None:
        raise ValueError("a load that removes a binding. This is a bug.")
    missing = resolved.missing if resolved else ()
    return {
        "line": line,
        "status": "ok",
        "did": "created" if made else "updated",
        "slot": str(edit.slot) if edit.slot else None,
        "id": None if dry_run and made else after.id,
        "words": list(after.words),
        "items": after.item_count,
        "missing": list(missing[:MISSING_SHOWN]),
        "missing_count": len(missing),
    }


def _refusals(loaded: Loaded, error: ImportRefused) -> dict[str, object]:
    """Return the report of a file that was refused: every line, each bad one with its own problem document."""
    every = sorted({row.line for row in loaded.rows} | set(error.refused))
    lines = [
        {"line": line, "status": "refused", "problem": document_of(error.refused[line])}
        if line in error.refused
        else {"line": line, "status": "ok"}
        for line in every
    ]
    return {"rows": len(every), "refused": len(error.refused), "lines": lines}
