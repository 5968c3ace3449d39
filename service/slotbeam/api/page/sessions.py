"""Who is signed in to the page: a cookie that names a session of this process, which holds the token."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from slotbeam.errors import Forbidden

COOKIE = "slotbeam_session"
SIGNING_IN = "slotbeam_signing_in"
LASTS_S = 12 * 3600.0
MAX_SESSIONS = 1000


@dataclass(frozen=True)
class Session:
    """One browser that is signed in.

    Attributes:
        token: the bearer token; every request carries it, so one that is revoked ends here, too.
        csrf: what each of its forms repeats.
        ends_at: unix seconds.
    """

    token: str
    csrf: str
    ends_at: float


class Sessions:
    """The sessions of this process; they end with it.

    Args:
        clock: unix seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: dict[bytes, Session] = {}

    def open(self, token: str) -> str:
        """Begin a session. Returns what its cookie holds."""
        now = self._clock()
        self._open = {key: one for key, one in self._open.items() if one.ends_at > now}
        while len(self._open) >= MAX_SESSIONS:
            del self._open[next(iter(self._open))]
        name = secrets.token_urlsafe(32)
        self._open[_key(name)] = Session(token, secrets.token_urlsafe(32), now + LASTS_S)
        return name

    def of(self, request: Request) -> Session | None:
        """Return the session that the cookie of `request` names, if it is open."""
        session = self._open.get(_key(request.cookies.get(COOKIE, "")))
        return session if session is not None and session.ends_at > self._clock() else None

    def close(self, request: Request) -> None:
        """End the session of `request`."""
        self._open.pop(_key(request.cookies.get(COOKIE, "")), None)


def check_csrf(expected: str, given: str) -> None:
    """Refuse a form that the page did not give out to this browser. Raises `Forbidden`."""
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Forbidden("the form is not one of this session; load the page again and send it from there")


def check_site(request: Request) -> None:
    """Refuse what a browser says that another site sent. Raises `Forbidden`."""
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Forbidden("a page of another site sent this; sign in at the page itself")


def set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    """Set a cookie that no script reads and no other site sends; under TLS it goes no other way."""
    response.set_cookie(
        name, value, max_age=int(LASTS_S), httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )


def _key(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
