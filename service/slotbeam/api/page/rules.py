"""Rules: what has no slot, made, edited and removed with the dry run beside them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.page.binding import DRY, WAIT
from slotbeam.api.page.console import Told, ask
from slotbeam.api.page.forms import Form, lines, zoned
from slotbeam.api.page.render import page
from slotbeam.api.page.routes import Pages, choices
from slotbeam.api.page.sessions import Session
from slotbeam.errors import InputError

OBJECTS = {"boost": list, "bury": list, "filter": dict, "when": dict, "metadata": dict}
"""Fields that are said as JSON, and what each is."""
LISTS = ("words", "unless", "hide", "positions")
TEXTS = ("trigger", "replace", "alias", "owner", "reason")
FLAGS = ("two_way", "draft")


def rule_routes(pages: Pages) -> APIRouter:
    """Build the views of rules."""
    router = APIRouter(prefix="/ops/rules", include_in_schema=False)

    @router.get("")
    async def every(request: Request, q: str = "") -> Response:
        session = pages.signed_in(request)
        told = await ask(request, session, "GET", "/rules", params={"q": q})
        problem = None if told.ok else told.body
        return await pages.show(
            request, session, "rules.html", "rules", told.status, told=told.body, problem=problem, q=q
        )

    @router.get("/new")
    async def blank(request: Request) -> Response:
        return await _form(pages, request, pages.signed_in(request), {})

    @router.post("/new/preview")
    async def preview(request: Request) -> Response:
        session, form = await pages.posted(request)
        return _previewed(await _send(request, session, form, DRY))

    @router.post("/new")
    async def make(request: Request) -> Response:
        session, form = await pages.posted(request)
        return await _done(pages, request, session, form, await _send(request, session, form, WAIT))

    @router.get("/{rule}")
    async def held(request: Request, rule: str) -> Response:
        session = pages.signed_in(request)
        told = await ask(request, session, "GET", f"/rules/{quote(rule, safe='')}")
        if not told.ok:
            return await pages.show(request, session, "refused.html", "rules", told.status, problem=told.body)
        return await _form(pages, request, session, _filled(told.body), view=told.body)

    @router.post("/{rule}/preview")
    async def preview_edit(request: Request, rule: str) -> Response:
        session, form = await pages.posted(request)
        return _previewed(await _send(request, session, form, DRY, rule))

    @router.post("/{rule}")
    async def edit(request: Request, rule: str) -> Response:
        session, form = await pages.posted(request)
        told = await _send(request, session, form, WAIT, rule)
        return await _done(pages, request, session, form, told, rule)

    @router.post("/{rule}/unbind")
    async def remove(request: Request, rule: str) -> Response:
        session, form = await pages.posted(request)
        at, condition = f"/rules/{quote(rule, safe='')}", {"if-match": form.get("etag", "")}
        told = await ask(request, session, "DELETE", at, params=WAIT, headers=condition)
        template = "done.html" if told.ok else "refused.html"
        return await pages.show(request, session, template, "rules", told.status, told=told.body, problem=told.body)

    return router


async def _send(
    request: Request, session: Session, form: Form, params: dict[str, str], rule: str | None = None
) -> Told:
    """Make a rule, or change one; a field that is no JSON is told like any other that is wrong."""
    try:
        body = rule_body(form)
    except InputError as error:
        return Told(422, {"title": "Invalid input", "detail": str(error)})
    if rule is not None:
        at, condition = f"/rules/{quote(rule, safe='')}", {"if-match": form.get("etag", "")}
        return await ask(request, session, "PATCH", at, params=params, body=body, headers=condition)
    key = {"idempotency-key": form["key"]} if params is WAIT and form.get("key") else {}
    given = {name: value for name, value in body.items() if value not in (None, "", [])}
    return await ask(request, session, "POST", "/rules", params=params, body={"words": [], **given}, headers=key)


def rule_body(form: Form) -> dict[str, Any]:
    """Return what a form says of a rule, as `/admin/rules` takes it. Raises `InputError`: a field is no JSON."""
    zone = form.get("zone", "UTC")
    body: dict[str, Any] = {name: lines(form.get(name, "")) for name in LISTS}
    body |= {name: form.get(name, "") for name in TEXTS if name != "trigger"}
    body["trigger"] = form.get("trigger", "contains")
    body |= {name: name in form for name in FLAGS}
    body |= {name: zoned(form.get(name, ""), zone) for name in ("starts_at", "ends_at")}
    for name, kind in OBJECTS.items():
        text = form.get(name, "").strip()
        try:
            body[name] = orjson.loads(text) if text else ([] if kind is list else None)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{name} is not JSON: {error}") from None
    return {**body, "sample_queries": lines(form.get("samples", ""))}


async def _form(
    pages: Pages,
    request: Request,
    session: Session,
    form: Form,
    refused: Told | None = None,
    view: dict[str, Any] | None = None,
) -> Response:
    action = f"/ops/rules/{view['id']}" if view else "/ops/rules/new"
    status, problem = (refused.status, refused.body) if refused else (200, None)
    told = {"action": action, "form": form, "problem": problem, "view": view, **choices()}
    return await pages.show(request, session, "rule.html", "rules", status, **told)


async def _done(
    pages: Pages, request: Request, session: Session, form: Form, told: Told, rule: str | None = None
) -> Response:
    if told.ok:
        return await pages.show(request, session, "done.html", "rules", told=told.body)
    view = (await ask(request, session, "GET", f"/rules/{quote(rule, safe='')}")).body if rule else None
    return await _form(pages, request, session, form, told, view if view and "words" in view else None)


def _previewed(told: Told) -> Response:
    problem, dry = (None, told.body) if told.ok else (told.body, None)
    return page("preview.html", problem=problem, dry=dry)


def _filled(view: dict[str, Any]) -> Form:
    """Return the form of a rule that is held; times are in UTC."""
    form = {name: "\n".join(view.get(name) or ()) for name in LISTS}
    form |= {name: str(view.get(name) or "") for name in TEXTS}
    form |= {name: orjson.dumps(view[name]).decode() for name in OBJECTS if view.get(name)}
    form |= {name: "on" for name in FLAGS if view.get(name)}
    form |= {name: (view.get(name) or "")[:16] for name in ("starts_at", "ends_at")}
    if view["state"] == "draft":
        form["draft"] = "on"
    return {**form, "zone": "UTC", "etag": view["etag"]}
