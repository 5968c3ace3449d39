"""CSV cells: reading what was written is the identity, and no spreadsheet finds a formula in it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.api.admin import cells
from slotbeam.api.admin.rows import COLUMNS, MAX_ROWS, parse_csv, to_csv
from slotbeam.bindings.times import ends_ms, starts_ms
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
    views: list[dict[str, Any]] = [
        {"words": words, "category": "brand", "reason": text, "items": ids, "match": bool(ids), "revision": 7}
        for words, text, ids in rows
    ]
    text = to_csv(views)
    found = list(cells.read_csv(text.encode()))
    assert [record[COLUMNS.index("reason")] for _, record in found[1:]] == [view["reason"].strip() for view in views]
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
        (b",,\n\n", "no header line"),
        (b"sep=;\n", "no header line"),
        ("words,category".encode("utf-16"), "not UTF-8"),
        (b"words,category\n\xff,brand", "not UTF-8"),
        (b'words,category\n"labubu,brand', "line 2 is not CSV"),
        (b'words,category\n"labubu"x,brand', "line 2 is not CSV"),
        (b'words;category\n"labubu"x;brand', "put semicolons between cells"),
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
        (b"category\nbrand", "no column words"),
        (b"words,category,colour\na,brand,red", '"colour" is no column; allowed: id, slot'),
        (b"words,category,words\na,brand,b", "words is there twice"),
        (b"words category\na brand", '"words category" is no column'),
        (b"labubu,brand\n", '"labubu" is no column'),
    ],
)
def test_a_header_or_a_count_that_will_not_do_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_csv(raw)


SHEET = [
    ["Words", " CATEGORY", "Items", "Ends_At", "", ""],
    ["labubu | 拉布布", "brand ", " p1 |p2", "2026-12-31 ", "", ""],
]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("first", ["", "sep={}\r\n", '"sep={}"\n', "SEP={}\r\n\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_as_a_spreadsheet_saves_it_is_read_whatever_separates_its_cells(
    delimiter: str, first: str, mark: str
) -> None:
    text = "".join(delimiter.join(row) + "\r\n" for row in SHEET)
    forms, refused = parse_csv(f"{mark}{first.format(delimiter)}{text}".encode())
    assert refused == {}
    ((line, form),) = forms.items()
    assert line == 2 + first.format(delimiter).count("\n")
    assert (form.words, form.category, form.items) == (["labubu", "拉布布"], "brand", ["p1", "p2"])
    assert form.ends_at == "2026-12-31"


@pytest.mark.parametrize("row", ["a,brand,i1,,,,", "a,brand,i1,", "a,brand,i1", "a,brand,i1,, , "])
def test_empty_cells_at_the_end_of_a_line_may_be_there_or_not(row: str) -> None:
    forms, refused = parse_csv(f"words,category,items,owner,,\n{row}\n".encode())
    assert ([form.items for form in forms.values()], refused) == ([["i1"]], {})


def test_the_first_line_says_what_separates_cells_even_where_they_hold_other_separators() -> None:
    forms, _ = parse_csv(b"words;category;reason\na;brand;1,2,3,4,5,6\n")
    assert forms[2].reason == "1,2,3,4,5,6"
    forms, _ = parse_csv(b"sep=,\nwords,category,reason\na,brand,1;2;3;4\n")
    assert forms[3].reason == "1;2;3;4"


def test_a_blank_that_belongs_to_a_text_is_written_so_that_it_survives() -> None:
    assert cells.join([" p1", "p 2", "p3 ", " "]) == r"\u0020p1|p 2|p3\u0020|\u0020"
    assert cells.split(r" \u0020p1 | p 2|p3\u0020 |\u0020") == [" p1", "p 2", "p3 ", " "]


def test_bindings_are_written_byte_for_byte_as_ever() -> None:
    view = {
        "id": "b_1",
        "slot": "1-4",
        "state": "active",
        "words": ["labubu", "拉布布"],
        "category": "brand",
        "items": ["i1", "a|b", "=c\\"],
        "match": False,
        "placement": "top",
        "near_miss": True,
        "draft": False,
        "starts_at": None,
        "ends_at": "2026-12-31T00:00:00.000Z",
        "owner": "toys",
        "reason": "=1+1",
        "exact": False,
        "trigger": "contains",
        "hide": ["i9"],
        "boost": [{"test": {"color": "red"}, "weight": 1.5}],
        "metadata": {"banner": "\u200bSale"},
        "created_at": "2026-11-20T00:00:00.000Z",
        "revision": 3,
    }
    assert to_csv([view]) == (
        '"id","slot","state","words","category","items","match","placement","near_miss","draft",'
        '"starts_at","ends_at","owner","reason","exact","trigger","unless","when","positions","hide","boost","bury",'
        '"filter","replace","metadata","alias","two_way","created_at","revision"\r\n'
        '"b_1","1-4","active","labubu|拉布布","brand","i1|a\\|b|=c\\\\","false","top","true","false",'
        '"","2026-12-31T00:00:00.000Z","toys","\'=1+1","false","contains","","","","i9",'
        '"[{""test"":{""color"":""red""},""weight"":1.5}]","","","","{""banner"":""\\u200bSale""}","","",'
        '"2026-11-20T00:00:00.000Z","3"\r\n'
    )


def test_times_are_written_and_read_in_the_zone_that_is_asked_for() -> None:
    view = {"words": ["a"], "category": "brand", "starts_at": "2026-11-27T08:00:00.000Z", "ends_at": None}
    sheet = to_csv([view], "Europe/Berlin")
    assert '"2026-11-27 09:00 Europe/Berlin"' in sheet
    forms, refused = parse_csv(sheet.encode())
    assert ([starts_ms(form.starts_at) for form in forms.values()], refused) == ([1795766400000], {})
    typed = b"words;category;starts_at;ends_at\na;brand;2026-11-27 09:00;2026-11-30\nb;brand;2026-11-27T09:00:00z;\n"
    forms, refused = parse_csv(typed, "Europe/Berlin")
    assert [starts_ms(form.starts_at) for form in forms.values()] == [1795766400000, 1795770000000]
    assert ends_ms(forms[2].ends_at) == ends_ms("2026-11-30 Europe/Berlin")
    _, refused = parse_csv(typed)
    assert "starts_at: has neither an offset nor a zone" in str(refused[2])


def test_a_line_that_cannot_be_read_is_named_and_the_others_are_read() -> None:
    raw = b"Words, category ,match\na,brand,TRUE\nb,brand,,x\nc,brand,maybe\n\\x,brand,1\nd,brand,0\n"
    forms, refused = parse_csv(raw)
    assert [(line, form.words, form.match) for line, form in forms.items()] == [(2, ["a"], True), (6, ["d"], False)]
    assert set(refused) == {3, 4, 5}
    assert '"x" stands where the header names no column' in str(refused[3])
    assert 'match: must be true, false or "live" (given "maybe")' in str(refused[4])
    assert "is no escape" in str(refused[5])
