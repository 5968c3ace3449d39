"""Files as they should not be: each row that cannot be read is told and may be left out, the others are read."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slotbeam.catalog.loaders import CatalogReader
from slotbeam.catalog.loaders.source import LONGEST
from slotbeam.errors import InputError

FIRST = b'{"id": 1, "title": "Mug"}\n'
LAST = b'{"id": 3, "title": "Cup"}\n'


def left_out(path: Path, skip_bad: int = 1) -> list[str]:
    """What is told of the rows that are left out, where the first and the last are read."""
    reader = CatalogReader(path, skip_bad=skip_bad)
    assert [sourced.item.id for sourced in reader] == ["1", "3"]
    return reader.faults.lines()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"id": 2, "title": "M\xfcg"}\n', "is not JSON"),
        (b'{"id": 2, "title": "\xed\xa0\x80"}\n', "is not JSON"),
        (b'{"id": 2, "title": "\\ud800"}\n', "is not JSON"),
        (b'{"id": 2, "title": "Mug\0"}\n', "is not JSON"),
        (b"\0" * 100 + b"\n", "is not JSON"),
        (b"[" * 10_000 + b"\n", "is not JSON"),
        (b'{"id": 2, "title": "Mug"}{"id": 4, "title": "Mug"}\n', "is not JSON"),
        (b'"' + b"x" * LONGEST + b'"\n', f"is longer than {LONGEST} bytes"),
        (b'{"id": 2, "title": "' + b"x" * 2 * LONGEST + b'"}\n', f"is longer than {LONGEST} bytes"),
        (b'{"id": 2, "title": ["Mug"]}\n', "allowed: text that is not blank"),
    ],
    ids=["latin", "surrogate", "escape", "NUL", "zeros", "deep", "two in one", "long", "very long", "list"],
)
@pytest.mark.parametrize("end", [b"", b"\r"], ids=["LF", "CRLF"])
def test_a_broken_line_of_json_lines_is_left_out_alone(tmp_path: Path, line: bytes, says: str, end: bytes) -> None:
    (tmp_path / "items.jsonl").write_bytes(b"\xef\xbb\xbf" + (FIRST + line + LAST).replace(b"\n", end + b"\n"))
    (told,) = left_out(tmp_path)
    assert told.startswith("items.jsonl:2: ")
    assert says in told


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (b"2,M\xfcg,\n", "is not UTF-8"),
        (b"2,Mu\0g,\n", "holds a NUL character"),
        (b"2,Mug,x,y\n", "has 4 cells, the header 3"),
        (b'2,"M"ug,\n', "is no line of a table"),
        (b"2,,\n", "title: is missing"),
        (b'2,"' + b"x" * 3 * LONGEST + b'",\n', f"is longer than {LONGEST} characters"),
        (b"2" + b",x" * LONGEST + b"\n", f"is longer than {LONGEST} characters"),
    ],
    ids=["latin", "NUL", "cells", "quotes", "title", "long", "wide"],
)
@pytest.mark.parametrize("end", [b"", b"\r"], ids=["LF", "CRLF"])
def test_a_broken_row_of_a_table_is_left_out_alone(tmp_path: Path, row: bytes, says: str, end: bytes) -> None:
    table = b"id,title,description\n1,Mug,\n" + row + b"3,Cup,\n"
    (tmp_path / "items.csv").write_bytes(b"\xef\xbb\xbf" + table.replace(b"\n", end + b"\n"))
    (told,) = left_out(tmp_path)
    assert told.startswith("items.csv:3: ")
    assert says in told


def test_of_cells_that_are_too_long_together_nothing_is_held_either(tmp_path: Path) -> None:
    cell = b"x" * (LONGEST // 64) + b"\n"
    (tmp_path / "items.csv").write_bytes(b'id,title\n1,Mug\n2,"' + cell * 65 + b'"\n3,Cup\n')
    with pytest.raises(InputError, match="field larger than field limit"):
        list(CatalogReader(tmp_path, skip_bad=60))


def test_a_text_that_only_looks_like_a_nul_is_none(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id,title\n1,\\u0000\n")
    assert [sourced.item.title for sourced in CatalogReader(tmp_path)] == ["\\u0000"]


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".csv.gz", ".jsonl.xz", ".csv.xz"])
@pytest.mark.parametrize("harm", ["cut", "empty", "changed", "not packed"])
def test_a_damaged_packed_file_is_refused_whatever_may_be_left_out(tmp_path: Path, suffix: str, harm: str) -> None:
    rows = [f"{number},Mug {number * 7919}" for number in range(3000)]
    text = "id,title\n" + "\n".join(rows)
    if ".jsonl" in suffix:
        text = "\n".join(json.dumps(dict(zip(("id", "title"), row.split(","), strict=True))) for row in rows)
    pack: Callable[[bytes], bytes] = gzip.compress if suffix.endswith("gz") else lzma.compress
    packed = pack(text.encode())
    middle = len(packed) // 2
    broken = {
        "cut": packed[:middle],
        "empty": b"",
        "changed": packed[:middle] + bytes(64) + packed[middle + 64 :],
        "not packed": text.encode(),
    }
    (tmp_path / f"items{suffix}").write_bytes(broken[harm])
    if harm == "empty" and suffix == ".jsonl.gz":
        assert list(CatalogReader(tmp_path)) == [], "no gzip member is an empty file, as gzip itself reads it"
        return
    with pytest.raises(InputError, match=r"damaged compressed data|is empty"):
        list(CatalogReader(tmp_path, skip_bad=10**6))


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="|<&"), min_size=1)
ITEMS = st.lists(
    st.fixed_dictionaries(
        {"id": WORDS.map("i".__add__), "title": WORDS},
        optional={
            "description": WORDS.map("d ".__add__),
            "attributes": st.fixed_dictionaries({"color": st.lists(WORDS, min_size=1, max_size=3)}),
            "fields": st.fixed_dictionaries(
                {}, optional={"brand": WORDS.map("b".__add__), "sale": st.booleans(), "price": st.floats(0, 1e9)}
            ).filter(bool),
            "popularity": st.integers(0, 10**9),
        },
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda row: row["id"],
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(ITEMS)
def test_the_documented_schema_gives_the_same_items_in_every_form(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "a.jsonl.xz").write_bytes(lzma.compress(lines))
    names = (
        *("id", "title", "description", "attributes.color", "fields.brand", "fields.sale", "fields.price"),
        "popularity",
    )
    for name, delimiter in (("a.csv", ","), ("a.tsv", "\t")):
        with (tmp_path / name).open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.DictWriter(file, names, delimiter=delimiter)
            table.writeheader()
            table.writerows(flat(row) for row in rows)
    forms = ("a.jsonl", "a.jsonl.gz", "a.jsonl.xz", "a.csv", "a.tsv")
    first, *others = [[sourced.item for sourced in CatalogReader(tmp_path / name)] for name in forms]
    assert [item.id for item in first] == [row["id"] for row in rows]
    assert all(other == first for other in others)


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row as a table has it."""
    cells = {key: value for key, value in row.items() if key not in ("attributes", "fields")}
    words = {f"attributes.{name}": "|".join(words) for name, words in row.get("attributes", {}).items()}
    fields = {f"fields.{name}": str(value) for name, value in row.get("fields", {}).items()}
    return {**cells, **words, **fields}
