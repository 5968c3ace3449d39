"""Bind, edit, unbind: one form, whose dry run is always beside it, and who serves what it did."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.page.console import Told, ask
from slotbeam.api.page.forms import Form, binding_body
from slotbeam.api.page.render import page
from slotbeam.api.page.routes import Pages, choices
from slotbeam.api.page.sessions import Session

DRY = {"dry_run": "true"}
WAIT = {"wait": "all", "timeout": "5s"}


def binding_routes(pages: Pages) -> APIRouter:
    """Build the form of a binding, new or held."""
    router = APIRouter(prefix="/ops", include_in_schema=False)

    @router.get("/bind")
    async def blank(request: Request, words: str = "", category: str = "") -> Response:
        form = {"words": words, "category": category, "match": "true" if words else ""}
        return await _form(pages, request, pages.signed_in(request), "/ops/bind", form)

    @router.post("/bind/preview")
    async def preview(request: Request) -> Response:
        session, form = await pages.posted(request)
        return _previewed(await _bind(request, session, form, DRY))

    @router.post("/bind")
    async def bind(request: Request) -> Response:
        session, form = await pages.posted(request)
        told = await _bind(request, session, form, WAIT)
        if not told.ok:
            return await _form(pages, request, session, "/ops/bind", form, told)
        return await pages.show(request, session, "done.html", "slots", told=told.body)

    @router.get("/slots/{slot}")
    async def held(request: Request, slot: str) -> Response:
        session = pages.signed_in(request)
        told = await ask(request, session, "GET", f"/slots/{quote(slot, safe='')}")
        if not told.ok or "id" not in told.body:
            return await pages.show(request, session, "refused.html", "slots", told.status, problem=told.body)
        return await _form(pages, request, session, _at(slot), _filled(told.body), view=told.body)

    @router.post("/slots/{slot}/preview")
    async def preview_edit(request: Request, slot: str) -> Response:
        session, form = await pages.posted(request)
        return _previewed(await _edit(request, session, slot, form, DRY))

    @router.post("/slots/{slot}")
    async def edit(request: Request, slot: str) -> Response:
        session, form = await pages.posted(request)
        told = await _edit(request, session, slot, form, WAIT)
        if not told.ok:
            view = (await ask(request, session, "GET", f"/slots/{quote(slot, safe='')}")).body
            return await _form(pages, request, session, _at(slot), form, told, view)
        return await pages.show(request, session, "done.html", "slots", told=told.body)

    @router.post("/slots/{slot}/unbind")
    async def remove(request: Request, slot: str) -> Response:
        session, form = await pages.posted(request)
        at, condition = f"/slots/{quote(slot, safe='')}", {"if-match": form.get("etag", "")}
        told = await ask(request, session, "DELETE", at, params=WAIT, headers=condition)
        template = "done.html" if told.ok else "refused.html"
        return await pages.show(request, session, template, "slots", told.status, told=told.body, problem=told.body)

    return router


async def _bind(request: Request, session: Session, form: Form, params: dict[str, str]) -> Told:
    key = {"idempotency-key": form.get("key", "")} if params is WAIT and form.get("key") else {}
    return await ask(request, session, "POST", "/slots", params=params, body=binding_body(form), headers=key)


async def _edit(request: Request, session: Session, slot: str, form: Form, params: dict[str, str]) -> Told:
    """Change what the form shows and nothing else; items that it leaves as they are stay, and are not found anew."""
    at, body = f"/slots/{quote(slot, safe='')}", binding_body(form)
    held = (await ask(request, session, "GET", at)).body
    if body["items"] == {"ids": held.get("item_ids"), "match": held.get("match")}:
        del body["items"]
    condition = {"if-match": form.get("etag", "")}
    return await ask(request, session, "PATCH", at, params=params, body=body, headers=condition)


async def _form(
    pages: Pages,
    request: Request,
    session: Session,
    action: str,
    form: Form,
    refused: Told | None = None,
    view: dict[str, Any] | None = None,
) -> Response:
    status, problem = (refused.status, refused.body) if refused else (200, None)
    told = {"action": action, "form": form, "problem": problem, "view": view, **choices()}
    return await pages.show(request, session, "bind.html", "slots" if view else "bind", status, **told)


def _previewed(told: Told) -> Response:
    if not told.ok:
        return page("preview.html", problem=told.body, dry=None)
    return page("preview.html", problem=None, dry=told.body)


def _at(slot: str) -> str:
    return f"/ops/slots/{quote(slot, safe='')}"


def _filled(view: dict[str, Any]) -> Form:
    """Return the form of a binding that is held; times are in UTC."""
    flags = {name: "on" for name in ("near_miss", "exact") if view.get(name)}
    if view["state"] == "draft":
        flags["draft"] = "on"
    match = view.get("match")
    return {
        "words": "\n".join(view["words"]),
        "items": "\n".join(view.get("item_ids", ())),
        "match": "true" if match is True else str(match or ""),
        "starts_at": (view.get("starts_at") or "")[:16],
        "ends_at": (view.get("ends_at") or "")[:16],
        "zone": "UTC",
        "etag": view["etag"],
        **{name: str(view.get(name) or "") for name in ("category", "placement", "owner", "reason")},
        **flags,
    }
