"""The routes of the page: who is signed in, what they see first, and what every other view needs."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from zoneinfo import available_timezones

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from slotbeam.api.page.console import Told, ask
from slotbeam.api.page.desk import Desk, asked_for, reports
from slotbeam.api.page.forms import Form, read_form
from slotbeam.api.page.render import NEVER_KEPT, asset, page
from slotbeam.api.page.sessions import COOKIE, SIGNING_IN, Session, Sessions, check_csrf, check_site, set_cookie
from slotbeam.kae.categories import CATEGORIES
from slotbeam.suggestions.activity import merge_activity

STREAM_S = 60.0
"""How long one stream of events lasts; a browser asks for the next one by itself."""
LOOK_S = 0.25
LISTS = {"slots": ("/", {"bound": "true"}), "rules": ("/ops/rules", {})}
"""What is listed: where, and which of it."""
SHOWN = 200
"""Rows of a page of a list."""


@dataclass(frozen=True)
class Pages:
    """What the page's routes share."""

    desk: Desk
    sessions: Sessions

    def signed_in(self, request: Request) -> Session:
        """Return the session of `request`; who has none is sent to sign in."""
        session = self.sessions.of(request)
        if session is None:
            raise HTTPException(303, "sign in first", {"Location": "/"})
        return session

    async def posted(self, request: Request) -> tuple[Session, Form]:
        """Return session and form of a `POST`. Raises `Forbidden`: the page did not give out the form."""
        session = self.signed_in(request)
        form = await read_form(request, self.desk.settings.admin_body_limit)
        check_csrf(session.csrf, form.get("csrf", ""))
        return session, form

    def may(self, session: Session) -> frozenset[str]:
        """Return what the token of `session` may do: what it may not is refused by `/admin`, and not offered here."""
        return self.desk.tokens.scopes_of(session.token)

    async def outcome(self, request: Request, session: Session, tab: str, told: Told, did: str) -> Response:
        """Say what an edit did, in a word, and who has it; or why it was refused."""
        template = "done.html" if told.ok else "refused.html"
        return await self.show(request, session, template, tab, told.status, told=told.body, problem=told.body, did=did)

    async def show(
        self, request: Request, session: Session, template: str, tab: str, status: int = 200, **told: object
    ) -> Response:
        """Answer with a whole page: its head tells what is served, and by whom."""
        head, may = await self.head(request, session), self.may(session)
        return page(template, status, tab=tab, csrf=session.csrf, head=head, may=may, **told)

    async def head(self, request: Request, session: Session) -> dict[str, object]:
        """Return what the head of every page says: of the replicas, or why that is not known."""
        told = await ask(request, session, "GET", "/replicas")
        if told.status == 401:
            self.sessions.close(request)
            raise HTTPException(303, "the token is no longer taken", {"Location": "/"})
        replicas, revision = told.body.get("replicas", []), told.body.get("revision")
        return {
            "revision": revision,
            "replicas": len(replicas),
            "synced": sum(one["revision"] == revision and one["state"] == "live" for one in replicas),
            "problem": None if told.ok else told.body.get("detail"),
        }


def choices() -> dict[str, object]:
    """Return what the form of a binding offers, and the key that makes sending it twice one edit."""
    return {"categories": CATEGORIES, "zones": sorted(available_timezones()), "key": secrets.token_urlsafe(16)}


def base_routes(pages: Pages) -> APIRouter:
    """Build `/`, signing in and out, the assets, and the stream of events."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def root(request: Request, q: str = "", state: str = "", after: str = "") -> Response:
        session = pages.sessions.of(request)
        if session is None:
            return _sign_in(request)
        return await show_list(pages, request, session, "slots", q, state, after)

    @router.get("/ops/slots")
    async def rows(request: Request, q: str = "", state: str = "", after: str = "") -> Response:
        return await show_list(pages, request, pages.signed_in(request), "slots", q, state, after)

    @router.post("/ops/sign-in")
    async def sign_in(request: Request) -> Response:
        form = await read_form(request, 8192)
        check_site(request)
        check_csrf(request.cookies.get(SIGNING_IN, ""), form.get("csrf", ""))
        token = form.get("token", "").strip()
        asked = Session(token if token.isascii() and token.isprintable() else "", "", 0)
        told = await ask(request, asked, "GET", "/replicas")
        if told.status in (401, 429):
            return _sign_in(request, told)
        response = RedirectResponse("/", 303, headers=NEVER_KEPT)
        set_cookie(request, response, COOKIE, pages.sessions.open(token))
        response.delete_cookie(SIGNING_IN)
        return response

    @router.post("/ops/sign-out")
    async def sign_out(request: Request) -> Response:
        await pages.posted(request)
        pages.sessions.close(request)
        response = RedirectResponse("/", 303, headers=NEVER_KEPT)
        response.delete_cookie(COOKIE)
        return response

    @router.get("/ops/assets/{name}")
    async def assets(name: str, v: str = "") -> Response:
        return asset(name)

    @router.get("/ops/live")
    async def live(request: Request) -> Response:
        pages.signed_in(request)
        return StreamingResponse(_events(pages, request), media_type="text/event-stream", headers=NEVER_KEPT)

    return router


def _sign_in(request: Request, refused: Told | None = None) -> Response:
    csrf = secrets.token_urlsafe(32)
    problem = refused.body if refused else None
    response = page("signin.html", refused.status if refused else 200, csrf=csrf, problem=problem)
    set_cookie(request, response, SIGNING_IN, csrf)
    return response


async def show_list(
    pages: Pages, request: Request, session: Session, kind: str, q: str, state: str, after: str
) -> Response:
    """Show a page of one of `LISTS`; of what is on it, what is asked for most comes first."""
    at, those = LISTS[kind]
    asked = {**those, "q": q, "state": state, "after": after, "limit": str(SHOWN)}
    told = await ask(request, session, "GET", f"/{kind}", params=asked)
    held, documents = told.body.get(kind, []), await reports(pages.desk) if told.ok else ()
    sampled, taken = await asked_for(pages.desk, documents)
    held.sort(key=lambda one: -taken.get(one["id"], 0))
    return await pages.show(
        request,
        session,
        f"{kind}.html",
        kind,
        status=told.status,
        problem=None if told.ok else told.body,
        at=at,
        counts=told.body.get("counts", {}),
        listed=held,
        after=after,
        next=told.body.get("next"),
        taken=taken,
        clicked=merge_activity(documents),
        sampled=sampled,
        most=max([1, *taken.values()]),
        q=q,
        state=state,
    )


async def _events(pages: Pages, request: Request) -> AsyncIterator[bytes]:
    """Tell of each revision that this plane comes to serve, while the session lasts."""
    seen: object = None
    yield b"retry: 1000\n\n"
    try:
        async with asyncio.timeout(STREAM_S):
            while pages.sessions.of(request) is not None:
                snapshot = pages.desk.holder.current
                now = (snapshot.epoch, snapshot.revision, snapshot.state, snapshot.active)
                if now != seen:
                    seen = now
                    yield f"event: change\ndata: {snapshot.revision}\n\n".encode()
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        return
