"""JSON bodies. Of a request: what is not plain, finite, bounded UTF-8 JSON is refused before any model sees it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Annotated, NoReturn, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from slotbeam.api.http.validation import validate
from slotbeam.errors import BodyError, RequestTimeout, TooLarge, UnsupportedMedia
from slotbeam.text import shown

MAX_DEPTH = 32
MAX_DIGITS = 20
BODY_TIMEOUT_S = 10.0

M = TypeVar("M", bound=BaseModel)

JSON, TEXT = "application/json", "text/plain"
RAW_TEXT = 8192
"""Characters of a text as it is sent; what it may have after normalisation is another bound."""
ITEM_ID = 256
ItemId = Annotated[str, Field(min_length=1, max_length=ITEM_ID)]


_MARKS = ((b"\xef\xbb\xbf", "UTF-8 with a byte order mark"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


class Strict(BaseModel):
    """No coercion ("10", true and 10.0 are not integers) and no unknown field."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


async def read_model(request: Request, model: type[M], limit: int, kinds: Sequence[str] = (JSON,)) -> M:
    """Read, parse and validate the body of `request`.

    Args:
        model: the pydantic model of the body.
        limit: largest accepted body, bytes.
        kinds: content types that it may be sent as; each holds JSON.

    Raises:
        TooLarge, UnsupportedMedia, RequestTimeout, BodyError: the body is not JSON within bounds.
        InputError: it is, but not what `model` allows; names each field.
    """
    return validate(model, await read_json(request, limit, kinds=kinds))


async def read_json(
    request: Request, limit: int, timeout_s: float = BODY_TIMEOUT_S, kinds: Sequence[str] = (JSON,)
) -> object:
    """Read and parse the body of `request` (at most `limit` bytes, within `timeout_s`); see `parse_json`."""
    check_media_type(request, *kinds)
    return parse_json(await read_bytes(request, limit, timeout_s))


def check_media_type(request: Request, *kinds: str) -> None:
    """Refuse a body that is none of `kinds` (unset: JSON) in UTF-8, or compressed. Raises `UnsupportedMedia`."""
    kinds = kinds or (JSON,)
    header, allowed = request.headers.get("content-type", ""), " or ".join(kinds)
    kind, _, parameters = header.partition(";")
    if kind.strip().lower() not in kinds:
        raise UnsupportedMedia(f"content type {shown(header) if header else 'missing'}; send {allowed}")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if charset not in ("", "utf-8", "utf8"):
        raise UnsupportedMedia(f"content type {shown(header)}; send {allowed} in UTF-8")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise UnsupportedMedia(f"content encoding {shown(encoding)}; send the body uncompressed")


async def read_bytes(request: Request, limit: int, timeout_s: float = BODY_TIMEOUT_S) -> bytes:
    """Read the whole body, never more than `limit` bytes of it, within `timeout_s`."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and len(declared) < MAX_DIGITS and int(declared) > limit:
        raise _too_large(limit)
    chunks = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > limit:
                    raise _too_large(limit)
    except TimeoutError:
        raise RequestTimeout(f"the body did not arrive within {timeout_s:g} s; send it again") from None
    except ClientDisconnect:
        raise BodyError("the connection closed before the body ended") from None
    return bytes(chunks)


def parse_json(raw: bytes) -> object:
    """Parse one JSON value.

    Refused, each with a message that says why: empty, a byte order mark, UTF-16, invalid UTF-8, trailing text,
    duplicate keys, NaN and Infinity (1e999 too), integers of more than 64 bits, nesting deeper than 32, lone
    surrogates.

    Raises:
        BodyError: as above.
    """
    if not raw.strip():
        raise BodyError("the body is empty; send a JSON object")
    for mark, name in _MARKS:
        if raw.startswith(mark):
            raise BodyError(f"the body is {name}; send plain UTF-8")
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
        raise BodyError(f"the body is nested deeper than {MAX_DEPTH}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyError(f"the body is not UTF-8 (byte {error.start}); send UTF-8") from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        hint = "; is it UTF-16? send UTF-8" if b"\0" in raw[:4] else ""
        raise BodyError(f"the body is not JSON: {error.msg} at character {error.pos}{hint}") from None
    if b"\\u" in raw:
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise BodyError(
                "the body holds a lone surrogate (half of a \\uD8xx\\uDCxx pair); send whole characters"
            ) from None
    return value


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Encode JSON values with orjson."""
    content = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, status, headers, media_type=JSON)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes; send a smaller one", limit_bytes=limit)


def _depth(raw: bytes) -> int:
    deepest = depth = 0
    for token in _TOKENS.finditer(raw):
        first = token[0][0]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise BodyError(f"the key {shown(twice)} appears twice in one object; send it once")
    return members


def _constant(name: str) -> NoReturn:
    raise BodyError(f"the body holds {name}, which is not JSON; numbers are finite")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise BodyError(f"the number {shown(text)} is too large")
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise BodyError(f"the body holds an integer of {len(text)} digits; integers have 64 bits")
    value = int(text)
    if not -(1 << 63) <= value < 1 << 63:
        raise BodyError(f"the body holds {value}; integers have 64 bits")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite, parse_int=_integer
)
