"""Which pages of other origins may ask: those that `SLOTBEAM_CORS_ORIGINS` names, and only what frontends need."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from slotbeam.api.http.problems import problem_of
from slotbeam.errors import Forbidden

METHODS = ("GET", "HEAD", "POST")
SENT = ("Content-Type", "If-None-Match", "X-Asker")
READ = ("Server-Timing", "X-Bindings-Revision", "ETag", "Retry-After")


class PublicCors(CORSMiddleware):
    """Starlette's CORS for some paths alone, without credentials; a preflight that is refused is a problem document.

    Args:
        app: what it stands before.
        origins: whose pages may ask; `*` is any.
        paths: what they may ask.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], paths: Collection[str]) -> None:
        super().__init__(app, origins, METHODS, SENT, expose_headers=READ)
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._paths:
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer what a browser asks before it sends; 403 says what is not allowed, and what is."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:
            return answer
        refused = problem_of(
            Forbidden(
                f"{bytes(answer.body).decode()}; allowed: origins of SLOTBEAM_CORS_ORIGINS, methods "
                f"{', '.join(METHODS)}, headers {', '.join(SENT)}"
            )
        )
        refused.headers["Vary"] = answer.headers["Vary"]
        return refused
