"""A client of both planes, in step and async: `with Client(url) as shop: shop.retrieve("red mug", k=10).items`.

What may be sent twice is tried again when no answer comes or the service is busy, and waits as long as it asks for. A
refusal is a `ServiceError` that holds the problem document. Answers are the models that `/openapi.json` is made of;
members that a newer service adds are passed over.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx
from pydantic import BaseModel

from slotbeam.errors import SetupError

if TYPE_CHECKING:  # models of answers stand on numpy, which takes longer to load than most commands run
    from slotbeam.api.http.models import PlaneInfo
    from slotbeam.api.retrieve.models import BatchAnswer, EventsAccepted, RetrieveAnswer

TIMEOUT_S = 30.0
TRIES = 4
_BUSY = (429, 503)
_LONGEST_S = 30.0
_SAFE_METHODS = ("GET", "HEAD")
_SAFE_PATHS = ("/retrieve", "/retrieve:batch", "/events")
"""POSTs that may be sent twice without a key: a search changes nothing, and an event counts once."""

M = TypeVar("M", bound=BaseModel)


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


class _Requests:
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
            request.method in _SAFE_METHODS or "idempotency-key" in request.headers or request.url.path in _SAFE_PATHS
        )
        if tried >= self.tries or not repeatable or (answer is not None and answer.status_code not in _BUSY):
            return None
        try:
            asked = float(answer.headers["retry-after"]) if answer is not None else 0.0
        except (KeyError, ValueError):
            asked = 0.0
        # Who was refused together must not come back together.
        return None if not 0 <= asked <= _LONGEST_S else asked + random.uniform(0, 0.1 * 2**tried)


class Client(_Requests):
    """Calls one plane; use it as a context manager, from one thread or several. Arguments: see `_Requests`.

    Every call raises `ServiceError` when the service refuses and `httpx.TransportError` when no answer comes.
    """

    sleep: Callable[[float], None] = staticmethod(time.sleep)

    def __init__(self, url: str, token: str | None = None, **options: Any) -> None:
        super().__init__(url, token, **options)
        self._http = httpx.Client(**self.options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send one request; `request` as `httpx.Client.request` takes it."""
        built = self._http.build_request(method, path, **request)
        tried = 0
        while True:
            tried += 1
            try:
                answer = self._http.send(built)
            except httpx.TransportError:
                pause = self.pause_s(built, tried, None)
                if pause is None:
                    raise
            else:
                pause = self.pause_s(built, tried, answer)
                if pause is None:
                    return _accepted(answer)
            self.sleep(pause)

    def retrieve(self, query: str, **fields: Any) -> RetrieveAnswer:
        """Answer one query; `fields` are further ones of `POST /retrieve`."""
        from slotbeam.api.retrieve.models import RetrieveAnswer

        return _read(RetrieveAnswer, self.call("POST", "/retrieve", json={"query": query, **fields}))

    def retrieve_batch(self, queries: Sequence[Mapping[str, Any]]) -> BatchAnswer:
        """Answer up to 64 queries, each a body of `POST /retrieve`, on one snapshot."""
        from slotbeam.api.retrieve.models import BatchAnswer

        return _read(BatchAnswer, self.call("POST", "/retrieve:batch", json={"queries": list(queries)}))

    def report(self, events: Sequence[Mapping[str, Any]]) -> EventsAccepted:
        """Tell of up to 64 events, each as `POST /events` takes it."""
        from slotbeam.api.retrieve.models import EventsAccepted

        return _read(EventsAccepted, self.call("POST", "/events", json={"events": list(events)}))

    def info(self) -> PlaneInfo:
        """Return what the plane serves."""
        from slotbeam.api.http.models import PlaneInfo

        return _read(PlaneInfo, self.call("GET", "/info"))


class AsyncClient(_Requests):
    """`Client` for asyncio."""

    sleep: Callable[[float], Awaitable[None]] = staticmethod(asyncio.sleep)

    def __init__(self, url: str, token: str | None = None, **options: Any) -> None:
        super().__init__(url, token, **options)
        self._http = httpx.AsyncClient(**self.options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """See `Client.call`."""
        built = self._http.build_request(method, path, **request)
        tried = 0
        while True:
            tried += 1
            try:
                answer = await self._http.send(built)
            except httpx.TransportError:
                pause = self.pause_s(built, tried, None)
                if pause is None:
                    raise
            else:
                pause = self.pause_s(built, tried, answer)
                if pause is None:
                    return _accepted(answer)
            await self.sleep(pause)

    async def retrieve(self, query: str, **fields: Any) -> RetrieveAnswer:
        """See `Client.retrieve`."""
        from slotbeam.api.retrieve.models import RetrieveAnswer

        return _read(RetrieveAnswer, await self.call("POST", "/retrieve", json={"query": query, **fields}))

    async def retrieve_batch(self, queries: Sequence[Mapping[str, Any]]) -> BatchAnswer:
        """See `Client.retrieve_batch`."""
        from slotbeam.api.retrieve.models import BatchAnswer

        return _read(BatchAnswer, await self.call("POST", "/retrieve:batch", json={"queries": list(queries)}))

    async def report(self, events: Sequence[Mapping[str, Any]]) -> EventsAccepted:
        """See `Client.report`."""
        from slotbeam.api.retrieve.models import EventsAccepted

        return _read(EventsAccepted, await self.call("POST", "/events", json={"events": list(events)}))

    async def info(self) -> PlaneInfo:
        """See `Client.info`."""
        from slotbeam.api.http.models import PlaneInfo

        return _read(PlaneInfo, await self.call("GET", "/info"))


def _accepted(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise ServiceError(response)
    return response


def _read(model: type[M], response: httpx.Response) -> M:
    return model.model_validate_json(response.content, extra="ignore")
