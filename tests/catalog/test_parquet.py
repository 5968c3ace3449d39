"""Catalogs and logs in Parquet: the same items as from JSON lines, a thousand rows at a time."""

from __future__ import annotations

import datetime
import decimal
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import CatalogReader, load_catalog, load_log
from slotbeam.errors import InputError, SetupError

pyarrow = pytest.importorskip("pyarrow", reason="Parquet is read by the extra index")
parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet is read by the extra index")


def written(path: Path, rows: list[dict[str, Any]], schema: Any = None, **more: Any) -> Path:
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), path, **more)
    return path


ROWS: list[dict[str, Any]] = [
    {
        "id": f"i{n}",
        "title": f"Item {n}",
        "attributes": {"color": ["red"], "brand": None if n % 2 else ["Acme"]},
        "fields": {"price": n + 0.25, "sale": n % 3 == 0},
        "popularity": float(n),
    }
    for n in range(2500)
]


def test_parquet_gives_the_same_items_as_json_lines(tmp_path: Path) -> None:
    written(tmp_path / "items.parquet", ROWS, row_group_size=600)
    (tmp_path / "same.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    items = list(CatalogReader(tmp_path))
    assert [sourced.item for sourced in items] == list(load_catalog(tmp_path / "same.jsonl"))
    assert json.loads(items[2400].source) == ROWS[2400]
    assert items[2400].place.line == 2401


def test_a_row_group_is_not_held_whole(tmp_path: Path) -> None:
    written(tmp_path / "items.parquet", ROWS)
    reader = CatalogReader(tmp_path)
    shares = [reader.bytes_read / reader.total_bytes for _ in reader.blocks()]
    assert shares[0] < 0.5
    assert shares == sorted(shares)
    assert reader.bytes_read == reader.total_bytes


def test_types_that_json_has_not_are_read_as_those_that_it_has(tmp_path: Path) -> None:
    schema = pyarrow.schema(
        [
            ("id", pyarrow.int64()),
            ("title", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())),
            ("attributes", pyarrow.map_(pyarrow.string(), pyarrow.list_(pyarrow.string()))),
            ("fields", pyarrow.struct([("price", pyarrow.decimal128(8, 2)), ("since", pyarrow.date32())])),
        ]
    )
    row = {
        "id": 7,
        "title": "Mug",
        "attributes": [("color", ["red", "blue"])],
        "fields": {"price": decimal.Decimal("12.99"), "since": datetime.date(2026, 11, 27)},
    }
    assert list(load_catalog(written(tmp_path / "items.parquet", [row], schema))) == [
        Item("7", "Mug", "", {"color": ("red", "blue")}, {"price": 12.99, "since": "2026-11-27"})
    ]


def test_a_wrong_value_names_its_row(tmp_path: Path) -> None:
    written(tmp_path / "items.parquet", [{"id": "a", "title": "T"}, {"id": "b", "title": None}])
    with pytest.raises(InputError, match=r"items\.parquet:2: title: is missing"):
        list(load_catalog(tmp_path))


def test_a_log_is_read_from_parquet(tmp_path: Path) -> None:
    written(tmp_path / "log.parquet", [{"query": "mug", "item_id": 1, "recent_queries": ["cup"]}])
    (click,) = load_log(tmp_path)
    assert (click.query, click.item_id, click.recent_queries) == ("mug", "1", ("cup",))


def test_what_is_no_parquet_or_damaged_ends_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "items.parquet", ROWS, row_group_size=600, compression="gzip")
    whole = path.read_bytes()
    for raw in (b"id,title\n", whole[:-100], whole[:3000] + bytes(3000) + whole[6000:]):
        path.write_bytes(raw)
        with pytest.raises(InputError, match=r"items\.parquet:\d+: \(line\): is no Parquet, or damaged"):
            list(CatalogReader(path, skip_bad=10_000))


def test_without_pyarrow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "items.parquet", ROWS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SetupError, match=r'pip install "slotbeam\[index\]"'):
        list(CatalogReader(path))
