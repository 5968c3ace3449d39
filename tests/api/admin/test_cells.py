"""CSV cells: reading what was written is the identity, and no spreadsheet finds a formula in it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.api.admin import cells
from slotbeam.api.admin.rows import COLUMNS, MAX_ROWS, parse_csv, to_csv
from slotbeam.errors import BodyError, InputError

FORMULA = "=+-@\t\r\n＝＋－＠"
ODD = st.sampled_from([*FORMULA, "'", '"', ",", ";", "|", "\\", " ", "\u202e", "\u2028", "\x1b", "\0", "u", "U", "0"])
TEXT = st.text(ODD | st.characters(exclude_categories=["Cs"]))
LISTS = st.lists(TEXT.filter(bool))


@given(TEXT)
def test_a_guarded_cell_is_no_formula_and_reads_back(text: str) -> None:
    written = cells.guard(text)
    assert cells.unguard(written) == text
    assert not written.lstrip().startswith(tuple(FORMULA))


@given(LISTS)
def test_several_texts_in_one_cell_read_back_and_are_visible(texts: list[str]) -> None:
    cell = cells.join(texts)
    assert cells.split(cell) == texts
    assert cell.isprintable()


@given(st.lists(st.tuples(LISTS.filter(bool), st.text(ODD.filter(str.isprintable)), LISTS), min_size=1, max_size=5))
def test_an_export_reads_back_as_it_was(rows: list[tuple[list[str], str, list[str]]]) -> None:
    views = [
        {"words": words, "category": "brand", "reason": text, "items": ids, "match": bool(ids), "revision": 7}
        for words, text, ids in rows
    ]
    text = to_csv(views)
    found = list(cells.read_csv(text.encode()))
    assert [record[COLUMNS.index("reason")] for _, record in found[1:]] == [view["reason"] for view in views]
    for name in ("words", "items"):
        read = [cells.split(record[COLUMNS.index(name)]) for _, record in found[1:]]
        assert read == [view[name] for view in views]
    for record in csv.reader(io.StringIO(text, newline="")):  # as a spreadsheet reads it
        for cell in record:
            assert cell.isprintable()
            assert not cell.lstrip().startswith(tuple(FORMULA))


@pytest.mark.parametrize("text", ["=1", "＝1", "\t=1", "  @x", "-1", "'=1", "''+1"])
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert cells.guard(text) == "'" + text


@pytest.mark.parametrize("text", ["", "mug", "'tis", "'", "1=1", "labubu 'x'", "拉布布"])
def test_any_other_text_is_written_as_it_is(text: str) -> None:
    assert cells.guard(text) == text
    assert cells.unguard(text) == text


def test_a_formula_typed_by_hand_is_read_as_it_stands() -> None:
    [(_, _), (_, record)] = cells.read_csv(b"words,category\n=1+1,brand\n")
    assert record == ["=1+1", "brand"]


def test_a_record_is_named_by_the_line_it_begins_on() -> None:
    raw = b'words,category\n"a\nb",brand\n\n,,\nc,brand\n'
    assert [line for line, _ in cells.read_csv(raw)] == [1, 2, 6]


@pytest.mark.parametrize(
    ("cell", "texts"), [("", []), ("a|b", ["a", "b"]), (r"a\|b\\|c", ["a|b\\", "c"]), ("|", ["", ""])]
)
def test_a_bar_separates_and_a_backslash_keeps_one(cell: str, texts: list[str]) -> None:
    assert cells.split(cell) == texts


@pytest.mark.parametrize("cell", ["\\", "a\\n", "\\u12", "\\ud800", "\\U00110000", "\\Uffffffff"])
def test_an_escape_that_means_nothing_is_refused(cell: str) -> None:
    with pytest.raises(InputError, match="no escape"):
        cells.split(cell)


def test_a_byte_order_mark_is_a_spreadsheets_and_is_read_over() -> None:
    forms, refused = parse_csv("\ufeffwords,category\r\nlabubu,brand\r\n".encode())
    assert [form.words for form in forms.values()] == [["labubu"]]
    assert refused == {}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\r\n ", "empty"),
        ("words,category".encode("utf-16"), "not UTF-8"),
        (b"words,category\n\xff,brand", "not UTF-8"),
        (b'words,category\n"labubu,brand', "line 2 is not CSV"),
        (b'words,category\n"labubu"x,brand', "line 2 is not CSV"),
    ],
)
def test_what_is_no_csv_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(BodyError, match=says):
        parse_csv(raw)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"words,category", f"0 rows; send 1 to {MAX_ROWS}"),
        (b"words,category\n" + b"a,brand\n" * (MAX_ROWS + 1), f"{MAX_ROWS + 1} rows"),
        (b"words\nlabubu", "no column category"),
        (b"category\nbrand", "no column words"),
        (b"words,category,colour\na,brand,red", '"colour" is no column; allowed: id, slot'),
        (b"words,category,words\na,brand,b", "words is there twice"),
        (b"words;category\na;brand", "commas"),
        (b"labubu,brand\n", '"labubu" is no column'),
    ],
)
def test_a_header_or_a_count_that_will_not_do_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_csv(raw)


def test_a_line_that_cannot_be_read_is_named_and_the_others_are_read() -> None:
    raw = b"Words, category ,match\na,brand,TRUE\nb,brand\nc,brand,maybe\n\\x,brand,1\nd,brand,0\n"
    forms, refused = parse_csv(raw)
    assert [(line, form.words, form.match) for line, form in forms.items()] == [(2, ["a"], True), (6, ["d"], False)]
    assert set(refused) == {3, 4, 5}
    assert "the line has 2 cells, the header 3" in str(refused[3])
    assert 'match: Input should be a valid boolean (given "maybe")' in str(refused[4])
    assert "is no escape" in str(refused[5])
