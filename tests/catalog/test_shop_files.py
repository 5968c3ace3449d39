"""Files as shops have them: tables, numbers in text, HTML."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import load_catalog, load_log, read_data
from slotbeam.catalog.loaders.numbers import decimal_of, number_of
from slotbeam.catalog.loaders.plain import plain
from slotbeam.errors import InputError

TABLE = [
    ["id", "title", "attributes.color", "attributes.brand", "fields.price", "fields.sale", "popularity", "description"],
    ["m1", "Red, round mug", "red | blue", "Acme", "12.5", "TRUE", "3", ""],
    ["007", 'A "big" mug', "", "", "4", "false", "", "Holds\ntea."],
]
ITEMS = [
    Item(
        "m1",
        "Red, round mug",
        "",
        {"color": ("red", "blue"), "brand": ("Acme",)},
        {"price": 12.5, "sale": True},
        3.0,
    ),
    Item("007", 'A "big" mug', "Holds\ntea.", {}, {"price": 4.0, "sale": False}, 0.0),
]


def table(delimiter: str, rows: list[list[str]] = TABLE) -> str:
    """Rows as a spreadsheet quotes them."""

    def cell(text: str) -> str:
        odd = any(sign in text for sign in (delimiter, '"', "\n"))
        return '"' + text.replace('"', '""') + '"' if odd else text

    return "".join(delimiter.join(map(cell, row)) + "\r\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "delimiter", "first"),
    [
        ("items.csv", ",", ""),
        ("items.csv", ";", ""),
        ("items.csv", "\t", ""),
        ("items.csv", ";", "sep=;\r\n"),
        ("items.tsv", "\t", ""),
        ("items.csv.gz", ";", ""),
        ("items.tsv.xz", "\t", ""),
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_documented_schema_is_read_from_a_table(
    tmp_path: Path, name: str, delimiter: str, first: str, mark: str
) -> None:
    raw = (mark + first + table(delimiter)).encode()
    pack: dict[str, Any] = {".gz": gzip.compress, ".xz": lzma.compress}
    (tmp_path / name).write_bytes(pack.get(Path(name).suffix, bytes)(raw))
    assert list(load_catalog(tmp_path)) == ITEMS


def test_a_log_is_read_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("query,item_id,kind,day,recent_queries\nmug,m1,order,2,cup | red mug\ntea,7,,,\n")
    assert list(load_log(tmp_path)) == [
        Interaction("mug", "m1", "order", 2, "", ("cup", "red mug")),
        Interaction("tea", "7", "click", 1, ""),
    ]


def test_what_is_wrong_with_a_table_is_told_with_the_line_it_is_on(tmp_path: Path) -> None:
    rows = 'id,title,fields.price\n\nm1,a,1\nm2,b,2,3\nm3,"c"d,4\nm4,,\nm5,"e\nf","12,99"\nm6,g,5,,\n'
    (tmp_path / "items.csv").write_text(rows)
    with pytest.raises(InputError) as caught:
        list(load_catalog(tmp_path))
    cells, quotes, title, price = caught.value.details["faults"]
    assert cells.startswith("items.csv:4: (line): has 4 cells, the header 3")
    assert quotes.startswith("items.csv:5: (line): is no line of a table")
    assert title.startswith("items.csv:6: title: is missing")
    assert price.startswith('items.csv:7: fields.price: "12,99" is text, 1.0 in line 3 is a number')


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "items.csv is empty"),
        (b"id,title,id\n", "items.csv:1: id: names two columns"),
        ("id,title\nm1,mug".encode("utf-16"), "items.csv:1: .*not UTF-8"),
        (b"id,title\nm1,M\xfcg\n", "not UTF-8"),
        (b"id,titel\nm1,Mug\n", "titel: unknown key .did you mean title"),
    ],
)
def test_what_is_no_table_says_why(tmp_path: Path, raw: bytes, says: str) -> None:
    (tmp_path / "items.csv").write_bytes(raw)
    with pytest.raises(InputError, match=says):
        list(load_catalog(tmp_path))


MAPPING: dict[str, Any] = {
    "locale": "de",
    "id": "sku",
    "title": "name",
    "popularity": "sold",
    "needs": "name",
    "attributes": [
        {"field": "size", "category": "specifications", "format": "{value:g} inch"},
        {"field": "wifi", "category": "function", "when": "wifi"},
    ],
    "fields": {
        "price": {"field": "price", "type": "number"},
        "was": {"field": "list price", "type": "number", "locale": "en-US"},
        "sale": {"field": "sale", "type": "bool"},
    },
}
SHEET = (
    "sku;name;price;list price;size;wifi;sale;sold\n"
    "1;TV;1.299,00 €;$1,499.00;43,5;Yes;TRUE;1.200\n"
    "2;Radio;97,5;;;no;0;\n"
    ";;;;;;;\n"
    "2-b;;5;;;;;\n"
)


def mapped(tmp_path: Path, sheet: str, **change: Any) -> tuple[Path, Path]:
    (tmp_path / "items.csv").write_text(sheet, encoding="utf-8")
    (tmp_path / "mapping.json").write_text("\ufeff" + json.dumps({**MAPPING, **change}), encoding="utf-8")
    return tmp_path / "items.csv", tmp_path / "mapping.json"


def test_numbers_in_text_are_read_by_the_locale_that_the_mapping_names(tmp_path: Path) -> None:
    items, mapping = mapped(tmp_path, SHEET)
    assert list(load_catalog(items, mapping=mapping)) == [
        Item(
            "1",
            "TV",
            "",
            {"specifications": ("43.5 inch",), "function": ("wifi",)},
            {"price": 1299.0, "was": 1499.0, "sale": True},
            1200.0,
        ),
        Item("2", "Radio", "", {}, {"price": 97.5, "sale": False}, 0.0),
    ]
    data = read_data(items, mapping=mapping)
    assert data.warnings == ["items.csv: 1 rows without name are left out, as mapping.json says"]


def test_a_number_that_the_locale_does_not_have_is_a_fault(tmp_path: Path) -> None:
    items, mapping = mapped(tmp_path, SHEET.replace("97,5", "97.5").replace("43,5", "wide").replace("Yes", "maybe"))
    with pytest.raises(InputError) as caught:
        list(load_catalog(items, mapping=mapping))
    size, wifi, price = caught.value.details["faults"]
    assert size.startswith("items.csv:2: size: is \"wide\"; allowed: a number, as format '{value:g} inch' wants")
    assert wifi.startswith('items.csv:2: wifi: is "maybe"; allowed: true or false')
    assert price.startswith('items.csv:3: price: is "97.5"; allowed: a number')


def test_without_a_locale_only_a_programs_numbers_are_read(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"sku": 1, "name": "TV", "price": "97.19"}\n')
    _, mapping = mapped(tmp_path, "", locale=None)
    (item,) = load_catalog(tmp_path / "items.jsonl", mapping=mapping)
    assert item.fields == {"price": 97.19}
    (tmp_path / "items.jsonl").write_text('{"sku": 1, "name": "TV", "price": "12,99"}\n')
    with pytest.raises(InputError, match=r'price: is "12,99"; allowed: .* name a "locale" in the mapping'):
        list(load_catalog(tmp_path / "items.jsonl", mapping=mapping))


def test_a_source_that_no_row_has_is_a_warning(tmp_path: Path) -> None:
    items, mapping = mapped(tmp_path, "sku,name,prize\n1,TV,5\n", attributes=[])
    assert (
        "mapping.json: no row of items.csv has list price, price, sale, sold"
        in read_data(items, mapping=mapping).warnings
    )


@pytest.mark.parametrize(
    ("text", "locale", "number"),
    [
        ("97.19", "en", 97.19),
        ("1.299,00 €", "de", 1299.0),
        ("EUR 1 299,5", "fr", 1299.5),
        ("1\u202f299,50 €", "fr-FR", 1299.5),
        ("$1,299.00", "en_US", 1299.0),
        ("1,29,999", "en-IN", 129999.0),
        ("9.99 USD", "en", 9.99),
        ("1'299.50", "de-CH", 1299.5),
        ("1.299", "de", 1299.0),
        ("1.299", "en", 1.299),
        ("−5,5 kr", "sv", -5.5),
        ("12,99", "en", None),
        ("12.99", "de", None),
        ("1,2,3", "en", None),
        ("43 kg", "en", None),
        ("5-6", "en", None),
        ("", "en", None),
        ("€", "en", None),
    ],
)
def test_a_number_is_read_as_its_locale_writes_it_or_not_at_all(text: str, locale: str, number: float | None) -> None:
    assert number_of(text, decimal_of(locale)) == number


def test_an_unknown_locale_names_those_that_are_known() -> None:
    with pytest.raises(InputError, match=r"locale 'tlh' is unknown; allowed languages: az, be"):
        decimal_of("tlh")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<p>Holds <b>tea</b>.</p><ul><li>red</li><li>round</li></ul>", "Holds tea. red round"),
        ("one<br/>two<BR>three", "one two three"),
        ("Black &amp; Decker &#8211; 5&nbsp;l", "Black & Decker – 5\u00a0l"),
        ("<style>p {x: y}</style>kept<script>if (a < b) alert('no')</script> too", "kept too"),
        ("<!-- hidden -->seen", "seen"),
        ('<div class="a > b">x</div>', "x"),
        ("a < b > c & d", "a < b > c & d"),
        ("AT&T; R&D <3", "AT&T; R&D <3"),
        ("size <M>", "size <M>"),
        ("  kept as\nit is ", "  kept as\nit is "),
    ],
)
def test_html_is_stripped_and_what_is_none_stays_as_it_is(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_html_is_stripped_from_every_text_of_an_item(tmp_path: Path) -> None:
    row = {
        "id": "<b>1</b>",
        "title": "Red &amp; blue",
        "description": "<p>Holds tea.</p>",
        "attributes": {"brand": "Black &amp; Decker"},
        "fields": {"brand": "Black &amp; Decker"},
    }
    (tmp_path / "items.jsonl").write_text(json.dumps(row))
    assert list(load_catalog(tmp_path)) == [
        Item("<b>1</b>", "Red & blue", "Holds tea.", {"brand": ("Black & Decker",)}, {"brand": "Black & Decker"})
    ]
    (tmp_path / "items.jsonl").write_text(json.dumps({"id": 1, "title": "<p> </p>"}))
    with pytest.raises(InputError, match=r"title: .* not blank"):
        list(load_catalog(tmp_path))


SHOPIFY = (
    "Handle,Title,Body (HTML),Vendor,Type,Variant SKU,Variant Price,Google Shopping / Color\r\n"
    'mug,Red mug,"<p>Holds ""tea"".</p>\n<p>Big.</p>",Acme,,M1,9.99,Red\r\n'
    "mug,,,,,M1-2,8.99,\r\n"
)


def test_an_export_of_shopify_is_read_without_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("\ufeff" + SHOPIFY, encoding="utf-8", newline="")
    fields: dict[str, str | float | bool] = {"brand": "Acme", "color": "Red", "price": 9.99}
    assert list(load_catalog(tmp_path)) == [
        Item("M1", "Red mug", 'Holds "tea". Big.', {"brand": ("Acme",), "color": ("Red",)}, fields)
    ]


def test_a_feed_of_google_merchant_is_read_without_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "items.tsv").write_text(
        "id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\tbrand\tcolor\n"
        "M1\tRed mug\tHolds tea.\thttps://x\thttps://x/1\tin_stock\t1,009.99 USD\tAcme\tRed\n"
    )
    fields: dict[str, str | float | bool] = {
        "brand": "Acme",
        "color": "Red",
        "availability": "in_stock",
        "price": 1009.99,
    }
    assert list(load_catalog(tmp_path)) == [
        Item("M1", "Red mug", "Holds tea.", {"brand": ("Acme",), "color": ("Red",)}, fields)
    ]


def commas(values: dict[str, Any]) -> Any:
    """The same words with commas for slashes."""
    return json.loads(json.dumps(values).replace("/", ","))


DATA = Path(__file__).parents[3] / "shared" / "data" / "shop_formats"


@pytest.mark.skipif(not DATA.is_dir(), reason="the shop formats are not beside the repository")
@pytest.mark.parametrize("name", ["shopify_export.csv", "google_merchant.tsv", "google_merchant.xml"])
def test_sixty_products_of_a_shop_become_the_items_they_should(name: str) -> None:
    expected = {row["id"]: row for row in map(json.loads, (DATA / "expected.jsonl").read_text("utf-8").splitlines())}
    found = {item.id: item for item in load_catalog(DATA / name)}
    assert found.keys() == expected.keys()
    for key, item in found.items():
        row = expected[key]
        assert item.title == row["title"]
        # The table writes "Orange/ Yellow" where the others have "Orange, Yellow".
        assert commas({category: list(words) for category, words in item.attributes.items()}) == commas(
            row["attributes"]
        )
        assert commas({field: item.fields[field] for field in row["fields"]}) == commas(row["fields"])
        # The files hold the first 600 characters of a description; Shopify's has the title behind it.
        begun = row.get("description", "")[:600].rpartition(" ")[0].split()
        assert item.description.split()[: len(begun)] == begun


@pytest.mark.skipif(not DATA.is_dir(), reason="the shop formats are not beside the repository")
def test_a_feed_says_the_same_as_a_table_and_as_xml() -> None:
    table, feed = (list(load_catalog(DATA / name)) for name in ("google_merchant.tsv", "google_merchant.xml"))
    assert [item.description for item in table] == [item.description for item in feed]
