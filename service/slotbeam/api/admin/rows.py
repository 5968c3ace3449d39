"""Files of bindings: rows of CSV or JSON → forms, and bindings → CSV or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request

from slotbeam.api.admin import cells
from slotbeam.api.admin.forms import RowForm
from slotbeam.api.http.bodies import check_media_type, parse_json, read_bytes
from slotbeam.api.http.validation import validate
from slotbeam.bindings.spec import FIELDS, LIVE, OBJECTS, TIMES, Kind, in_order, json_text
from slotbeam.bindings.times import in_zone, seen_from, zone_of
from slotbeam.errors import BodyError, InputError, SlotbeamError, UnsupportedMedia
from slotbeam.text import shown

MAX_ROWS = 1000
COLUMNS = in_order(
    *("id", "slot", "state", "words", "category", "items", "match"), then=tuple(FIELDS), last=("created_at", "revision")
)
MEMBERS = in_order(*("id", "words", "category", "items", "placement", "slot", "state"), last=("created_at", "revision"))
"""Of a row as JSON. Of drafts `state` says what they are."""
NEEDED = "words"
"""The column that every file has; a file of rules alone needs no category."""

_LISTS = (*(name for name, kind in FIELDS.items() if kind is Kind.TEXTS), "items")
_FLAGS = tuple(name for name, kind in FIELDS.items() if kind in (Kind.FLAG, Kind.RULE))
_FLAG = {"true": True, "1": True, "false": False, "0": False, "live": LIVE}

Parsed = tuple[dict[int, RowForm], dict[int, SlotbeamError]]


async def read_rows(request: Request, limit: int, zone: str | None) -> Parsed:
    """Read the rows of a `text/csv` or `application/json` body; `zone` is that of times that name none.

    Returns:
        line → form, and line → what is wrong with it. A line is that of the CSV file (the header is 1), or the row's
        number in the JSON list, from 1.

    Raises:
        UnsupportedMedia, TooLarge, RequestTimeout, BodyError: as for any body.
        InputError: a header that names other columns, no row, or more than `MAX_ROWS`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("text/csv", "application/json"):
        raise UnsupportedMedia(f"content type {shown(kind) if kind else 'missing'}; send text/csv or application/json")
    check_media_type(request, kind)
    raw = await read_bytes(request, limit)
    return parse_csv(raw, zone) if kind == "text/csv" else parse_rows(parse_json(raw), zone)


def parse_rows(value: object, zone: str | None = None) -> Parsed:
    """Read the rows of a JSON list; `zone` is that of times that name none."""
    if not isinstance(value, list):
        raise InputError(f"the body must be a list of rows (given {shown(value)})")
    _check_count(len(value))
    return _validated(dict(enumerate(value, 1)), {}, zone)


def parse_csv(raw: bytes, zone: str | None = None) -> Parsed:
    """Read the rows of a CSV file with a header line; `zone` is that of times that name none."""
    records = cells.read_csv(raw)
    header = next(records, None)
    if header is None:
        raise BodyError(
            "the body has no header line; the first line names the columns, for example words,category,items"
        )
    columns = _columns(header[1])
    lines = dict(records)
    _check_count(len(lines))
    values: dict[int, object] = {}
    refused: dict[int, SlotbeamError] = {}
    for line, record in lines.items():
        try:
            values[line] = _row(columns, record)
        except InputError as error:
            refused[line] = error
    return _validated(values, refused, zone)


def to_csv(views: Iterable[Mapping[str, object]], zone: str | None = None) -> str:
    """Write CSV of bindings as `slot_view` shows them, with `items`, for `parse_csv`. Times in `zone`, else in UTC."""
    rows = views if zone is None else (_seen_from(view, zone_of(zone)) for view in views)
    return cells.write_csv(COLUMNS, ({name: _cell(name, row.get(name)) for name in COLUMNS} for row in rows))


def to_json(views: Iterable[Mapping[str, object]]) -> bytes:
    """Write a JSON list of bindings as `slot_view` shows them, with `items`, for `parse_rows`; a member a line."""
    rows = [{name: view[name] for name in MEMBERS} for view in views]
    return orjson.dumps(rows, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _seen_from(view: Mapping[str, object], zone: ZoneInfo) -> dict[str, object]:
    times = {name: text for name in TIMES if isinstance(text := view.get(name), str)}
    return {**view, **{name: seen_from(text, zone) for name, text in times.items()}}


def _in_zone(value: object, zone: str | None) -> object:
    if zone is None or not isinstance(value, dict):
        return value
    times = {name: value[name] for name in TIMES if isinstance(value.get(name), str)}
    return {**value, **{name: in_zone(text, zone) for name, text in times.items()}}


def _cell(name: str, value: object) -> str:
    if name in OBJECTS:
        text = json_text(value)  # what is not visible would be escaped for CSV otherwise, which JSON does not read
        return text if text.isprintable() else json.dumps(value, sort_keys=True, separators=(",", ":"))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return cells.join(value)
    return "" if value is None else str(value)


def _columns(header: Sequence[str]) -> list[str]:
    """Return the columns' names; one that is blank has nothing in it."""
    columns = [name.lower() for name in header]
    for name in filter(None, columns):
        if name not in COLUMNS:
            raise InputError(f"{shown(name)} is no column; allowed: {', '.join(COLUMNS)}")
        if columns.count(name) > 1:
            raise InputError(f"column {name} is there twice; keep one of them")
    if NEEDED not in columns:
        raise InputError(
            f"the header has no column {NEEDED}; the first line names the columns, for example words,category,items"
        )
    return columns


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_ROWS:
        raise InputError(f"the body has {count} rows; send 1 to {MAX_ROWS} at a time", rows=count, allowed=MAX_ROWS)


def _row(columns: Sequence[str], record: Sequence[str]) -> dict[str, object]:
    """Return the cells of one line as JSON values without empty ones; a line may lack its last cells."""
    values: dict[str, object] = {}
    for name, text in zip_longest(columns, record, fillvalue=""):
        if text and not name:
            raise InputError(
                f"{shown(text)} stands where the header names no column; name it, or quote cells that hold a separator"
            )
        if text:
            values[name] = _value(name, text)
    return values


def _value(name: str, text: str) -> object:
    if name in _LISTS:
        return cells.split(text)
    if name in _FLAGS:
        return _FLAG.get(text.lower(), text)
    if name in OBJECTS:
        try:
            return parse_json(text.encode())
        except BodyError as error:
            raise InputError(f"{name} is no JSON: {error}") from None
    if name == "revision" and text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    return text


def _validated(values: Mapping[int, object], refused: dict[int, SlotbeamError], zone: str | None) -> Parsed:
    forms: dict[int, RowForm] = {}
    for line, value in values.items():
        try:
            forms[line] = validate(RowForm, _in_zone(value, zone))
        except InputError as error:
            refused[line] = error
    return forms, refused
