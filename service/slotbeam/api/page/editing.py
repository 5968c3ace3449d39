"""One form that makes, edits, publishes and removes, with its dry run beside it: of bindings, and of rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.access.tokens import DRAFT, PUBLISH
from slotbeam.api.http.problems import document_of
from slotbeam.api.page.console import DRY, WAIT, Told, ask
from slotbeam.api.page.forms import Form, lines, zoned
from slotbeam.api.page.render import page
from slotbeam.api.page.routes import Pages, choices
from slotbeam.api.page.sessions import Session
from slotbeam.errors import InputError

Ids = Annotated[list[str], Query(default_factory=list)]
"""Of items that were chosen: a binding's own, or those that a rule hides."""
View = Mapping[str, Any]
"""A binding or a rule, as `/admin` tells it."""


@dataclass(frozen=True)
class Edited:
    """What a form edits.

    Attributes:
        at: the last part of its address, of the API and of the page.
        template: of the form.
        body: makes what `/admin` takes of a form and of what it edits, None for a new one; may raise `InputError`.
        filled: makes the form of what is held.
        offered: returns what the template offers to choose from, beside `choices`.
    """

    at: str
    template: str
    body: Callable[[Form, View | None], dict[str, Any]]
    filled: Callable[[View], Form]
    offered: Callable[[], Mapping[str, object]] = dict


def editing_routes(pages: Pages, edited: Edited) -> APIRouter:
    """Build the views of bindings, or of rules."""
    router = APIRouter(prefix=f"/ops/{edited.at}", include_in_schema=False)

    @router.get("/new")
    async def blank(request: Request, items: Ids, words: str = "", category: str = "", match: str = "") -> Response:
        ids = "\n".join(items)
        form = {"words": words, "category": category, "match": match, "items": ids, "hide": ids}
        return await _form(pages, request, pages.signed_in(request), edited, form)

    @router.post("/new/preview")
    async def preview(request: Request) -> Response:
        session, form = await pages.posted(request)
        return _previewed(await _send(request, session, edited, form, DRY))

    @router.post("/new")
    async def make(request: Request) -> Response:
        session, form = await pages.posted(request)
        told = await _send(request, session, edited, form, WAIT)
        if told.ok:
            return await pages.outcome(request, session, edited.at, told, "Made")
        return await _form(pages, request, session, edited, form, told)

    @router.get("/{one}")
    async def held(request: Request, one: str) -> Response:
        session = pages.signed_in(request)
        told = await ask(request, session, "GET", _path(edited, one))
        if "etag" not in told.body:
            return await pages.show(request, session, "refused.html", edited.at, told.status, problem=told.body)
        return await _form(pages, request, session, edited, edited.filled(told.body), view=told.body)

    @router.post("/{one}/preview")
    async def preview_edit(request: Request, one: str) -> Response:
        session, form = await pages.posted(request)
        return _previewed(await _send(request, session, edited, form, DRY, one))

    @router.post("/{one}")
    async def edit(request: Request, one: str) -> Response:
        session, form = await pages.posted(request)
        told = await _send(request, session, edited, form, WAIT, one)
        if told.ok:
            return await pages.outcome(request, session, edited.at, told, "Saved")
        view = (await ask(request, session, "GET", _path(edited, one))).body
        return await _form(pages, request, session, edited, form, told, view if "id" in view else None)

    @router.post("/{one}/publish/preview")
    async def preview_publish(request: Request, one: str) -> Response:
        session, form = await pages.posted(request)
        return _previewed(await _patch(request, session, edited, one, {"draft": "draft" in form}, form, DRY))

    @router.post("/{one}/publish")
    async def publish(request: Request, one: str) -> Response:
        session, form = await pages.posted(request)
        told = await _patch(request, session, edited, one, {"draft": "draft" in form}, form, WAIT)
        return await pages.outcome(request, session, edited.at, told, "Taken back" if "draft" in form else "Published")

    @router.post("/{one}/unbind")
    async def remove(request: Request, one: str) -> Response:
        session, form = await pages.posted(request)
        condition = {"if-match": form.get("etag", "")}
        told = await ask(request, session, "DELETE", _path(edited, one), params=WAIT, headers=condition)
        return await pages.outcome(request, session, edited.at, told, "Removed")

    return router


def said_of_any(form: Form) -> dict[str, Any]:
    """Return what either form says: its words, times, owner, reason, whether it is a draft, and samples."""
    zone = form.get("zone", "UTC")
    return {
        "words": lines(form.get("words", "")),
        "draft": "draft" in form,
        "starts_at": zoned(form.get("starts_at", ""), zone),
        "ends_at": zoned(form.get("ends_at", ""), zone),
        "owner": form.get("owner", ""),
        "reason": form.get("reason", ""),
        "sample_queries": lines(form.get("samples", "")),
    }


def filled_of_any(view: View) -> dict[str, str]:
    """Return those fields of what is held; times are in UTC."""
    draft = {"draft": "on"} if view["state"] == "draft" else {}
    times = {name: (view.get(name) or "")[:16] for name in ("starts_at", "ends_at")}
    told = {name: str(view.get(name) or "") for name in ("owner", "reason")}
    return {"words": "\n".join(view["words"]), "zone": "UTC", "etag": view["etag"], **times, **told, **draft}


async def _send(
    request: Request, session: Session, edited: Edited, form: Form, params: Mapping[str, str], one: str | None = None
) -> Told:
    """Make what the form says, or change `one` to it; a field that cannot be read is told like any that is wrong."""
    held = None if one is None else (await ask(request, session, "GET", _path(edited, one))).body
    try:
        body = edited.body(form, held)
    except InputError as error:
        return Told(422, document_of(error))
    if one is not None:
        return await _patch(request, session, edited, one, body, form, params)
    key = {"idempotency-key": form["key"]} if params is WAIT and form.get("key") else {}
    return await ask(request, session, "POST", f"/{edited.at}", params=params, body=body, headers=key)


async def _patch(
    request: Request,
    session: Session,
    edited: Edited,
    one: str,
    body: Mapping[str, Any],
    form: Form,
    params: Mapping[str, str],
) -> Told:
    condition = {"if-match": form.get("etag", "")}
    return await ask(request, session, "PATCH", _path(edited, one), params=params, body=body, headers=condition)


async def _form(
    pages: Pages,
    request: Request,
    session: Session,
    edited: Edited,
    form: Form,
    refused: Told | None = None,
    view: View | None = None,
) -> Response:
    """Show the form, with what was typed and what is wrong with it; what the token may not do is not offered."""
    status, problem = (refused.status, refused.body) if refused else (200, None)
    may = pages.may(session)
    counts = view is not None and view["state"] != "draft"
    return await pages.show(
        request,
        session,
        edited.template,
        edited.at if view else f"{edited.at}/new",
        status,
        action=f"/ops/{edited.at}/{quote(str(view.get('slot') or view['id']), safe='') if view else 'new'}",
        form=form,
        problem=problem,
        wrong=wrong_fields(problem or {}, form),
        view=view,
        can_edit=DRAFT in may and (PUBLISH in may or not counts),
        can_publish=PUBLISH in may,
        **choices(),
        **edited.offered(),
    )


def wrong_fields(problem: Mapping[str, Any], form: Form) -> dict[str, list[str]]:
    """Return what a problem says of which field of the form: in its errors, or as what its text begins with."""
    told = {"sample_queries": "samples", "match": "items"}
    found: dict[str, list[str]] = {}
    for one in problem.get("errors", ()):
        name = one["field"].partition(".")[0]
        found.setdefault(told.get(name, name), []).append(one["message"])
    detail = str(problem.get("detail", ""))
    first = "words" if "word" in problem else detail.partition(" ")[0]
    if not found and (first in form or first == "words"):
        found[first] = [detail]
    return found


def _previewed(told: Told) -> Response:
    problem, dry = (None, told.body) if told.ok else (told.body, None)
    return page("preview.html", problem=problem, dry=dry)


def _path(edited: Edited, one: str) -> str:
    return f"/{edited.at}/{quote(one, safe='')}"
