"""What is wrong with a catalog: all of it is said at once, each with file, line and field, before anything starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slotbeam.catalog.loaders import check_data, load_catalog, load_log, read_data
from slotbeam.catalog.loaders.faults import EACH, LISTED
from slotbeam.errors import InputError

MUG = {"id": "m1", "title": "Red Mug", "fields": {"price": 12.99}}


def written(path: Path, *rows: Any, mark: str = "") -> Path:
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    path.write_bytes((mark + text).encode())
    return path


def faults_of(path: Path, **more: Any) -> list[str]:
    """Every fault that the loader tells."""
    with pytest.raises(InputError) as caught:
        list(load_catalog(path, **more))
    return list(caught.value.details.get("faults", [str(caught.value)]))


def test_all_that_is_wrong_with_a_catalog_is_told_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path / "items.jsonl",
        MUG,
        {**MUG, "titel": "x", "popularity": -1},
        "{\n",
        {"id": "m3", "title": None, "description": 5, "attributes": {"colour": "red", "brand": 7}},
        {"id": "m4", "title": "T", "fields": {"price": "12,99", "sizes": [1]}},
        {"id": "m5", "title": "T", "fields": {"price": 3}},
    )
    found = [line.partition(" ")[0] + line.partition(": ")[2].partition(":")[0] for line in faults_of(path)]
    assert found == [
        "items.jsonl:2:titel",
        "items.jsonl:2:popularity",
        "items.jsonl:2:id",
        "items.jsonl:3:(line)",
        "items.jsonl:4:title",
        "items.jsonl:4:description",
        "items.jsonl:4:attributes.colour",
        "items.jsonl:4:attributes.brand",
        "items.jsonl:5:fields.sizes",
        "items.jsonl:5:fields.price",
    ]


def test_an_id_that_is_there_twice_names_the_line_of_the_first(tmp_path: Path) -> None:
    (said,) = faults_of(written(tmp_path / "items.jsonl", MUG, {"id": "m2", "title": "T"}, {**MUG, "title": "Other"}))
    assert said == 'items.jsonl:3: id: "m1" is that of line 1, too; ids are unique in a catalog'


def test_a_field_whose_type_changes_is_a_fault_of_the_values_that_are_fewer(tmp_path: Path) -> None:
    prices: list[Any] = [12.99, "12,99", 3, True, 4]
    rows = [{"id": f"m{n}", "title": "T", "fields": {"price": price}} for n, price in enumerate(prices)]
    text, flag = faults_of(written(tmp_path / "items.jsonl", *rows))
    assert text.startswith('items.jsonl:2: fields.price: "12,99" is text, 12.99 in line 1 is a number')
    assert flag.startswith("items.jsonl:4: fields.price: true is true or false")


def test_an_unknown_key_is_said_to_be_unknown_with_the_one_that_is_meant(tmp_path: Path) -> None:
    (said,) = faults_of(written(tmp_path / "items.jsonl", MUG, {"id": "m2", "title": "T", "atributes": {}}))
    assert "items.jsonl:2: atributes: unknown key (did you mean attributes?); allowed: id, title" in said
    (said,) = faults_of(written(tmp_path / "items.jsonl", {**MUG, "attributes": {"colour": "red"}}))
    assert "attributes.colour: unknown category; allowed: anchor, audience" in said
    with pytest.raises(InputError, match=r"log\.jsonl:1: clicked: unknown key"):
        list(load_log(written(tmp_path / "log.jsonl", {"query": "a", "item_id": "b", "clicked": 1})))


def test_many_faults_of_a_kind_are_counted_and_the_first_are_listed(tmp_path: Path) -> None:
    rows = [{"id": f"m{n}", "title": "T", "url": "u"} for n in range(100)]
    told = faults_of(written(tmp_path / "items.jsonl", *rows))
    assert len(told) == EACH + 1
    assert told[-1].startswith(f"and {100 - EACH} more")
    odd = [{"id": f"m{n}", "title": "T", f"key{n}": 1} for n in range(100)]
    told = faults_of(written(tmp_path / "items.jsonl", *odd))
    assert len(told) == LISTED + 1
    assert told[-1].startswith(f"and {100 - LISTED} more")


def test_a_byte_order_mark_is_read_over_and_null_is_as_good_as_absent(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("description", "attributes", "fields", "popularity"))
    part = {"id": "m2", "title": "T", "attributes": {"color": None, "brand": [None, "Acme"]}, "fields": {"price": None}}
    path = written(tmp_path / "items.jsonl", {"id": "m1", "title": "T", **nothing}, part, mark="\ufeff")
    one, two = load_catalog(path)
    assert (one.description, one.attributes, one.fields, one.popularity) == ("", {}, {}, 0.0)
    assert (two.attributes, two.fields) == ({"brand": ("Acme",)}, {})
    click = {"query": "a", "item_id": "m1"}
    absent = dict.fromkeys(("kind", "day", "user", "recent_queries", "recent_item_ids", "position"))
    rows = [click, {**click, **absent}]
    assert len(set(load_log(written(tmp_path / "log.jsonl", *rows, mark="\ufeff")))) == 1


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ('{"id": 1, "title": "T"}'.encode("utf-16"), r"items\.jsonl:1: \(line\): is UTF-16"),
        (b'[{"id": 1,\n"title": "T"}]', r"items\.jsonl:1: \(line\): begins a JSON list; write one object a line"),
        (b'{"id": "\xff"}\n', r"items\.jsonl:1: \(line\): is not JSON"),
    ],
)
def test_a_file_of_another_form_is_one_fault_that_says_which(tmp_path: Path, raw: bytes, says: str) -> None:
    (tmp_path / "items.jsonl").write_bytes(raw)
    with pytest.raises(InputError, match=says) as caught:
        list(load_catalog(tmp_path))
    assert "faults" not in caught.value.details


def test_catalog_edits_and_log_are_checked_together(tmp_path: Path) -> None:
    written(tmp_path / "items.jsonl", MUG, {"id": "m2", "title": ""})
    written(tmp_path / "items_late.jsonl", {"id": "m1", "titel": "T"})
    written(tmp_path / "log.jsonl", {"query": "", "item_id": "m1"}, {"query": "a", "item_id": "gone"})
    report = check_data(tmp_path, tmp_path)
    assert [line.partition(": ")[0] for line in report.faults.lines()] == [
        "items_late.jsonl:1",
        "items.jsonl:2",
        "log.jsonl:1",
    ]
    assert report.faults.warnings == ["1 of 1 interactions name an item that is not in the catalog"]
    with pytest.raises(InputError) as caught:
        read_data(tmp_path, tmp_path)
    assert caught.value.details["faults"] == report.faults.lines()[1:], "training does not read the edits"


def test_training_reads_the_catalog_as_it_was_without_the_edits_beside_it(tmp_path: Path) -> None:
    written(tmp_path / "items.jsonl", MUG, {**MUG, "id": "m2"})
    written(tmp_path / "items_late.jsonl", {"id": "m2", "title": "New"})
    assert [item.title for item in read_data(tmp_path).items] == ["Red Mug", "Red Mug"]


def test_a_sample_is_the_same_in_any_order_and_holds_what_is_always_wanted(tmp_path: Path) -> None:
    rows = [{**MUG, "id": f"m{number}"} for number in range(300)]
    written(tmp_path / "items.jsonl", *rows)
    data = read_data(tmp_path, sample=40, always={"m7", "m8", "none"})
    held = {item.id for item in data.items}
    assert held >= {"m7", "m8"}
    assert len(held - {"m7", "m8"}) in (38, 39, 40)
    assert len(data.census) == 300
    written(tmp_path / "items.jsonl", *reversed(rows))
    assert {item.id for item in read_data(tmp_path, sample=40, always={"m7", "m8"}).items} == held


def test_a_catalog_without_items_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "items.jsonl")
    for read in (read_data, check_data):
        with pytest.raises(InputError, match="holds no items"):
            read(tmp_path)
