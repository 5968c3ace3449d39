"""From the page to `/admin`: the same application is asked in this process, with the token of who signed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.requests import Request

from slotbeam.api.page.sessions import Session

DRY = {"dry_run": "true"}
WAIT = {"wait": "all", "timeout": "5s"}


@dataclass(frozen=True)
class Told:
    """What `/admin` answered: a status, and the JSON of its body, a problem document where it refused."""

    status: int
    body: dict[str, Any]
    etag: str | None = None

    @property
    def ok(self) -> bool:
        return self.status < 400


async def ask(
    request: Request,
    session: Session,
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    body: object = None,
    csv: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Told:
    """Send one request to `/admin` on behalf of `session`.

    Args:
        request: of the browser: its address and what it says of its site go along.
        path: below `/admin`, percent-encoded.
        params: query parameters; empty ones are left out.
        body: sent as JSON; None sends none.
        csv: a file of bindings, sent instead.
    """
    sent = {"authorization": f"Bearer {session.token}", **(headers or {})}
    if "sec-fetch-site" in request.headers:
        sent["sec-fetch-site"] = request.headers["sec-fetch-site"]
    content: dict[str, Any] = {} if body is None else {"json": body}
    if csv is not None:
        content, sent["content-type"] = {"content": csv.encode()}, "text/csv; charset=utf-8"
    client = (request.client.host, request.client.port) if request.client else ("127.0.0.1", 0)
    transport = httpx.ASGITransport(request.app, client=client)
    given = {name: value for name, value in (params or {}).items() if value != ""}
    async with httpx.AsyncClient(transport=transport, base_url="http://slotbeam", trust_env=False) as asking:
        answer = await asking.request(method, f"/admin{path}", params=given, headers=sent, **content)
    return Told(answer.status_code, answer.json(), answer.headers.get("etag"))
