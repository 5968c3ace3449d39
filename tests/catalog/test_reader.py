"""A catalog as a stream: what it yields, what it holds, what it leaves out."""

from __future__ import annotations

import gc
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import CatalogReader
from slotbeam.catalog.loaders.faults import EACH, LISTED
from slotbeam.catalog.loaders.source import BLOCK
from slotbeam.errors import InputError


def rows(*numbers: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": f"m{n}", "title": f"Mug {n}", "fields": {"price": n + 0.5}, **more} for n in numbers]


def written(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def ids(reader: CatalogReader) -> list[str]:
    return [sourced.item.id for sourced in reader]


def refusal(reader: CatalogReader) -> list[str]:
    """Every fault of a catalog that is refused."""
    with pytest.raises(InputError) as caught:
        ids(reader)
    return list(caught.value.details.get("faults", [str(caught.value)]))


def test_an_item_comes_with_its_row_as_it_was_given_and_its_place(tmp_path: Path) -> None:
    line = '{ "title":"Mug",  "id": 7, "fields":{"price":5} }'
    (sourced,) = CatalogReader(written(tmp_path / "items.jsonl", ["\n", line + "\n"]))
    assert sourced.item == Item("7", "Mug", fields={"price": 5.0})
    assert sourced.source == line.encode()
    assert (sourced.place.path, sourced.place.line) == (tmp_path / "items.jsonl", 2)


def test_a_tables_row_is_kept_in_the_documented_schema_and_a_mapped_one_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id,title,attributes.color,fields.price\nm1,Mug,red | blue,4.5\n")
    (sourced,) = CatalogReader(tmp_path)
    again = written(tmp_path / "again.jsonl", [sourced.source.decode()])
    assert [one.item for one in CatalogReader(again)] == [sourced.item]
    (tmp_path / "items.csv").write_text("Handle,Title,Variant SKU,Image Src\nmug,Mug,M1,https://x/1\n")
    (sourced,) = CatalogReader(tmp_path)
    assert json.loads(sourced.source) == {
        "Handle": "mug",
        "Title": "Mug",
        "Variant SKU": "M1",
        "Image Src": "https://x/1",
    }


def test_files_folders_and_shards_are_one_catalog_in_their_order(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    written(folder / "items-001.jsonl", rows(3))
    written(folder / "items-000.jsonl", rows(2))
    (folder / "items-002.csv").write_text("id,title\nm4,Mug\n")
    first = written(tmp_path / "first.jsonl", rows(1))
    assert ids(CatalogReader(first, folder)) == ["m1", "m2", "m3", "m4"]
    with pytest.raises(InputError, match="is given twice"):
        CatalogReader(first, first)


def test_an_id_of_two_files_names_both_places(tmp_path: Path) -> None:
    one, two = written(tmp_path / "a.jsonl", rows(1, 2)), written(tmp_path / "b.jsonl", rows(3, 2))
    assert refusal(CatalogReader(one, two)) == [
        'b.jsonl:2: id: "m2" is that of a.jsonl:2, too; ids are unique in a catalog'
    ]


def test_an_id_comes_twice_however_many_blocks_lie_between(tmp_path: Path) -> None:
    path = written(tmp_path / "items.jsonl", rows(*range(3 * BLOCK), 5))
    assert refusal(CatalogReader(path)) == [
        f'items.jsonl:{3 * BLOCK + 1}: id: "m5" is that of line 6, too; ids are unique in a catalog'
    ]


BAD = ["{\n", {"id": "m8", "title": ""}, {"id": "m1", "title": "Again"}, {**rows(9)[0], "fields": {"price": "5"}}]


def test_as_many_bad_rows_as_allowed_are_left_out_and_each_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "items.jsonl", [*rows(1, 2), *BAD, *rows(3)])
    reader = CatalogReader(path, skip_bad=4)
    assert ids(reader) == ["m1", "m2", "m3"]
    assert reader.faults.rows == 4
    assert [line.partition(": ")[2].partition(":")[0] for line in reader.faults.lines()] == [
        "(line)",
        "title",
        "id",
        "fields.price",
    ]


def test_one_bad_row_more_than_allowed_is_an_error_that_tells_all(tmp_path: Path) -> None:
    path = written(tmp_path / "items.jsonl", [*rows(1, 2), *BAD, *rows(3)])
    with pytest.raises(InputError, match="4 faults in 4 rows, 3 may be left out") as caught:
        ids(CatalogReader(path, skip_bad=3))
    assert len(caught.value.details["faults"]) == 4


def test_a_row_with_several_faults_is_one_bad_row(tmp_path: Path) -> None:
    path = written(tmp_path / "items.jsonl", [*rows(1), {"id": "m1", "titel": "x", "popularity": -1}])
    reader = CatalogReader(path, skip_bad=1)
    assert ids(reader) == ["m1"]
    assert (reader.faults.rows, reader.faults.count) == (1, 4)


def test_a_fields_type_is_that_of_most_values_of_its_first_block(tmp_path: Path) -> None:
    late = {"id": "late", "title": "T", "fields": {"price": "dear"}}
    path = written(tmp_path / "items.jsonl", [late, *rows(*range(2 * BLOCK)), {**late, "id": "later"}])
    reader = CatalogReader(path, skip_bad=2)
    assert Counter(type(sourced.item.fields["price"]) for sourced in reader) == {float: 2 * BLOCK}
    assert [line.partition(" (")[0] for line in reader.faults.lines()] == [
        f'items.jsonl:{line}: fields.price: "dear" is text, 0.5 in line 2 is a number' for line in (1, 2 * BLOCK + 2)
    ]


def test_what_ends_a_file_is_never_left_out(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl.gz"
    packed = gzip.compress("".join(json.dumps(row) + "\n" for row in rows(*range(5000))).encode())
    path.write_bytes(packed[: len(packed) // 2])
    assert "damaged compressed data" in refusal(CatalogReader(path, skip_bad=10**6))[0]
    path.write_bytes(packed[:2000] + bytes(50) + packed[2050:])
    assert "damaged compressed data" in refusal(CatalogReader(path, skip_bad=10**6))[-1]


def test_a_table_whose_quote_stays_open_loses_more_than_one_row(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text('id,title\nm1,"Mug\nm2,Cup\nm3,Pot\n')
    assert "is no line of a table" in refusal(CatalogReader(tmp_path, skip_bad=2))[0]
    assert ids(CatalogReader(tmp_path, skip_bad=3)) == []


def test_progress_goes_from_nothing_to_every_byte_of_every_file(tmp_path: Path) -> None:
    plain = written(tmp_path / "a.jsonl", rows(*range(3 * BLOCK)))
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(rows(-1)[0]).encode()))
    reader = CatalogReader(plain, packed)
    seen = [reader.bytes_read]
    for _ in reader.blocks():
        seen.append(reader.bytes_read)
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert seen[1] < seen[-1] == reader.total_bytes == plain.stat().st_size + packed.stat().st_size


def items_alive() -> int:
    return sum(type(one) is Item for one in gc.get_objects())


def test_a_stream_holds_a_block_of_items_and_no_more(tmp_path: Path) -> None:
    path = written(tmp_path / "items.jsonl", rows(*range(8 * BLOCK)))
    before = items_alive()
    held = [items_alive() - before for number, _ in enumerate(CatalogReader(path)) if number % BLOCK == BLOCK // 2]
    assert 0 < max(held) <= 3 * BLOCK


def test_late_edits_are_in_the_item_and_not_in_its_source(tmp_path: Path) -> None:
    written(tmp_path / "items.jsonl", rows(1, 2))
    written(tmp_path / "items_late.jsonl", [{"id": "m2", "title": "Cup"}])
    assert [sourced.item.title for sourced in CatalogReader(tmp_path)] == ["Mug 1", "Mug 2"]
    items = list(CatalogReader(tmp_path, late=True))
    assert [sourced.item.title for sourced in items] == ["Mug 1", "Cup"]
    assert json.loads(items[1].source)["title"] == "Mug 2"


def test_a_locale_goes_before_that_of_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text('Handle,Title,Variant SKU,Variant Price\nmug,Mug,M1,"1.299,50"\n')
    (sourced,) = CatalogReader(tmp_path, locale="de")
    assert sourced.item.fields["price"] == 1299.5
    assert "price" in refusal(CatalogReader(tmp_path))[0].lower()
    with pytest.raises(InputError, match="format 'jsonl' takes no locale"):
        CatalogReader(written(tmp_path / "plain.jsonl", rows(1)), locale="de")


def test_a_block_of_long_rows_is_shorter(tmp_path: Path) -> None:
    path = written(tmp_path / "items.jsonl", rows(*range(20), description="long " * 200_000))
    assert [len(block) for block in CatalogReader(path).blocks()] == [9, 9, 2]


def test_a_reader_reads_once(tmp_path: Path) -> None:
    reader = CatalogReader(written(tmp_path / "items.jsonl", rows(1)))
    assert ids(reader) == ["m1"]
    with pytest.raises(RuntimeError, match="reads its catalog once"):
        ids(reader)


def test_of_many_kinds_of_faults_no_more_are_held_than_are_told_apart(tmp_path: Path) -> None:
    path = written(tmp_path / "items.jsonl", [{"id": n, "title": "T", f"key{n}": 1} for n in range(12_000)])
    told = refusal(CatalogReader(path))
    assert told[-1] == f"and {12_000 - LISTED} more; of each kind the first {EACH} are listed"
