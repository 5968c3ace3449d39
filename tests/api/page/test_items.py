"""Items on the page: a form says what it changes and nothing else, and keeps what was typed where it is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.api.page.items import filled, patch_of
from slotbeam.catalog.fields import FieldKind
from slotbeam.errors import FieldError
from slotbeam.items.rows import merged

from .conftest import Browser, etag_of

KINDS = {"price": FieldKind.NUMBER, "on_sale": FieldKind.BOOL, "brand": FieldKind.KEYWORD}
ROW: Mapping[str, Any] = {
    "id": "a",
    "title": "Red mug",
    "attributes": {"color": ["red", "deep red"], "entity": "mug"},
    "fields": {"price": 12.0, "on_sale": True, "brand": "zenvia, inc", "stock": 3},
    "popularity": 7,
}

texts = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
rows = st.fixed_dictionaries(
    {"id": st.just("a"), "title": texts},
    optional={
        "description": texts,
        "attributes": st.dictionaries(st.sampled_from(["color", "brand"]), texts | st.lists(texts, max_size=2)),
        "fields": st.fixed_dictionaries(
            {}, optional={"price": st.floats(-1e6, 1e6), "on_sale": st.booleans(), "brand": texts, "stock": texts}
        ),
        "popularity": st.integers(0, 1000) | st.floats(0, 1e6),
    },
)


@given(rows)
def test_an_item_that_is_opened_and_saved_is_not_changed(row: Mapping[str, Any]) -> None:
    assert patch_of(filled(row, KINDS), row, KINDS) == {}


def test_what_is_changed_is_patched_and_the_rest_stays_to_the_byte() -> None:
    form = {**filled(ROW, KINDS), "field-price": "9.5", "field-on_sale": "no", "field-stock": "", "description": "Big"}
    form["attributes"] = "color: red, deep red\nbrand: zenvia"
    patch = patch_of(form, ROW, KINDS)
    assert patch == {
        "description": "Big",
        "fields": {"price": 9.5, "on_sale": False, "stock": None},
        "attributes": {"entity": None, "brand": ["zenvia"]},
    }
    after = merged(ROW, patch)
    assert after["attributes"] == {"color": ["red", "deep red"], "brand": ["zenvia"]}
    assert after["fields"]["brand"] == "zenvia, inc"


def test_a_field_that_the_catalog_does_not_know_keeps_its_type() -> None:
    assert patch_of({**filled(ROW, KINDS), "field-stock": "4"}, ROW, KINDS) == {"fields": {"stock": 4}}
    assert patch_of({**filled(ROW, KINDS), "popularity": "many"}, ROW, KINDS) == {"popularity": "many"}, "refused later"
    with pytest.raises(FieldError, match="a line without a colon: red"):
        patch_of({**filled(ROW, KINDS), "attributes": "red"}, ROW, KINDS)


def said(text: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', text)
    assert found is not None, name
    return unescape(found[1])


async def test_an_item_is_edited_by_its_fields(browser: Browser) -> None:
    shown = (await browser.get("/ops/items/i003")).text
    form = {"etag": etag_of(shown), "title": "Mug <of> the year", "field-price": "4.5"}
    saved = await browser.post("/ops/items/i003", **form)
    assert "Saved: i003" in saved.text
    after = (await browser.get("/ops/items/i003")).text
    assert (said(after, "title"), said(after, "field-price")) == ("Mug <of> the year", "4.5")
    assert said(after, "field-department") == said(shown, "field-department"), "what was not sent stays"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"field-price": "cheap"}, "price"),
        ({"attributes": "red"}, "a line without a colon"),
        ({"title": " "}, "title"),
        ({"item": "{", "verb": "whole"}, "is not JSON"),
        ({"item": '{"title": ""}', "verb": "whole"}, "title"),
    ],
)
async def test_what_is_refused_says_why_and_is_still_there(browser: Browser, typed: dict[str, str], why: str) -> None:
    shown = (await browser.get("/ops/items/i004")).text
    told = await browser.post("/ops/items/i004", etag=etag_of(shown), **{"title": "A new title", **typed})
    assert told.status_code in (400, 422), told.text
    alert = re.search(r'role="alert">(.*?)</div>', told.text, re.S)
    assert alert is not None
    assert why in unescape(alert[1])
    kept = {
        name: text
        for name, text in {"title": "A new title", **typed}.items()
        if name not in ("verb", "attributes", "item")
    }
    assert {name: said(told.text, name) for name in kept} == kept
    assert all(text in unescape(told.text) for text in typed.values())
    assert said((await browser.get("/ops/items/i004")).text, "title") == said(shown, "title")


async def test_an_item_that_was_edited_meanwhile_is_not_overwritten(browser: Browser) -> None:
    etag = etag_of((await browser.get("/ops/items/i005")).text)
    await browser.post("/ops/items/i005", etag=etag, title="The first")
    told = await browser.post("/ops/items/i005", etag=etag, title="The second")
    assert (told.status_code, said(told.text, "title")) == (412, "The second")
    whole = await browser.post("/ops/items/i005", etag=etag, verb="delete")
    assert whole.status_code == 412
    assert said((await browser.get("/ops/items/i005")).text, "title") == "The first"
