"""Feeds in XML: what they become, and what a feed may not do to the reader."""

from __future__ import annotations

import csv
import gzip
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import CatalogReader, load_catalog
from slotbeam.catalog.loaders.feeds import DEEPEST, LONGEST_TAG
from slotbeam.catalog.loaders.source import LONGEST
from slotbeam.errors import InputError

HEAD = '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>\n'
TAIL = "</channel></rss>\n"
MUG = "<item><g:id>M1</g:id><title>Red mug</title><g:price>9.99 USD</g:price></item>\n"


def feed(path: Path, inside: str, head: str = HEAD, tail: str = TAIL) -> Path:
    path.write_text(head + inside + tail, "utf-8")
    return path


def fault_of(path: Path, **more: Any) -> str:
    with pytest.raises(InputError) as caught:
        list(CatalogReader(path, **more))
    return str(caught.value)


def test_a_feed_in_rss_is_read_without_a_mapping(tmp_path: Path) -> None:
    feed(
        tmp_path / "items.xml",
        "<item><g:id>M1</g:id><title>Red &amp; blue mug</title><description>hidden by Google's</description>"
        "<g:description><![CDATA[<p>Holds <b>tea</b>.</p>]]></g:description><g:brand>Acme</g:brand>"
        "<g:color>Red</g:color><g:price>1,009.99 USD</g:price><g:availability>in_stock</g:availability>"
        "<g:product_type>Home &gt; Mugs</g:product_type><g:product_type>Gifts</g:product_type><g:material/>"
        "<g:shipping><g:country>DE</g:country><g:price>5 EUR</g:price></g:shipping></item>",
    )
    (sourced,) = CatalogReader(tmp_path)
    assert sourced.item == Item(
        "M1",
        "Red & blue mug",
        "Holds tea.",
        {"brand": ("Acme",), "color": ("Red",)},
        {"brand": "Acme", "color": "Red", "type": "Home > Mugs", "availability": "in_stock", "price": 1009.99},
    )
    kept = json.loads(sourced.source)
    assert kept["product_type"] == ["Home > Mugs", "Gifts"]
    assert kept["shipping"] == {"country": "DE", "price": "5 EUR"}
    assert "material" not in kept


def test_a_feed_in_atom_is_read_without_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "items.xml").write_text(
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">'
        "<title>Shop</title><entry><id>urn:1</id><g:id>M1</g:id><title>Mug</title>"
        '<link href="https://x/1"/><g:price>4 EUR</g:price></entry></feed>'
    )
    (sourced,) = CatalogReader(tmp_path)
    assert sourced.item == Item("M1", "Mug", fields={"price": 4.0})
    assert json.loads(sourced.source)["link"] == "https://x/1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_feed_is_read_in_the_encoding_that_it_names(tmp_path: Path, encoding: str, newline: str) -> None:
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?>\n{HEAD}{MUG.replace("mug", "Krüge")}{TAIL}'
    (tmp_path / "items.xml").write_bytes(text.replace("\n", newline).encode(encoding))
    (sourced,) = CatalogReader(tmp_path)
    assert (sourced.item.title, sourced.place.line) == ("Red Krüge", 3)


def test_an_item_names_the_line_on_which_it_begins(tmp_path: Path) -> None:
    path = feed(tmp_path / "items.xml", MUG + "<item>\n<g:id>M2</g:id>\n<title> </title></item>\n" + MUG)
    with pytest.raises(InputError) as caught:
        list(CatalogReader(path))
    title, same = caught.value.details["faults"]
    assert title.startswith("items.xml:3: title: is missing")
    assert same.startswith('items.xml:6: id: "M1" is that of line 2, too')


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
PRODUCTS = st.lists(
    st.fixed_dictionaries(
        {"id": TEXTS, "title": TEXTS.map("T".__add__), "image_link": TEXTS},
        optional={"brand": TEXTS, "color": TEXTS, "description": TEXTS, "product_type": TEXTS},
    ),
    max_size=5,
    unique_by=lambda row: row["id"],
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(PRODUCTS)
def test_a_feed_gives_the_same_items_as_json_as_a_table_and_as_xml(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    (tmp_path / "feed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    names = ("id", "title", "image_link", "brand", "color", "description", "product_type")
    for name, delimiter in (("feed.csv", ","), ("feed.tsv", "\t")):
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, names, delimiter=delimiter)
            table.writeheader()
            table.writerows(rows)
    items = "".join(
        "<item>" + "".join(f"<g:{key}>{escape(value)}</g:{key}>" for key, value in row.items()) + "</item>"
        for row in rows
    )
    feed(tmp_path / "feed.xml", items)
    read = [
        [(sourced.item, json.loads(sourced.source)) for sourced in CatalogReader(tmp_path / name, format="google")]
        for name in ("feed.jsonl", "feed.csv", "feed.tsv", "feed.xml")
    ]
    assert read[0] == read[1] == read[2] == read[3]
    assert [row for _, row in read[0]] == rows


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "bomb",
    [
        f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]>{HEAD}<item><title>&l9;</title></item>{TAIL}',
        f'<!DOCTYPE rss [<!ENTITY a "{"x" * 100_000}">]>{HEAD}<item><title>{"&a;" * 50_000}</title></item>{TAIL}',
        f'<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>{HEAD}<item><title>&a;</title></item>{TAIL}',
        f'<!DOCTYPE rss [<!ENTITY % a SYSTEM "http://127.0.0.1:1/a.dtd">%a;]>{HEAD}{TAIL}',
        f'<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/rss.dtd">{HEAD}{MUG}{TAIL}',
        f'<!DOCTYPE rss [<!ATTLIST item a CDATA "{"x" * 100_000}">]>{HEAD}{MUG}{TAIL}',
    ],
    ids=["billion laughs", "quadratic blow-up", "external entity", "parameter entity", "external type", "defaults"],
)
def test_a_document_type_is_refused_before_any_of_its_entities_is_read(tmp_path: Path, bomb: str) -> None:
    path = feed(tmp_path / "items.xml", "", bomb, "")
    assert "has a document type (<!DOCTYPE)" in fault_of(path, skip_bad=1000)


def test_an_entity_that_nobody_defined_ends_the_file(tmp_path: Path) -> None:
    path = feed(tmp_path / "items.xml", MUG + "<item><title>&nbsp;</title></item>")
    assert "items.xml:3: (line): is not XML (undefined entity)" in fault_of(path)


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        ("<a>" * (DEEPEST + 1), f"is nested deeper than {DEEPEST} elements"),
        ("<item>" + "<a>" * 100_000, f"is nested deeper than {DEEPEST} elements"),
        (f'<item a="{"x" * (2 * LONGEST_TAG)}"/>', "has a tag or a comment longer than"),
        (f"<{'x' * (2 * LONGEST_TAG)}/>", "has a tag or a comment longer than"),
        (f"<!--{'x' * (2 * LONGEST_TAG)}-->", "has a tag or a comment longer than"),
    ],
    ids=["deep", "deep item", "attribute", "name", "comment"],
)
def test_what_would_have_to_be_held_whole_is_refused(tmp_path: Path, inside: str, says: str) -> None:
    assert says in fault_of(feed(tmp_path / "items.xml", inside), skip_bad=1000)


@pytest.mark.parametrize(
    "inside",
    ["<title>" + "x" * (LONGEST + 1) + "</title>", "<a/>" * (LONGEST // 64), "<a><b>" * 20 + "x" * LONGEST],
    ids=["text", "elements", "nested"],
)
def test_an_item_that_is_too_long_is_left_out_alone(tmp_path: Path, inside: str) -> None:
    closed = inside + "</b></a>" * inside.count("<b>")
    path = feed(tmp_path / "items.xml.gz", "")
    path.write_bytes(gzip.compress(f"{HEAD}<item>{closed}</item>\n{MUG}{TAIL}".encode(), 1))
    reader = CatalogReader(path, skip_bad=1)
    assert [sourced.item.id for sourced in reader] == ["M1"]
    assert reader.faults.lines() == [f"items.xml.gz:2: (line): is an item longer than {LONGEST} bytes"]


def test_text_outside_of_items_and_items_that_are_read_are_not_held(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield f"{HEAD}<description>{'x' * 8_000_000}</description>".encode()
        for number in range(4000):
            yield f"<item><g:id>{number}</g:id><title>{'long ' * 500}</title></item>".encode()
        yield TAIL.encode()

    path = tmp_path / "items.xml"
    path.write_bytes(b"".join(parts()))
    reader = CatalogReader(path)
    tracemalloc.start()
    try:
        count = sum(len(block) for block in reader.blocks())
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 4000
    assert most < path.stat().st_size


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + MUG, "is not XML (no element found)"),
        (HEAD + MUG + "<item><title>", "is not XML (no element found)"),
        (HEAD + MUG + "</item>" + TAIL, "is not XML (mismatched tag)"),
        (HEAD + MUG + "a < b" + TAIL, "is not XML (not well-formed (invalid token))"),
        (HEAD + MUG + "\0" + TAIL, "is not XML (not well-formed (invalid token))"),
        (HEAD.replace(" xmlns:g", " xmlns:h") + MUG + TAIL, "is not XML (unbound prefix)"),
        ('<?xml version="1.0" encoding="klingon"?>' + HEAD + MUG + TAIL, "encoding"),
        ('<?xml version="1.0" encoding="gbk"?>' + HEAD + MUG + TAIL, "encoding"),
        ("", "is not XML (no element found)"),
        ("id\ttitle\nM1\tMug\n", "is not XML (syntax error)"),
        (f"{HEAD}<item/>{TAIL}", "is an item that holds nothing"),
    ],
)
def test_a_broken_feed_says_where_and_why(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "items.xml").write_text(text)
    told = fault_of(tmp_path)
    assert told.startswith("items.xml:")
    assert says in told


def test_a_feed_cut_off_in_its_compression_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "items.xml.gz").write_bytes(gzip.compress((HEAD + MUG + TAIL).encode())[:-9])
    assert "damaged compressed data" in fault_of(tmp_path, skip_bad=5000)


def test_a_feed_of_any_other_shape_is_read_by_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "mapping.json").write_text(
        '{"id": "sku", "title": "name", "fields": {"to": {"field": "shipping.country", "type": "keyword"}}}'
    )
    path = feed(
        tmp_path / "any.xml",
        "<item><sku>1</sku><name>Mug</name><g:shipping><g:country>DE</g:country></g:shipping></item>",
    )
    assert list(load_catalog(path, mapping=tmp_path / "mapping.json")) == [Item("1", "Mug", fields={"to": "DE"})]
