"""Loaders: what they read, and what they say about what they cannot read."""

from __future__ import annotations

import gzip
import json
import lzma
import re
from pathlib import Path
from typing import Any

import pytest

from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import kuaisearch, load_catalog, load_log
from slotbeam.catalog.loaders.mapping import MappingFile
from slotbeam.catalog.loaders.plain import plain
from slotbeam.catalog.loaders.rows import rows
from slotbeam.catalog.loaders.source import SourceRow
from slotbeam.catalog.loaders.values import CATEGORIES
from slotbeam.errors import InputError
from slotbeam.kae.categories import CATEGORIES as KAE_CATEGORIES

MUG = {
    "id": "m1",
    "title": "Red Mug",
    "description": "Holds tea.",
    "attributes": {"color": "red", "material": ["clay", "glaze"]},
    "fields": {"brand": "Acme", "price": 4, "sale": True},
    "popularity": 3,
}
CLICK = {"query": "mug", "item_id": "m1", "kind": "order", "day": 2, "user": 7, "recent_queries": ["x"], "position": 1}


def written(path: Path, *rows: Any) -> Path:
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_the_documented_item_schema_is_read(tmp_path: Path) -> None:
    (item,) = load_catalog(written(tmp_path / "items.jsonl", MUG))
    assert item == Item(
        "m1",
        "Red Mug",
        "Holds tea.",
        {"color": ("red",), "material": ("clay", "glaze")},
        {"brand": "Acme", "price": 4.0, "sale": True},
        3.0,
    )
    assert type(item.fields["price"]) is float
    assert item.fields["sale"] is True


def test_the_documented_log_schema_is_read(tmp_path: Path) -> None:
    (one, least) = load_log(written(tmp_path / "log.jsonl", CLICK, {"query": "a", "item_id": 5}))
    assert one == Interaction("mug", "m1", "order", 2, "7", ("x",), (), 1)
    assert least == Interaction("a", "5", "click", 1, "", (), (), 0)


@pytest.mark.parametrize(("suffix", "opener"), [(".jsonl.gz", gzip.open), (".jsonl.xz", lzma.open)])
def test_compressed_files_are_read(tmp_path: Path, suffix: str, opener: Any) -> None:
    with opener(tmp_path / f"items{suffix}", "wt") as file:
        file.write(json.dumps(MUG) + "\n\n")
    assert [item.id for item in load_catalog(tmp_path)] == ["m1"]


def test_a_damaged_compressed_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl.xz"
    path.write_bytes(lzma.compress(json.dumps(MUG).encode() * 50)[:-20])
    with pytest.raises(InputError, match=r"items\.jsonl\.xz:\d+: \(line\): damaged"):
        list(load_catalog(path))


@pytest.mark.parametrize(
    ("row", "field", "allowed"),
    [
        ({"id": ""}, "id", "text of 1 to 256 characters"),
        ({"id": None}, "id", "text of 1 to 256 characters"),
        ({"id": True}, "id", "text of 1 to 256 characters"),
        ({"id": "x" * 300}, "id", "text of 1 to 256 characters"),
        ({"title": "  "}, "title", "text that is not blank"),
        ({"title": None}, "title", "text that is not blank"),
        ({"description": 5}, "description", "text"),
        ({"attributes": []}, "attributes", "an object"),
        ({"attributes": {"color": [""]}}, "attributes.color", "none blank"),
        ({"attributes": {"color": [4]}}, "attributes.color", "a list of words"),
        ({"fields": {"price": [1]}}, "fields.price", "text, a number or true/false"),
        ({"fields": 3}, "fields", "an object"),
        ({"popularity": -1}, "popularity", "a number >= 0"),
        ({"popularity": "many"}, "popularity", "a number >= 0"),
    ],
)
def test_a_wrong_item_field_is_named_with_its_line_and_what_is_allowed(
    tmp_path: Path, row: dict[str, Any], field: str, allowed: str
) -> None:
    path = written(tmp_path / "items.jsonl", MUG, {**MUG, "id": "m2", **row})
    with pytest.raises(InputError) as caught:
        list(load_catalog(path))
    assert re.match(rf"items\.jsonl:2: {re.escape(field)}: is .*; allowed: .*{allowed}", str(caught.value))
    details = caught.value.details
    assert (details["file"], details["line"], details["field"]) == (str(path), 2, field)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"query": ""}, "query"),
        ({"item_id": 1.5}, "item_id"),
        ({"kind": "view"}, "kind"),
        ({"day": 0}, "day"),
        ({"day": "1"}, "day"),
        ({"recent_queries": "mug"}, "recent_queries"),
        ({"recent_item_ids": [1]}, "recent_item_ids"),
        ({"position": -1}, "position"),
    ],
)
def test_a_wrong_log_field_is_named_with_its_line(tmp_path: Path, row: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError, match=rf"log\.jsonl:2: {field}: is .*; allowed: "):
        list(load_log(written(tmp_path / "log.jsonl", CLICK, {**CLICK, **row})))


@pytest.mark.parametrize("line", ["{\n", "[1]\n", "7\n", "{'id': 1}\n", '{"id": NaN}\n'])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match=r"items\.jsonl:2: \(line\): .*allowed"):
        list(load_catalog(written(tmp_path / "items.jsonl", MUG, line), format="jsonl"))


def test_a_path_that_holds_nothing_says_what_it_may_hold(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds none of items\.jsonl"):
        load_catalog(tmp_path)
    with pytest.raises(InputError, match="does not exist; allowed"):
        load_catalog(tmp_path / "none")
    with pytest.raises(InputError, match="format 'xml' is unknown; allowed: jsonl"):
        load_catalog(written(tmp_path / "items.jsonl", MUG), format="xml")
    with pytest.raises(InputError, match="format 'icecat' has no log; allowed"):
        load_log(written(tmp_path / "log.jsonl", CLICK), format="icecat")


def test_late_edits_apply_only_when_asked_for(tmp_path: Path) -> None:
    written(tmp_path / "items.jsonl", MUG, {**MUG, "id": "m2"})
    written(tmp_path / "items_late.jsonl", {"id": "m2", "description": "Now a labubu mug."})
    assert [item.description for item in load_catalog(tmp_path)] == ["Holds tea."] * 2
    assert [item.description for item in load_catalog(tmp_path, late=True)] == ["Holds tea.", "Now a labubu mug."]


def test_a_late_edit_of_an_unknown_item_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "items.jsonl", MUG)
    written(tmp_path / "items_late.jsonl", {"id": "gone", "title": "T"})
    with pytest.raises(InputError, match=r"items_late\.jsonl:1: id: item 'gone' is not in the catalog"):
        list(load_catalog(tmp_path, late=True))


MAPPING: dict[str, Any] = {
    "id": "sku",
    "title": "name",
    "description": ["short", "long"],
    "popularity": "sales",
    "attributes": [
        {"field": "specs.colour", "category": "color", "split": "\\s*[,/]\\s*"},
        {"field": "specs.diagonal", "category": "specifications", "format": "{value:g} inch"},
        {"field": "specs.wifi", "category": "function", "when": "wifi"},
        {"field": "tags", "category": "style"},
    ],
    "fields": {"brand": {"field": "maker", "type": "keyword"}, "price": {"field": "price", "type": "number"}},
    "drop": ["n/a", "unknown"],
}
TV = {
    "sku": 12,
    "name": "TV",
    "short": "Flat.",
    "long": "Wide.",
    "sales": 2,
    "specs": {"colour": "Black / Grey, Unknown", "diagonal": 43.0, "wifi": True},
    "tags": ["retro", "N/A"],
    "maker": "Acme",
    "price": 300,
}


def test_a_mapping_file_reads_rows_of_any_shape(tmp_path: Path) -> None:
    mapping = written(tmp_path / "mapping.json", MAPPING)
    (item,) = load_catalog(written(tmp_path / "any.jsonl", TV), mapping=mapping)
    assert item == Item(
        "12",
        "TV",
        "Flat. Wide.",
        {
            "color": ("Black", "Grey"),
            "specifications": ("43 inch",),
            "function": ("wifi",),
            "style": ("retro",),
        },
        {"brand": "Acme", "price": 300.0},
        2.0,
    )


def test_missing_sources_leave_the_item_without_those_words(tmp_path: Path) -> None:
    mapping = written(tmp_path / "mapping.json", MAPPING)
    bare = {"sku": "1", "name": "TV", "specs": {"wifi": False}}
    assert list(load_catalog(written(tmp_path / "any.jsonl", bare), mapping=mapping)) == [Item("1", "TV")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"price": "cheap"}, '1: price: is "cheap"; allowed: a number'),
        ({"name": None}, "1: name: is missing; allowed: text"),
    ],
)
def test_a_value_that_does_not_fit_its_mapping_is_named(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    mapping = written(tmp_path / "mapping.json", MAPPING)
    with pytest.raises(InputError, match=said):
        list(load_catalog(written(tmp_path / "any.jsonl", {**TV, **row}), mapping=mapping))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "x"}, "unknown key 'name'; allowed: about, attributes"),
        ({"attributes": [{"field": "a", "category": "colour"}]}, "'a' has category 'colour'; allowed: anchor"),
        ({"fields": {"price": {"field": "p", "type": "money"}}}, "'price' has type 'money'; allowed: keyword"),
        ({"attributes": [{"category": "color"}]}, "attribute without a field"),
        ({"attributes": [{"field": "a", "category": "color", "split": "("}]}, "split '\\(' is no regular expression"),
        ({"attributes": [{"field": "a", "category": "color", "form": "x"}]}, "unknown key 'form'"),
        ({"fields": {"price": {"type": "number"}}}, "field 'price' names no source"),
    ],
)
def test_a_wrong_mapping_file_says_what_is_allowed(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        MappingFile.parse({**MAPPING, **change}, "mapping.json")


def test_loaders_and_encoder_know_the_same_categories() -> None:
    assert frozenset(KAE_CATEGORIES) == CATEGORIES


KUAI = {"user_id": 1, "query": "裙", "time_index": 5, "split": "train"}


def test_a_kuaisearch_recall_row_gives_its_clicks_and_orders(tmp_path: Path) -> None:
    row = {**KUAI, "impressed_item_ids": [9, 8, 7], "clicked_item_ids": [8, 7], "purchased_item_ids": [7]}
    assert list(load_log(written(tmp_path / "recall.jsonl", row))) == [
        Interaction("裙", "8", "click", 1, "1", position=2),
        Interaction("裙", "7", "order", 1, "1", position=3),
    ]


def test_a_kuaisearch_rank_row_counts_only_when_it_was_chosen(tmp_path: Path) -> None:
    row = {**KUAI, "target_item_id": 3, "recently_clicked_item_ids": [1, 2], "split": "test"}
    rows = [{**row, "is_clicked": 0, "is_purchased": 0}, {**row, "is_clicked": 1, "is_purchased": 0}]
    assert list(load_log(written(tmp_path / "rank.jsonl", *rows))) == [
        Interaction("裙", "3", "click", 31, "1", recent_item_ids=("1", "2"))
    ]


def test_a_malformed_kuaisearch_row_is_named(tmp_path: Path) -> None:
    row = {**KUAI, "impressed_item_ids": 3, "clicked_item_ids": [], "purchased_item_ids": []}
    with pytest.raises(InputError, match=r"recall\.jsonl:1: impressed_item_ids: is 3; allowed: a list"):
        list(load_log(written(tmp_path / "recall.jsonl", row)))
    path = written(tmp_path / "relevance.jsonl", {"query": "a", "item_title": "b", "score": 9})
    with pytest.raises(InputError, match="score: is 9; allowed: 0, 1, 2 or 3"):
        list(kuaisearch.relevance(path))


def test_kuaisearch_files_are_told_from_others_and_from_each_other(tmp_path: Path) -> None:
    """A folder as it is released, with products of our own."""
    levels = {"category_level1_name": "厨房", "category_level2_name": "餐具", "category_level3_name": "杯子/马克杯"}
    plain_cup = {"item_id": 1, "item_title": "红色马克杯", "brand_name": "艾克", "seller_name": "小店", **levels}
    bare_cup = {**plain_cup, "item_id": 2, "brand_name": "UNKNOWN", "seller_name": "无品牌"}
    written(tmp_path / "items.jsonl", plain_cup, bare_cup)
    chosen = {"impressed_item_ids": [1, 2], "clicked_item_ids": [1], "purchased_item_ids": [2]}
    written(tmp_path / "recall.jsonl", {**KUAI, "query": "杯子", **chosen})
    shown = {"target_item_id": 1, "recently_clicked_item_ids": [2], "is_clicked": 1, "is_purchased": 0}
    written(tmp_path / "rank.jsonl", {**KUAI, "query": "杯子", **shown})
    labels = [{"query": "杯子", "item_title": "红色马克杯", "score": score} for score in range(4)]
    written(tmp_path / "relevance.jsonl", *labels)

    full, bare = load_catalog(tmp_path)
    entities = {"entity": ("杯子", "马克杯", "餐具")}
    assert full.attributes == {"brand": ("艾克",), "anchor": ("小店",), **entities}
    assert full.fields == {"brand": "艾克", "department": "厨房", "seller": "小店"}
    assert bare.attributes == entities, "words that stand for nothing are no words"
    assert [(one.item_id, one.kind) for one in load_log(tmp_path)] == [("1", "click"), ("2", "order")]
    assert [one.recent_item_ids for one in load_log(tmp_path / "rank.jsonl")] == [("2",)]
    assert [label.score for label in kuaisearch.relevance(tmp_path / "relevance.jsonl")] == [0, 1, 2, 3]


SHEETS = [
    {
        "id": "s1",
        "title": 'Acme Norda Q100 Notebook Silver 43.9 cm (17.3") 8 GB',
        "brand": "Acme",
        "short_description": 'Notebook, 17.3", 8 GB',
        "attrs": {
            "t_product_type": "Notebook, Tablet",
            "t_product_colour": "Silver/Black",
            "t_material": "Aluminium (anodised)",
            "t_country_of_origin": "N/A",
            "n_display_diagonal": 17.3,
            "n_internal_memory": 8.0,
            "b_bluetooth": True,
            "b_wi_fi": False,
        },
    },
    {
        "id": "s2",
        "title": "Zenco toner cartridge Black",
        "brand": "Zenco",
        "short_description": "Toner",
        "attrs": {"t_type": "Original", "t_printing_colours": "Black", "n_black_toner_page_yield": 23000.0},
    },
]
"""Two product sheets in the shape of Icecat's, of products that nobody sells."""


def test_sheets_as_icecats_become_items_with_typed_words(tmp_path: Path) -> None:
    with lzma.open(tmp_path / "products.jsonl.xz", "wt") as file:
        file.writelines(json.dumps(sheet) + "\n" for sheet in SHEETS)
    notebook, toner = load_catalog(tmp_path)
    assert (notebook.id, notebook.title, notebook.description) == (
        SHEETS[0]["id"],
        SHEETS[0]["title"],
        SHEETS[0]["short_description"],
    )
    assert notebook.attributes == {
        "brand": ("Acme",),
        "entity": ("Notebook", "Tablet"),
        "color": ("Silver", "Black"),
        "material": ("Aluminium", "anodised"),
        "function": ("bluetooth",),
        "specifications": ("17.3 inch", "8 gb"),
    }
    assert notebook.fields == {
        "brand": "Acme",
        "product_type": "Notebook, Tablet",
        "color": "Silver/Black",
        "display_inches": 17.3,
        "memory_gb": 8.0,
        "wifi": False,
        "bluetooth": True,
    }
    assert toner.attributes == {"brand": ("Zenco",), "color": ("Black",)}
    assert toner.fields == {"brand": "Zenco"}


DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.skipif(not (DATA / "icecat").is_dir(), reason="the Icecat data is not beside the repository")
def test_icecat_products_become_items_with_typed_words() -> None:
    sheets = [row.values for row in rows(DATA / "icecat" / "products.jsonl.xz") if isinstance(row, SourceRow)]
    items = list(load_catalog(DATA / "icecat"))
    assert len(items) == len(sheets) == 19_406
    for item, sheet in zip(items, sheets, strict=True):
        said = sheet["attrs"]
        assert (item.id, item.title, item.fields["brand"]) == (
            sheet["id"],
            plain(sheet["title"]),
            sheet["brand"],
        )
        assert item.attributes["brand"] == (sheet["brand"],)
        assert ("bluetooth" in item.attributes.get("function", ())) is said.get("b_bluetooth", False)
        if "n_display_diagonal" in said:
            assert f"{said['n_display_diagonal']:g} inch" in item.attributes["specifications"]
    share = {category: sum(category in item.attributes for item in items) / len(items) for category in CATEGORIES}
    assert share["color"] > 0.6
    assert share["specifications"] > 0.4
    assert share["entity"] > 0.05


@pytest.mark.skipif(not (DATA / "kuaisearch_demo").is_dir(), reason="the KuaiSearch data is not beside the repository")
def test_kuaisearch_files_load() -> None:
    folder = DATA / "kuaisearch_demo"
    items = list(load_catalog(folder))
    assert len(items) == 200
    assert all(item.fields["department"] for item in items)
    said = {word for item in items for listed in item.attributes.values() for word in listed}
    assert not {"UNKNOWN", "无品牌"} & said
    assert {one.kind for one in load_log(folder)} == {"click", "order"}
    assert list(load_log(folder / "rank.jsonl"))
    assert {label.score for label in kuaisearch.relevance(folder / "relevance.jsonl")} <= {0, 1, 2, 3}
