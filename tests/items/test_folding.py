"""An index with its edits folded in is the index of the catalog that they came to, file by file."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.catalog.inmemory import item_source
from slotbeam.catalog.loaders import CatalogReader
from slotbeam.catalog.sources import BLOCK
from slotbeam.errors import ArtifactError, Conflict, InputError
from slotbeam.indexing.build import build_index
from slotbeam.indexing.indexed import IndexedItems
from slotbeam.items.folding import FoldedCatalog
from slotbeam.items.record import ItemRecord, Op
from slotbeam.items.store.store import ItemsHead, Seen
from slotbeam.search.artifact import Artifact, read_manifest, sha_of, verify
from support.shop import make_items
from support.trees import bytes_of

WORDS = ("mug", "lamp", "red", "blue", "acme", "zorblax", "usb c")
Row = dict[str, Any]
Records = dict[str, bytes]
Edit = tuple[str, Row | None]
"""An item id, and the row put there; None deletes it."""


def seen(seq: int, epoch: str = "e1", trimmed: int = 0) -> Seen:
    return Seen(ItemsHead(epoch, seq, "0" * 32), trimmed=trimmed)


def record(seq: int, row: Mapping[str, Any], op: Op = Op.PUT) -> bytes:
    return ItemRecord(op, seq, row).data()


def written(records: Records, edits: Sequence[Edit], seq: int = 0) -> tuple[Records, int]:
    """Records of a store after `edits`, and its seq."""
    records = dict(records)
    for item_id, row in edits:
        seq += 1
        records[item_id] = record(seq, {"id": item_id}, Op.DELETE) if row is None else record(seq, row)
    return records, seq


def fold(base: Path, records: Records, seq: int, out: Path, **options: Any) -> FoldedCatalog:
    made = FoldedCatalog(IndexedItems(base), seen(seq), records)
    build_index(
        base, made, out, language=read_manifest(base)["index"]["language"], says=made.says, base=base, **options
    )
    return made


def index_of(base: Path, rows: Mapping[str, bytes], directory: Path, **options: Any) -> dict[str, bytes]:
    """The index of a catalog written by hand: id → its line."""
    lines = directory / "by-hand.jsonl"
    lines.write_bytes(b"\n".join(rows.values()))
    language = read_manifest(base)["index"]["language"]
    build_index(base, CatalogReader(lines), directory / "by-hand", language=language, **options)
    return bytes_of(directory / "by-hand" / "index")


def rows_of(base: Path) -> dict[str, bytes]:
    catalog = Artifact.load(base).catalog
    return {catalog.ids[row]: catalog.source(row) for row in range(len(catalog))}


def came_to(rows: Mapping[str, bytes], edits: Sequence[Edit]) -> dict[str, bytes]:
    rows = dict(rows)
    for item_id, row in edits:
        rows.pop(item_id, None)
        if row is not None:
            rows[item_id] = orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
    return rows


ids = st.sampled_from([*(f"i{n:03d}" for n in range(0, 120, 7)), "n1", "n2", "zz"])
fields = st.fixed_dictionaries(
    {}, optional={"price": st.sampled_from([5, 20.5]), "department": st.just("attic"), "stock": st.booleans()}
)
parts = st.fixed_dictionaries(
    {"title": st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), "fields": fields},
    optional={"popularity": st.just(9), "attributes": st.just({"color": ["red"]}), "description": st.just("Nice.")},
)
edits = st.lists(
    st.tuples(ids, st.none() | parts).map(lambda one: (one[0], one[1] and {"id": one[0], **one[1]})),
    min_size=1,
    max_size=12,
)


@given(before=edits, since=edits)
@settings(max_examples=10)
def test_what_is_folded_twice_is_the_index_of_the_catalog_written_by_hand(
    tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory, before: Sequence[Edit], since: Sequence[Edit]
) -> None:
    tmp = tmp_path_factory.mktemp("fold")
    records, seq = written({}, before)
    fold(tiny_artifact, records, seq, tmp / "first")
    records, seq = written(records, since, seq)  # nothing is trimmed yet: what the first fold holds is passed over
    fold(tmp / "first", records, seq, tmp / "second")
    whole = fold(tiny_artifact, records, seq, tmp / "at-once")
    by_hand = index_of(tiny_artifact, came_to(rows_of(tiny_artifact), [*before, *since]), tmp)
    assert bytes_of(tmp / "second" / "index") == by_hand == bytes_of(tmp / "at-once" / "index")
    assert bytes_of(tmp / "second" / "model") == bytes_of(tiny_artifact / "model")
    assert whole.put == len([row for row in dict([*before, *since]).values() if row])


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Path:
    out = tmp_path_factory.mktemp("folded") / "tiny-2"
    records, seq = written({}, [("i003", None), ("n1", {"id": "n1", "title": "new lamp"})])
    fold(tiny_artifact, records, seq, out, name="tiny-2")
    return out


def test_what_is_folded_is_an_artifact_that_says_up_to_which_edit(folded: Path, tiny_artifact: Path) -> None:
    artifact = Artifact.load(folded)
    verify(folded, artifact.manifest)
    assert artifact.watermark == ("e1", 2)
    assert artifact.name == "tiny-2"
    base = read_manifest(tiny_artifact)
    assert artifact.manifest["index"]["folded_from"] == {"name": "tiny", "sha": sha_of(base)}
    assert artifact.manifest["index"]["catalog"] == base["index"]["catalog"]
    assert (artifact.catalog.row_of("i003"), artifact.catalog.row_of("n1") is None) == (None, False)


def test_records_that_the_index_holds_are_passed_over_and_of_another_epoch_they_are_not(folded: Path) -> None:
    held, seq = written({}, [("i003", None), ("n1", {"id": "n1", "title": "another title"})])
    base = IndexedItems(folded)
    same = FoldedCatalog(base, seen(seq), held)
    assert (same.put, same.deleted) == (0, 0)
    restored = FoldedCatalog(base, seen(seq, "e2"), held)
    assert (restored.put, restored.deleted, restored.watermark) == (1, 0, ("e2", 2))
    without = FoldedCatalog(base, None, {})
    assert without.watermark == ("e1", 2)


def test_a_store_behind_the_index_or_that_let_go_of_what_it_lacks_is_refused(folded: Path) -> None:
    base = IndexedItems(folded)
    with pytest.raises(Conflict, match="holds edits up to seq 2, the store is at 1"):
        FoldedCatalog(base, seen(1), {})
    with pytest.raises(Conflict, match="records up to 3 were let go"):
        FoldedCatalog(base, seen(4, trimmed=3), {})


def test_a_record_that_cannot_be_read_or_does_not_fit_is_left_out_and_named(tiny_artifact: Path) -> None:
    records = {
        "i001": record(1, {"id": "i001", "title": "cheap mug", "fields": {"price": "cheap"}}),
        "i002": b"\xff",
        "i004": record(3, {"id": "i005", "title": "of another"}),
        "n1": record(4, {"id": "n1", "title": "first", "fields": {"stock": True}}),
        "n2": record(5, {"id": "n2", "title": "second", "fields": {"stock": "much"}}),
    }
    folded = FoldedCatalog(IndexedItems(tiny_artifact), seen(5), records)
    assert folded.failed.keys() == {"i001", "i002", "i004", "n2"}
    assert folded.left_out == 4
    assert "fields.price is 'cheap'; in this catalog it is a number field" in folded.failed["i001"]
    items = {sourced.item.id: sourced.item for block in folded.blocks() for sourced in block}
    assert len(items) == 121
    assert items["i001"] == make_items(120)[1], "what the index has of it stays"
    assert folded.progress == (3, 3)


def test_an_index_whose_rows_are_damaged_is_not_folded(folded: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folded, tmp_path / "copy")
    path = copy / "index" / "items" / "sources.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ArtifactError, match=r"index/items/sources\.npy has sha256"):
        IndexedItems(copy)


MAPPING = {"id": "sku", "title": "name", "fields": {"price": {"field": "cost", "type": "number", "locale": "de"}}}


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> tuple[Path, Path]:
    """An index made by a mapping, and the mapping."""
    tmp = tmp_path_factory.mktemp("mapped")
    mapping = tmp / "mapping.json"
    mapping.write_bytes(orjson.dumps(MAPPING))
    rows = [{"sku": f"s{n}", "name": f"red mug {n}", "cost": f"1.{n:03d},50", "ean": n} for n in range(BLOCK + 1)]
    (tmp / "shop.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    build_index(tiny_artifact, CatalogReader(tmp / "shop.jsonl", mapping=mapping), tmp / "shop")
    return tmp / "shop", mapping


def test_rows_of_another_shape_are_read_by_their_mapping_and_are_documented_from_then_on(
    mapped: tuple[Path, Path], tmp_path: Path
) -> None:
    base, mapping = mapped
    items = IndexedItems(base, mapping)
    read = [sourced for number in range(items.blocks) for sourced in items.block(number, without=["s1"])]
    assert len(read) == BLOCK
    assert all(sourced.source == item_source(sourced.item) for sourced in read)
    records, seq = written({}, [("s1", None)])
    made = FoldedCatalog(items, seen(seq), records)
    build_index(base, made, tmp_path / "next", language="en", says=made.says)
    again = IndexedItems(tmp_path / "next")  # without the mapping
    assert {one.item.id: one.item for n in range(again.blocks) for one in again.block(n)} == {
        one.item.id: one.item for one in read
    }


def test_a_mapping_that_reads_rows_otherwise_than_the_index_holds_them_is_refused(
    mapped: tuple[Path, Path], tmp_path: Path
) -> None:
    base, _ = mapped

    def refusal(**more: Any) -> str:
        other = tmp_path / "other.json"
        other.write_bytes(orjson.dumps({**MAPPING, **more}))
        with pytest.raises(InputError) as refused:
            list(IndexedItems(base, other).block(0))
        return str(refused.value)

    price = {"price": {"field": "ean", "type": "number"}}
    assert "cannot be read again by other.json: fields.price is" in refusal(fields=price)
    assert "title, attributes or description are not those" in refusal(title="sku")
    assert "popularity is" in refusal(popularity="ean")
    assert "give the --mapping, and --locale, that the index was made with" in refusal(id="nope")
    with pytest.raises(InputError, match=r"sku: unknown key|unknown key.*give the --mapping"):
        list(IndexedItems(base).block(0))
