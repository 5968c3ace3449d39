"""What every answer tells a browser: take the body for what it says it is, run nothing, show it in no frame."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

EVERY = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
NO_STORE = (b"cache-control", b"no-store")


class Headers:
    """ASGI middleware around a whole application; answers under `/admin` may not be stored either.

    What an answer says for itself stands: `/docs` has a policy of its own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        added = (*EVERY, NO_STORE) if (scope["path"] + "/").startswith("/admin/") else EVERY

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n, v) for n, v in added if n not in said)]
            await send(message)

        await self.app(scope, receive, adding)
