"""One table from error class to HTTP status; every error leaves as RFC 9457 `application/problem+json`.

A problem document has a stable `type` (`urn:slotbeam:problem:<slug>`), a `title`, the `status`, a `detail` that says
what was given, what is allowed and what to do, and the error's own `details` as further members.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import orjson
import structlog
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from slotbeam import errors
from slotbeam.errors import SlotbeamError
from slotbeam.text import printable

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:slotbeam:problem:"

STATUS: dict[type[SlotbeamError], int] = {
    errors.SlotbeamError: 500,
    errors.InputError: 422,
    errors.TextError: 422,
    errors.FieldError: 422,
    errors.FilterError: 422,
    errors.CursorError: 422,
    errors.BindingError: 422,
    errors.ImportRefused: 422,
    errors.UnknownRequestId: 422,
    errors.RequestIdExpired: 422,
    errors.BodyError: 400,
    errors.RequestError: 400,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.RequestTimeout: 408,
    errors.Conflict: 409,
    errors.SlotTaken: 409,
    errors.WordTaken: 409,
    errors.NoFreeSlot: 409,
    errors.IdempotencyReused: 409,
    errors.Stale: 412,
    errors.PreconditionRequired: 428,
    errors.DeltaFull: 507,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.RateLimited: 429,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.HeadTooLarge: 431,
    errors.Overloaded: 503,
    errors.QueueTimeout: 503,
    errors.ShuttingDown: 503,
    errors.StoreError: 503,
    errors.StoreUnavailable: 503,
    errors.OutcomeUnknown: 503,
    errors.ArtifactError: 500,
    errors.SetupError: 500,
}

EVERY = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""What every answer tells a browser: take the body for what it says it is, run nothing, show it in no frame.

`guard.Headers` adds it. A problem that no middleware sees is given it where it is made.
"""
NO_STORE = (b"cache-control", b"no-store")

log = structlog.get_logger("slotbeam.api")


def status_of(error: SlotbeamError) -> int:
    """Return the status of the error's class, or of its nearest listed ancestor."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(
    status: int,
    slug: str,
    detail: str,
    details: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build the response of one problem document."""
    document = _document(status, slug, detail, details)
    try:
        content = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # a lone surrogate, or a value that is not JSON, in `details`
        content = orjson.dumps(_clean(document), option=orjson.OPT_NON_STR_KEYS)
    return Response(content, status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def _document(status: int, slug: str, detail: str, details: Mapping[str, object] | None) -> dict[str, object]:
    document: dict[str, object] = {
        "type": TYPE_PREFIX + slug,
        "title": slug.replace("-", " ").capitalize(),
        "status": status,
        "detail": printable(detail),
    }
    for member, value in (details or {}).items():
        document.setdefault(member, value)
    return document


def document_of(error: SlotbeamError) -> dict[str, object]:
    """Return the problem document of a slotbeam error, to be told inside another answer."""
    return _document(status_of(error), error.type, str(error), error.details)


def problem_of(error: SlotbeamError) -> Response:
    """Build the response of a slotbeam error; 401 asks for a bearer token, 429 and 503 say when to come back."""
    status = status_of(error)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="slotbeam"'
    if status in (429, 503):
        headers["Retry-After"] = str(error.details.get("retry_after_s", 1))
    return problem(status, error.type, str(error), error.details, headers)


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document: ours, unknown path or method, and bugs."""

    async def on_slotbeam(request: Request, error: Exception) -> Response:
        assert isinstance(error, SlotbeamError)
        if status_of(error) == 500:
            log.error("internal error", path=printable(request.url.path), error=printable(str(error)))
        return problem_of(error)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = printable(request.url.path[:200])
        if error.status_code == 404:
            return problem_of(errors.NotFound(f"there is nothing at {path}; /docs lists every path"))
        if error.status_code == 405:
            told = (error.headers or {}).get("Allow", "").split(", ")
            allowed = ", ".join(_methods_at(app, request) or sorted(told))
            response = problem_of(
                errors.MethodNotAllowed(f"{path} does not take {printable(request.method[:20])}; it takes {allowed}")
            )
            response.headers["Allow"] = allowed
            return response
        try:
            slug = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        except ValueError:
            slug = "http-error"
        return problem(error.status_code, slug, str(error.detail), headers=error.headers)

    async def on_bug(request: Request, error: Exception) -> Response:
        log.error("bug", path=printable(request.url.path), error=printable(repr(error)))
        response = problem(500, "internal", "This is a bug. The service keeps running; the log holds the traceback.")
        response.raw_headers.extend((*EVERY, NO_STORE))  # it leaves outside every middleware
        return response

    app.add_exception_handler(SlotbeamError, on_slotbeam)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_bug)


def _methods_at(app: FastAPI, request: Request) -> list[str]:
    """Return every method that the path of `request` takes (Starlette names those of the first route that matches)."""
    methods: set[str] = set()
    for context in iter_route_contexts(app.routes):
        if context.path and context.methods and compile_path(context.path)[0].match(request.url.path):
            methods |= context.methods
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def _clean(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(str(k)): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(v) for v in value]
    return value if value is None or isinstance(value, bool | int | float) else printable(str(value))
