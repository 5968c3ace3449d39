"""CSV cells of bindings, so that writing and reading is the identity and no spreadsheet runs what a cell says.

A cell that a spreadsheet would take for a formula gets a leading apostrophe; reading takes one away from such a cell.
`words` and `items` are several texts in one cell, with `|` between them; in these `\\|` and `\\\\` stand for the signs
themselves and `\\uXXXX` (`\\UXXXXXXXX`) for what is not visible: no cell holds a control character. Blanks around a
cell, and around the texts in it, are a spreadsheet's and mean nothing; one that belongs to a text is `\\u0020`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from slotbeam.errors import BodyError, InputError
from slotbeam.text import printable, shown

SEPARATOR = "|"

_FORMULA = re.compile(r"['\s]*[=+\-@＝＋－＠\t\r\n]")
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[\\|])|\\")
_BOM = "\ufeff"
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_NAMED = re.compile(r'"?sep=([,;\t])"? *(?=[\r\n]|\Z)', re.IGNORECASE)
"""The first line with which spreadsheets are told what separates the cells."""
_LINE = re.compile(r"\S[^\r\n]*")
_EDGES = re.compile(r"\A | \Z")


def guard(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula; `unguard` takes it away."""
    return "'" + text if _FORMULA.match(text) else text


def unguard(text: str) -> str:
    """Take away the apostrophe that `guard` put there; any other text stays."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def join(texts: Iterable[str]) -> str:
    """Write several texts, none of them empty, as one visible cell."""
    return SEPARATOR.join(_EDGES.sub(r"\\u0020", "".join(map(_escape, text))) for text in texts)


def split(cell: str) -> list[str]:
    """Return what `join` was given, without blanks around each text; a blank cell is no text. Raises `InputError`."""
    if not cell.strip():
        return []
    bars = [match.start() for match in _SPLITS.finditer(cell) if match[0] == SEPARATOR]
    starts, ends = [0, *(at + 1 for at in bars)], [*bars, len(cell)]
    parts = (cell[start:end].strip() for start, end in zip(starts, ends, strict=True))
    return [_ESCAPED.sub(lambda match: _unescape(match[0]), part) for part in parts]


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Write a header line and one record for each row; every cell is guarded, quoted and visible."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([guard(printable(row[name])) for name in columns] for row in rows)
    return file.getvalue()


def read_csv(raw: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield every record that is not blank, with the line that it begins on (the first is 1).

    UTF-8, with a byte order mark or without one (spreadsheets write it). Commas, semicolons or tabs between cells: what
    a line `sep=;` before the header says, else what the header holds most of. Blanks around a cell are taken away, and
    so is its guard.

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
    named = _NAMED.match(text)
    text = text[named.end() :] if named else text  # its line end stays, so that lines keep their numbers
    header = _LINE.search(text)
    delimiter = named[1] if named else max(_DELIMITERS, key=(header[0] if header else "").count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            cells = [unguard(cell.strip()).strip() for cell in record]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        what = f"put {_DELIMITERS[delimiter]} between cells and double every quote"
        raise BodyError(f"line {line} is not CSV: {error}; {what}") from None


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
