"""`GET /retrieve?q=…`: a query that fits an address, and the tag by which caches ask whether its answer still stands.

An answer depends on the request, on the snapshot (index, edits of items, bindings) and on nothing else. So the tag is
known before anything is decoded, and the same on every replica with these settings.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from slotbeam import __version__
from slotbeam.api.http.bodies import RAW_TEXT, parse_json
from slotbeam.api.http.openapi import Part, answers, asks
from slotbeam.api.http.query import Digits, Flag, Params
from slotbeam.api.http.validation import validation_error
from slotbeam.api.retrieve.cursor import MAX_CURSOR, digest
from slotbeam.api.retrieve.models import RetrieveAnswer
from slotbeam.api.retrieve.requestid import LIFE_S
from slotbeam.api.retrieve.schemas import RetrieveBody
from slotbeam.errors import BodyError, FilterError
from slotbeam.search.request import MAX_K
from slotbeam.search.snapshot import Snapshot

STANDS_S = LIFE_S // 2
"""A tag ends with each such piece of time, so that the request id of a stored answer has as long to live at least."""
CACHE_CONTROL = "public, no-cache"
"""Store it, and ask each time whether it still stands: an edit is live at once, through caches too."""

_LIST = "names, with commas between them"
_IF_NONE_MATCH: Part = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an answer that is there: 304 while it stands",
    "schema": {"type": "string"},
}


class AddressQuery(Params):
    """`GET /retrieve`: as the fields of `POST /retrieve`."""

    q: str = Field(min_length=1, max_length=RAW_TEXT, description="The query", examples=["red mug"])
    k: Annotated[int, Digits] = Field(100, ge=1, le=MAX_K, description="Items wanted")
    filter: str | None = Field(None, description="A JSON object", examples=['{"price":{"lt":20}}'])
    fields: str | None = Field(None, description=f"Shown of each item: {_LIST}")
    facets: str | None = Field(None, description=f"Whose values are counted: {_LIST}")
    collapse: str | None = Field(None, description="Of each value of this field only the best item is shown")
    fallback: Literal["popular"] | None = Field(None, description="What is answered where nothing is known")
    use_bindings: Flag = True
    interpret: Flag = False
    spelling: Literal["on", "off"] = "on"
    cursor: str | None = Field(None, max_length=MAX_CURSOR, description="`*`, or the `next` of an answer")

    def body(self) -> RetrieveBody:
        """Return the same request as `POST /retrieve` takes it.

        Raises:
            FilterError: `filter` is not JSON.
            InputError: a value is not what its field allows.
        """
        said = self.model_dump(exclude_none=True, exclude={"q", "filter"}) | {"query": self.q}
        said |= {name: said[name].split(",") for name in ("fields", "facets") if name in said}
        if self.filter is not None:
            try:
                said["filter"] = parse_json(self.filter.encode())
            except BodyError as error:
                raise FilterError("filter", str(error).removeprefix("the body ")) from None
        try:
            return RetrieveBody.model_validate(said)
        except ValidationError as error:
            failures = error.errors(include_url=False, include_context=False)
            for failure in failures:
                if failure["loc"][0] == "query":
                    failure["loc"] = ("q",)
            raise validation_error(failures, RetrieveBody) from None


def tag_of(snapshot: Snapshot, body: RetrieveBody, settings: tuple[object, ...], now_s: float) -> str:
    """Return the ETag of what `snapshot` answers to `body`.

    It is a weak one: answers with the same tag say the same and differ in their request ids.

    Args:
        settings: of the plane, that answers depend on.
        now_s: unix seconds.
    """
    parts = (__version__, *settings, *snapshot.identity(), int(now_s // STANDS_S))
    asked = orjson.dumps(body.model_dump(), option=orjson.OPT_SORT_KEYS)
    return f'W/"{digest(asked, *(str(part).encode() for part in parts)).hex()}"'


def is_known(request: Request, tag: str) -> bool:
    """Return whether `If-None-Match` names `tag`, compared weakly (RFC 9110, 13.1.2)."""
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return "*" in known or tag.removeprefix("W/") in known


def address_route(respond: Callable[[Request, AddressQuery], Awaitable[Response]]) -> APIRouter:
    """Build the route, on which `respond` answers."""
    router = APIRouter()

    @router.get(
        "/retrieve",
        summary="Retrieve items for one query, so that caches can keep the answer",
        responses={**answers(200, model=RetrieveAnswer), 304: {"description": "The answer that is there still stands"}},
        openapi_extra=asks(_IF_NONE_MATCH),
    )
    async def retrieve_address(request: Request, query: Annotated[AddressQuery, Query()]) -> Response:
        return await respond(request, query)

    return router
