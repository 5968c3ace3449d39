"""Files of bindings: rows of CSV or JSON → forms, and bindings → CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request

from slotbeam.api.admin import cells
from slotbeam.api.admin.forms import RowForm
from slotbeam.api.bodies import check_media_type, parse_json, read_bytes
from slotbeam.api.problems import shown, validate
from slotbeam.errors import InputError, SlotbeamError, UnsupportedMedia

MAX_ROWS = 1000
COLUMNS = (
    *("id", "slot", "state", "words", "category", "items", "match", "placement", "near_miss", "draft"),
    *("starts_at", "ends_at", "owner", "reason", "created_at", "revision"),
)
NEEDED = ("words", "category")

_LISTS = ("words", "items")
_FLAGS = ("match", "near_miss", "draft")
_FLAG = {"true": True, "1": True, "false": False, "0": False}

Parsed = tuple[dict[int, RowForm], dict[int, SlotbeamError]]


async def read_rows(request: Request, limit: int) -> Parsed:
    """Read the rows of a `text/csv` or `application/json` body.

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
    return parse_csv(raw) if kind == "text/csv" else parse_rows(parse_json(raw))


def parse_rows(value: Any) -> Parsed:
    """Rows of a JSON list."""
    if not isinstance(value, list):
        raise InputError(f"the body must be a list of rows (given {shown(value)})")
    _check_count(len(value))
    return _validated(dict(enumerate(value, 1)), {})


def parse_csv(raw: bytes) -> Parsed:
    """Rows of a CSV file with a header line."""
    records = cells.read_csv(raw)
    _, header = next(records)
    columns = _columns(header)
    lines = dict(records)
    _check_count(len(lines))
    values: dict[int, Any] = {}
    refused: dict[int, SlotbeamError] = {}
    for line, record in lines.items():
        try:
            values[line] = _row(columns, record)
        except InputError as error:
            refused[line] = error
    return _validated(values, refused)


def to_csv(views: Iterable[Mapping[str, Any]]) -> str:
    """CSV of bindings as `slot_view` shows them, with `items`: what `parse_csv` reads."""
    return cells.write_csv(COLUMNS, ({name: _cell(view.get(name)) for name in COLUMNS} for view in views))


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return cells.join(value)
    return "" if value is None else str(value)


def _columns(header: Sequence[str]) -> list[str]:
    columns = [name.strip().lower() for name in header]
    if len(columns) == 1 and ";" in columns[0]:
        raise InputError("the header has one column; put commas between cells, not semicolons")
    for name in columns:
        if name not in COLUMNS:
            raise InputError(f"{shown(name)} is no column; allowed: {', '.join(COLUMNS)}")
        if columns.count(name) > 1:
            raise InputError(f"column {name} is there twice; keep one of them")
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise InputError(
            f"the header has no column {missing[0]}; the first line names the columns, for example words,category,items"
        )
    return columns


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_ROWS:
        raise InputError(f"the body has {count} rows; send 1 to {MAX_ROWS} at a time", rows=count, allowed=MAX_ROWS)


def _row(columns: Sequence[str], record: Sequence[str]) -> dict[str, Any]:
    """The cells of one line as JSON values; what is empty is left out."""
    if len(record) != len(columns):
        raise InputError(f"the line has {len(record)} cells, the header {len(columns)}; quote cells that hold a comma")
    return {name: _value(name, text) for name, text in zip(columns, record, strict=True) if text}


def _value(name: str, text: str) -> Any:
    if name in _LISTS:
        return cells.split(text)
    if name in _FLAGS:
        return _FLAG.get(text.strip().lower(), text)
    if name == "revision" and text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    return text


def _validated(values: Mapping[int, Any], refused: dict[int, SlotbeamError]) -> Parsed:
    forms: dict[int, RowForm] = {}
    for line, value in values.items():
        try:
            forms[line] = validate(RowForm, value)
        except InputError as error:
            refused[line] = error
    return forms, refused
