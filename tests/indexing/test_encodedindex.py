"""What an index holds of its items is what encoding them again gives, and is taken for those that did not change."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.catalog.columns import NUMBERS, Columns
from slotbeam.catalog.inmemory import item_source
from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import CatalogReader
from slotbeam.errors import ArtifactError
from slotbeam.indexing.build import build_index
from slotbeam.indexing.encode import Given, ItemEncoder
from slotbeam.indexing.encodedindex import EncodedIndex
from slotbeam.language.fold import Folding, Versions
from slotbeam.search.artifact import INDEX, LANGUAGE, MODEL, read_manifest, save_manifest
from support.shop import make_items
from support.tiny import MAX_TOKENS
from support.trees import bytes_of

ITEMS = make_items(120)


@pytest.fixture(scope="module")
def encoder(tiny_artifact: Path) -> ItemEncoder:
    return ItemEncoder.load(tiny_artifact / MODEL, MAX_TOKENS, tiny_artifact / INDEX / LANGUAGE)


@pytest.fixture(scope="module")
def known(tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> EncodedIndex:
    return EncodedIndex(tiny_artifact, tmp_path_factory.mktemp("known"), run=50)


def told(columns: Columns) -> dict[str, list[Any]]:
    """Everything of each item, by its id; terms have no order."""
    terms = [sorted(np.frombuffer(own, np.uint32).tolist()) for own in columns.terms.encoded(range(len(columns)))]
    numbers = [getattr(columns, name).tolist() for name in NUMBERS]
    fields = [
        [None if field.keywords is None else field.keywords[code] for code in field.values.tolist()]
        if field.keywords is not None
        else np.asarray(field.values).tolist()
        for field in columns.fields.values()
    ]
    rows = zip(columns.titles, columns.texts, columns.sources, terms, *numbers, *fields, strict=True)
    return {item_id: list(row) for item_id, row in zip(columns.ids, rows, strict=True)}


def given_of(items: Sequence[Item]) -> list[Given]:
    return [(item, item_source(item)) for item in items]


@given(
    chosen=st.lists(st.sampled_from(ITEMS), unique_by=lambda item: item.id, min_size=1),
    edited=st.dictionaries(
        st.sampled_from([item.id for item in ITEMS]),
        st.sampled_from([{"title": "red lamp"}, {"popularity": 7.5}, {"attributes": {"color": ["blue"]}}, {"id": "n"}]),
        max_size=3,
    ),
)
@settings(max_examples=30)
def test_an_item_that_is_as_it_was_is_taken_and_every_other_one_is_encoded(
    known: EncodedIndex, encoder: ItemEncoder, chosen: list[Item], edited: dict[str, dict[str, Any]]
) -> None:
    items = [replace(item, **edited.get(item.id, {})) for item in chosen]
    items = list({item.id: item for item in items}.values())
    encoded: list[str] = []

    def encode(block: list[Given]) -> Columns:
        encoded.extend(item.id for item, _ in block)
        return encoder.columns(block)

    parts = list(known.columns(given_of(items), encode))
    assert sorted(encoded) == sorted(item.id for item in items if item not in ITEMS)
    assert {key: row for part in parts for key, row in told(part).items()} == told(encoder.columns(given_of(items)))


def none_encoded(block: list[Given]) -> Columns:
    raise AssertionError(f"{[item.id for item, _ in block]} are encoded again")


def test_all_of_an_index_is_taken_however_its_postings_are_cut(
    tiny_artifact: Path, encoder: ItemEncoder, tmp_path: Path
) -> None:
    for run in (1, 10**6):
        [part] = EncodedIndex(tiny_artifact, tmp_path, run).columns(given_of(ITEMS), none_encoded)
        assert told(part) == told(encoder.columns(given_of(ITEMS)))
    assert not list(tmp_path.iterdir()), "its file has no name any longer"


def test_a_row_that_a_mapping_read_as_another_item_is_encoded(known: EncodedIndex, encoder: ItemEncoder) -> None:
    other = replace(ITEMS[0], title="of a mapping")
    [part] = known.columns([(other, item_source(ITEMS[0]))], encoder.columns)
    assert list(part.titles) == ["of a mapping"]


def test_an_item_that_repeats_a_term_more_often_than_is_counted_is_encoded(
    tiny_artifact: Path, encoder: ItemEncoder, tmp_path: Path
) -> None:
    items = [Item(f"i{often}", " ".join(["mug"] * often)) for often in (126, 127, 128, 300)]
    (tmp_path / "items.jsonl").write_bytes(b"\n".join(map(item_source, items)))
    out = tmp_path / "out"
    build_index(tiny_artifact, CatalogReader(tmp_path / "items.jsonl"), out, language="en")
    encoded: list[str] = []

    def encode(block: list[Given]) -> Columns:
        encoded.extend(item.id for item, _ in block)
        return encoder.columns(block)

    parts = list(EncodedIndex(out, tmp_path).columns(given_of(items), encode))
    assert encoded == ["i128", "i300"], "a title counts twice, and 255 may be more"
    assert {key: row for part in parts for key, row in told(part).items()} == told(encoder.columns(given_of(items)))


@pytest.fixture
def copy(tiny_artifact: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_artifact, tmp_path / "copy")


def says(directory: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    manifest = read_manifest(directory)
    change(manifest)
    save_manifest(directory, manifest)
    return directory


def test_only_what_this_version_encoded_and_counted_in_the_same_folding_fits(tiny_artifact: Path, copy: Path) -> None:
    folding = Folding.load(tiny_artifact / INDEX / LANGUAGE)
    assert EncodedIndex.fits(tiny_artifact, folding)
    assert not EncodedIndex.fits(tiny_artifact, Folding("de", ["kaffee"]))
    assert not EncodedIndex.fits(tiny_artifact, Folding(folding.language, folding.parts, Versions(0, "0")))
    assert not EncodedIndex.fits(says(copy, lambda m: m[INDEX].update(encoded_by="0.7.0")), folding)
    assert not EncodedIndex.fits(says(copy, lambda m: m[INDEX].pop("encoded_by")), folding)
    before = tiny_artifact / "manifest.json"
    (copy / "manifest.json").write_bytes(before.read_bytes())
    assert not EncodedIndex.fits(says(copy, lambda m: m["files"].pop("index/terms/counts.npy")), folding)


def test_with_a_base_an_index_is_the_same_in_several_processes_and_of_another_model_nothing_is_taken(
    tiny_artifact: Path, copy: Path, tmp_path: Path
) -> None:
    items = [*ITEMS[5:], Item("new", "zorblax mug")]
    catalog = tmp_path / "items.jsonl"
    catalog.write_bytes(b"\n".join(map(item_source, items)))
    ways: tuple[dict[str, Any], ...] = ({}, {"base": tiny_artifact, "jobs": 2}, {"base": copy})
    for number, how in enumerate(ways):
        if number == 2:  # were anything taken of it, the damage would be told
            says(copy, lambda manifest: manifest[MODEL].update(sha="0" * 64))
            (copy / INDEX / "terms" / "counts.npy").write_bytes(b"")
        build_index(tiny_artifact, CatalogReader(catalog), tmp_path / f"{number}", language="en", **how)
    assert bytes_of(tmp_path / "0" / INDEX) == bytes_of(tmp_path / "1" / INDEX) == bytes_of(tmp_path / "2" / INDEX)


@pytest.mark.parametrize("name", ["terms/counts.npy", "items/texts.npy"])
def test_nothing_is_taken_of_an_index_that_was_changed(copy: Path, tmp_path: Path, name: str) -> None:
    path = copy / INDEX / name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ArtifactError, match=f"index/{name} has sha256"):
        EncodedIndex(copy, tmp_path)
