"""A search box at the root of a data plane: to look at an index, and at what edits do to it."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from slotbeam.api.page.render import asset, page


def search_routes(name: str, examples: Sequence[str]) -> APIRouter:
    """Build the routes, none of which is in the OpenAPI document.

    Args:
        name: of the artifact.
        examples: queries that it understands, to begin with.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def search() -> Response:
        return page("search.html", name=name, examples=examples)

    @router.get("/search/assets/{name}")
    async def assets(name: str, v: str = "") -> Response:
        return asset(name)

    return router
