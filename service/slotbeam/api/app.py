"""What both planes are made of: one FastAPI application behind the guard, answering problems, described whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.middleware import Middleware

from slotbeam import __version__
from slotbeam.api import problems
from slotbeam.api.docs import docs_routes
from slotbeam.api.guard import Guard
from slotbeam.api.headers import Headers
from slotbeam.api.openapi import describe


def plane_app(
    title: str,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    bodies: Sequence[type[BaseModel]],
    *,
    secured: str | None = None,
    around: Sequence[Middleware] = (),
) -> FastAPI:
    """Build an application whose only routes are `/docs` and `/openapi.json`.

    Args:
        title: of its OpenAPI document.
        lifespan: entered before the first request, left after the last one.
        bodies: what its requests hold, for the document.
        secured: paths that begin so need a bearer token.
        around: stands around the guard, so that it sees what the guard refuses.
    """
    app = FastAPI(
        title=title,
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Headers), *around, Middleware(Guard)],
    )
    problems.install(app)
    describe(app, *bodies, secured=secured)
    app.include_router(docs_routes(title))
    return app
