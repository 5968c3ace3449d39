"""Answers that are packed, for who takes them so."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

_WEIGHT = re.compile(r"q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?)")
NAME = b"accept-encoding"


class Packed(GZipMiddleware):
    """Starlette's gzip, which looks for the word alone, for those who take it: `gzip;q=0` says no."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            taken = takes_gzip(",".join(Headers(scope=scope).getlist(NAME.decode())))
            others = [(name, value) for name, value in scope["headers"] if name != NAME]
            scope = {**scope, "headers": [*others, (NAME, b"gzip" if taken else b"identity")]}
        await super().__call__(scope, receive, send)


def takes_gzip(accepted: str) -> bool:
    """Return whether `Accept-Encoding` takes gzip, and likes nothing packed no better (RFC 9110, 12.5.3).

    A weight that is none counts as 0: an answer that is not packed can be read by everybody.
    """
    weights: dict[str, float] = {}
    for one in accepted.lower().split(","):
        coding, _, said = (part.strip() for part in one.partition(";"))
        weight = _WEIGHT.fullmatch(said or "q=1")
        weights[coding.removeprefix("x-")] = float(weight[1]) if weight else 0.0
    gzip = weights.get("gzip", weights.get("*", 0.0))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)
