"""How a request is sent: with which client of httpx, when it is sent again, and what a refusal becomes."""

from __future__ import annotations

import random
from typing import Any

import httpx

from slotbeam.errors import SetupError

TIMEOUT_S = 30.0
TRIES = 4
_BUSY = (429, 503)
_LONGEST_S = 30.0
_SAFE_METHODS = ("GET", "HEAD")
_SAFE_PATHS = ("/retrieve", "/retrieve:batch", "/events")
"""POSTs that may be sent twice without a key: a search changes nothing, and an event counts once."""


class ServiceError(Exception):
    """The service refused.

    Attributes:
        status: of HTTP.
        problem: the problem document (RFC 9457); empty where the answer, of a proxy say, was none.
    """

    def __init__(self, response: httpx.Response) -> None:
        try:
            problem = response.json()
            detail = str(problem["detail"])
        except (ValueError, KeyError, TypeError):
            problem, detail = {}, response.text[:300]
        self.status, self.problem = response.status_code, problem
        super().__init__(f"{detail} (HTTP {self.status})")


class Sender:
    """What both clients share: how a client of httpx is made, and when a request is sent again.

    Args:
        url: of the plane.
        token: sent as a bearer token.
        timeout_s: seconds that an answer may take.
        tries: how often a request is sent at most.
        options: further ones of httpx's client, such as `transport`.

    Raises:
        SetupError: the token cannot be sent; the message does not tell it.
    """

    def __init__(
        self, url: str, token: str | None = None, *, timeout_s: float = TIMEOUT_S, tries: int = TRIES, **options: Any
    ) -> None:
        if token and any(ord(c) < 32 or ord(c) == 127 for c in token):
            raise SetupError("the token holds a control character (a line break?); it must be one line of text")
        self.url, self.tries = url, tries
        # An http URL needs no certificates: reading them takes 20 ms of every command.
        self.options: dict[str, Any] = {
            "base_url": url,
            "headers": {b"Authorization": f"Bearer {token}".encode()} if token else {},
            "timeout": timeout_s,
            "trust_env": False,
            "verify": not url.lower().startswith("http:"),
        } | options

    def pause_s(self, request: httpx.Request, tried: int, answer: httpx.Response | None) -> float | None:
        """Return the seconds after which `request` is sent again; None where it is not.

        Args:
            tried: how often it was sent.
            answer: to the last time; None where none came.
        """
        repeatable = (
            request.method in _SAFE_METHODS
            or "idempotency-key" in request.headers
            or request.url.path.endswith(_SAFE_PATHS)  # behind /v1, or the path of a proxy
        )
        if tried >= self.tries or not repeatable or (answer is not None and answer.status_code not in _BUSY):
            return None
        try:
            asked = float(answer.headers["retry-after"]) if answer is not None else 0.0
        except (KeyError, ValueError):
            asked = 0.0
        # Who was refused together must not come back together.
        return None if not 0 <= asked <= _LONGEST_S else asked + random.uniform(0, 0.1 * 2**tried)


def accepted(response: httpx.Response) -> httpx.Response:
    """Return the answer. Raises `ServiceError` where it is a refusal."""
    if response.is_error:
        raise ServiceError(response)
    return response
