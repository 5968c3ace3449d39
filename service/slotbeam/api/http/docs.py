"""`/docs`: what the plane's OpenAPI document says, to read and to try, from files that are packaged with it.

Swagger UI under a policy of its own: what it runs, shows and asks comes from this origin, and nothing in the page
itself is a script. Every address is relative, so that a proxy may serve the plane below a path.
"""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import Response

from slotbeam.errors import NotFound

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""`data:` is for the arrows and locks in the style sheet."""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
# A token that is typed in is kept by the page alone, and no other host is asked whether the document is valid.
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
"""
_ASSETS = {
    "start.js": "text/javascript",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}
_HOUR = {"Cache-Control": "max-age=3600"}


def docs_routes(title: str) -> APIRouter:
    """Build `/docs` and what it loads; neither needs a token, nor is either in the document that it shows."""
    router = APIRouter(include_in_schema=False)
    page = _PAGE.format(title=escape(title)).encode()

    @router.get("/docs")
    async def docs() -> Response:
        return Response(page, media_type="text/html", headers={"Content-Security-Policy": POLICY})

    @router.get("/docs/{name}")
    async def asset(name: str) -> Response:
        if name not in _ASSETS:
            raise NotFound(f"/docs has no such file; it has {', '.join(_ASSETS)}")
        return Response(_content(name), media_type=_ASSETS[name], headers=_HOUR)

    return router


@cache
def _content(name: str) -> bytes:
    """Return the bytes of a file, read once."""
    return _START.encode() if name == "start.js" else (files("fastapi_offline") / "static" / name).read_bytes()
