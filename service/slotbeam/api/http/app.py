"""What both planes are made of: one FastAPI application behind the guard, answering problems, described whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from starlette.middleware import Middleware
from starlette.responses import Response

from slotbeam import __version__
from slotbeam.api.http import problems, query
from slotbeam.api.http.bodies import json_response
from slotbeam.api.http.docs import docs_routes
from slotbeam.api.http.guard import Bodiless, Headers, HeadGuard
from slotbeam.api.http.openapi import describe


def plane_app(
    title: str,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    bodies: Sequence[type[BaseModel]],
    *,
    secured: str | None = None,
    around: Sequence[Middleware] = (),
    inside: Sequence[Middleware] = (),
) -> FastAPI:
    """Build an application whose only routes are `/docs` and `/openapi.json`.

    Args:
        title: of its OpenAPI document.
        lifespan: entered before the first request, left after the last one.
        bodies: what its requests hold, for the document.
        secured: paths that begin so need a bearer token.
        around: stands around the guard, so that it sees what the guard refuses.
        inside: stands around the routes, and sees what they answer to GET where HEAD was asked.
    """
    app = FastAPI(
        title=title,
        version=__version__,
        lifespan=lifespan,
        dependencies=[Depends(query.declared_alone(secured))],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Headers), *around, Middleware(HeadGuard), Middleware(Bodiless), *inside],
    )
    problems.install(app)
    query.install(app)
    describe(app, *bodies, secured=secured)
    app.include_router(docs_routes(title))

    @app.get("/openapi.json", include_in_schema=False)
    async def document() -> Response:
        return json_response(app.openapi())

    return app
