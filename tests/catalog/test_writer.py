"""The table of items: the same arrays however its items are cut into parts, and each item as it was given."""

import json
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.arrays import ArrayFile, Strings, save_array
from slotbeam.catalog.columns import FieldTypes, Interleaving
from slotbeam.catalog.inmemory import columns_of, write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog
from slotbeam.catalog.writer import write_table
from support.trees import bytes_of

FIELDS = {"brand": st.sampled_from("zaé"), "price": st.floats(0, 9), "sale": st.booleans()}
items = st.builds(
    Item,
    id=st.text(alphabet="ab拉", min_size=1, max_size=12),
    title=st.text(alphabet="red mug é", max_size=12),
    fields=st.fixed_dictionaries(
        {}, optional={"brand": st.sampled_from("zaé"), "price": st.floats(0, 9), "sale": st.booleans()}
    ),
    popularity=st.sampled_from([0.0, 1.0, 2.5]),
)
catalogs = st.lists(items, min_size=1, max_size=24, unique_by=lambda item: item.id)


def sids_of(catalog):
    return np.array([[len(item.title) % 3, len(item.id) % 2] for item in catalog])


@settings(max_examples=60)
@given(catalogs, st.randoms(use_true_random=False), st.integers(1, 5))
def test_parts_and_the_order_of_arrival_change_no_byte(tmp_path_factory, catalog, random, size):
    folder = tmp_path_factory.mktemp("table")
    kinds = write_catalog(folder / "whole", catalog, sids_of(catalog))
    shuffled = list(catalog)
    random.shuffle(shuffled)
    cuts = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
    table = write_table(folder / "parts", [columns_of(cut, sids_of(cut)) for cut in cuts])
    assert bytes_of(folder / "parts") == bytes_of(folder / "whole")
    assert table.kinds == kinds
    assert table.leaves.tolist() == sorted(map(list, {tuple(sid) for sid in sids_of(catalog).tolist()}))


def test_each_item_comes_back_as_it_was_given(tmp_path: Path) -> None:
    catalog = [Item(f"i{number}", f"mug {number}", fields={"price": 1.5}) for number in range(200)]
    loaded = Catalog.load(tmp_path, write_catalog(tmp_path, catalog, np.ones((200, 1), int)))
    for item in catalog:
        row = loaded.row_of(item.id)
        assert row is not None
        given_row = json.loads(loaded.source(row))
        assert (given_row["id"], given_row["title"], given_row["fields"]) == (item.id, item.title, {"price": 1.5})


def test_an_array_written_piece_by_piece_has_the_bytes_of_one_written_whole(tmp_path: Path) -> None:
    for dtype, shape in ((np.uint8, ()), (np.int16, (5,)), (np.float32, ()), (np.int8, (0,))):
        whole = np.arange(33 * int(np.prod(shape, dtype=int))).astype(dtype).reshape(33, *shape)
        save_array(tmp_path / "whole.npy", whole)
        file = ArrayFile(tmp_path / "pieces.npy", dtype, shape)
        for start in (0, 10, 33):
            file.append(whole[start : {0: 10, 10: 33}.get(start, 33)])
        file.close()
        assert (tmp_path / "pieces.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_what_is_interleaved_is_what_was_put_in() -> None:
    catalog = [Item(f"i{n}", f"mug {n}", fields={"brand": "ab"[n % 2]} if n % 3 else {}) for n in range(20)]
    parts = [columns_of(catalog[:7], sids_of(catalog[:7])), columns_of(catalog[7:], sids_of(catalog[7:]))]
    order = np.random.default_rng(0).permutation(20)
    taken = Interleaving(parts, FieldTypes.of(parts)).take(order)
    assert list(taken.ids) == [catalog[i].id for i in order]
    brand = taken.fields["brand"]
    assert isinstance(brand.keywords, Strings)
    words = [brand.keywords[code] if code >= 0 else None for code in brand.values.tolist()]
    assert words == [catalog[i].fields.get("brand") for i in order]
