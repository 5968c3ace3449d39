"""CSV cells of bindings, so that writing and reading is the identity and no spreadsheet runs what a cell says.

A cell that a spreadsheet would take for a formula gets a leading apostrophe; reading takes one away from such a cell.
`words` and `items` are several texts in one cell, with `|` between them; in these `\\|` and `\\\\` stand for the signs
themselves and `\\uXXXX` (`\\UXXXXXXXX`) for what is not visible: no cell holds a control character.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from slotbeam.api.problems import printable, shown
from slotbeam.errors import BodyError, InputError

SEPARATOR = "|"

_FORMULA = re.compile(r"['\s]*[=+\-@＝＋－＠\t\r\n]")
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[\\|])|\\")
_BOM = "\ufeff"


def guard(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula; `unguard` takes it away."""
    return "'" + text if _FORMULA.match(text) else text


def unguard(text: str) -> str:
    """Take away the apostrophe that `guard` put there; any other text stays."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def join(texts: Iterable[str]) -> str:
    """Several texts, none of them empty, as one visible cell."""
    return SEPARATOR.join("".join(map(_escape, text)) for text in texts)


def split(cell: str) -> list[str]:
    """What `join` was given; an empty cell is no text. Raises `InputError`."""
    found = [""]
    at = 0
    for match in _SPLITS.finditer(cell):
        found[-1] += cell[at : match.start()]
        at = match.end()
        if match[0] == SEPARATOR:
            found.append("")
        else:
            found[-1] += _unescape(match[0])
    found[-1] += cell[at:]
    return found if cell else []


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """A header line and one record for each row; every cell is guarded, quoted and visible."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([guard(printable(row[name])) for name in columns] for row in rows)
    return file.getvalue()


def read_csv(raw: bytes) -> Iterator[tuple[int, list[str]]]:
    """Every record that is not blank, with the line that it begins on (the first is 1); cells are not guarded any more.

    UTF-8, with a byte order mark or without one (spreadsheets write it); commas between cells.

    Raises:
        BodyError: not UTF-8, or not CSV.
    """
    try:
        text = raw.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        raise BodyError(f"the body is not UTF-8 (byte {error.start}); save the file as CSV in UTF-8") from None
    if not text.strip():
        raise BodyError("the body is empty; send CSV with a header line")
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # the caller has bounded the body
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cells):
                yield line, [unguard(cell) for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise BodyError(f"line {line} is not CSV: {error}; put commas between cells and double every quote") from None


_SPLITS = re.compile(rf"{re.escape(SEPARATOR)}|{_ESCAPED.pattern}")


def _escape(character: str) -> str:
    if character in "\\|":
        return "\\" + character
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"


def _unescape(escaped: str) -> str:
    if escaped in ("\\\\", "\\|"):
        return escaped[1]
    code = int(escaped[2:], 16) if len(escaped) > 2 else -1
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise InputError(
            f"{shown(escaped)} is no escape; write \\\\ for a backslash, \\| for |, \\u0041 for a character"
        )
    return chr(code)
