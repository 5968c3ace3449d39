"""Views beside the lists: try a query, history, suggestions, queries without an answer, replicas, import."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.access.tokens import DRAFT, WRITE
from slotbeam.api.page.console import DRY, WAIT, Told, ask
from slotbeam.api.page.desk import stored, tried, unclicked
from slotbeam.api.page.routes import Pages
from slotbeam.bindings.spec import DEFAULTS
from slotbeam.errors import BodyError, SlotbeamError

SUGGESTED = {"accept", "dismiss"}
_UNTOLD = {"id", "revision", "created_at", "items", "item_count"}


def looking_routes(pages: Pages) -> APIRouter:
    """Build the views."""
    router = APIRouter(prefix="/ops", include_in_schema=False)

    @router.get("/try")
    async def try_one(request: Request, q: str = "", drafts: str = "") -> Response:
        session = pages.signed_in(request)
        found: dict[str, Any] | None = None
        problem: dict[str, object] | None = None
        may = await ask(request, session, "GET", "/replicas")
        try:
            found = await tried(pages.desk, q, drafts == "on") if q and may.ok else None
        except SlotbeamError as error:
            problem = {"title": "This is no query", "detail": str(error)}
        return await pages.show(
            request, session, "try.html", "try",
            q=q, drafts=drafts, found=found, problem=problem if may.ok else may.body,
        )  # fmt: skip

    @router.get("/history")
    async def history(request: Request, word: str = "", before: str = "") -> Response:
        session = pages.signed_in(request)
        told = await ask(request, session, "GET", "/audit", params={"word": word, "before": before, "count": "50"})
        entries, may = told.body.get("entries", []), pages.may(session)
        for entry in entries:
            records = [one for change in entry["changes"] for one in (change["before"], change["after"]) if one]
            drafts = DRAFT in may and all(one.get("draft") for one in records)
            entry["may_undo"] = bool(records) and (WRITE in may or drafts)
            for change in entry["changes"]:
                change["fields"] = _differences(change["before"] or {}, change["after"] or {})
        return await pages.show(
            request, session, "history.html", "history", told.status,
            entries=entries, next=told.body.get("next"), word=word, problem=None if told.ok else told.body,
        )  # fmt: skip

    @router.post("/history/{revision}/revert")
    async def undo(request: Request, revision: str) -> Response:
        session, _ = await pages.posted(request)
        told = await ask(request, session, "POST", f"/revisions/{quote(revision, safe='')}:revert", params=WAIT)
        return await pages.outcome(request, session, "history", told, "Undone")

    @router.get("/suggestions")
    async def suggestions(request: Request) -> Response:
        session = pages.signed_in(request)
        return await _list(pages, request, "suggestions", await ask(request, session, "GET", "/suggestions"))

    @router.post("/suggestions/{word}/{verb}")
    async def answer(request: Request, word: str, verb: str) -> Response:
        session, _ = await pages.posted(request)
        at = f"/suggestions/{quote(word, safe='')}:{verb if verb in SUGGESTED else 'unknown'}"
        body: dict[str, object] | None = {} if verb == "accept" else None
        told = await ask(request, session, "POST", at, body=body, params=WAIT if verb == "accept" else None)
        if told.ok and verb == "dismiss":
            return await _list(pages, request, "suggestions", await ask(request, session, "GET", "/suggestions"))
        return await pages.outcome(request, session, "suggestions", told, "Accepted")

    @router.get("/queries")
    async def queries(request: Request) -> Response:
        session = pages.signed_in(request)
        told = await ask(request, session, "GET", "/queries")
        also = await ask(request, session, "GET", "/queries", params={"answered": "unclicked"})
        bound = await unclicked(pages.desk) if told.ok else []
        return await _list(pages, request, "queries", told, also=also.body, unclicked=bound)

    @router.get("/replicas")
    async def replicas(request: Request) -> Response:
        session = pages.signed_in(request)
        told = await ask(request, session, "GET", "/replicas")
        indexes = await ask(request, session, "GET", "/indexes")
        store = await stored(pages.desk) if told.ok else {}
        return await _list(pages, request, "replicas", told, indexes=indexes.body, store=store)

    @router.get("/import")
    async def blank(request: Request) -> Response:
        session = pages.signed_in(request)
        return await pages.show(request, session, "import.html", "import", form={})

    @router.post("/import/preview")
    async def check(request: Request) -> Response:
        return await _import(pages, request, dry=True)

    @router.post("/import")
    async def load(request: Request) -> Response:
        return await _import(pages, request, dry=False)

    return router


async def _list(pages: Pages, request: Request, tab: str, told: Told, **more: object) -> Response:
    """Show a list that `/admin` gives in one piece."""
    session, problem = pages.signed_in(request), None if told.ok else told.body
    return await pages.show(request, session, f"{tab}.html", tab, told.status, told=told.body, problem=problem, **more)


async def _import(pages: Pages, request: Request, dry: bool) -> Response:
    """Check or load a file of bindings: CSV, or JSON where it begins like that."""
    session, form = await pages.posted(request)
    params = {**(DRY if dry else WAIT), "mode": form.get("mode", "create"), "zone": form.get("zone", "")}
    text = form.get("file", "")
    content: dict[str, Any] = {"csv": text}
    if text.lstrip().startswith("["):
        try:
            content = {"body": orjson.loads(text)}
        except orjson.JSONDecodeError as error:
            raise BodyError(f"the file is not JSON: {error}") from None
    told = await ask(request, session, "POST", "/slots:import", params=params, **content)
    problem = None if told.ok else told.body
    left = form if dry or problem else {}  # what is to be mended, or loaded next
    return await pages.show(
        request, session, "report.html", "import", told.status, told=told.body, problem=problem, dry=dry, form=left
    )


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, object, object]]:
    """Return the fields of a record that changed: name, before, after; an empty one of either side is None.

    Of one that was made, or is gone, what it did not say is left out; of items what came and went is told.
    """
    names = [name for name in dict.fromkeys([*before, *after]) if name not in _UNTOLD]
    unsaid = {} if before and after else DEFAULTS
    pairs = ((name, before.get(name) or None, after.get(name) or None) for name in names)
    return [pair for pair in pairs if pair[1] != pair[2] and (pair[1] or pair[2]) != unsaid.get(pair[0])]
