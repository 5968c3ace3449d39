"""Templates to answers: everything that is told is escaped, and a browser may load nothing from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import ChainableUndefined, Environment, PackageLoader
from starlette.responses import Response

from slotbeam.errors import NotFound

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
NEVER_KEPT = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
ASSETS = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "search.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


@cache
def environment() -> Environment:
    """Return the templates, compiled as they are asked for."""
    made = Environment(
        loader=PackageLoader("slotbeam.api.page"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["moment"] = moment
    made.globals["assets"] = _version()
    return made


def page(template: str, status: int = 200, **told: object) -> Response:
    """Answer with a template."""
    text = environment().get_template(template).render(**told)
    return Response(text, status, media_type="text/html", headers=NEVER_KEPT)


def moment(iso: str | None) -> str:
    """Return a time as people read it, in UTC to the minute; a browser shows it in its own zone."""
    return f"{iso[:10]} {iso[11:16]} UTC" if iso else ""


def asset(name: str) -> Response:
    """Answer with a packaged file. Raises `NotFound`."""
    if name not in ASSETS:
        raise NotFound(f"the page has no such file; it has {', '.join(ASSETS)}")
    return Response(_content(name), media_type=ASSETS[name], headers={"Cache-Control": "max-age=3600"})


@cache
def _content(name: str) -> bytes:
    return (files("slotbeam.api.page") / "assets" / name).read_bytes()


@cache
def _version() -> str:
    """Return what names the assets, so that a browser reads those of another version anew."""
    return hashlib.sha256(b"".join(map(_content, ASSETS))).hexdigest()[:8]
