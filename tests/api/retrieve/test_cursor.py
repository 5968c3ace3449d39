"""Cursors: what is refused, and how long they are."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.api.retrieve.cursor import _HEAD, BEGIN, MAX_CURSOR, VERSION, Cursor, _checked, digest
from slotbeam.api.retrieve.schemas import RetrieveBody
from slotbeam.errors import CursorError
from slotbeam.search.paging import Page, Shown
from slotbeam.search.request import MAX_K
from slotbeam.search.snapshot import Snapshot

ASKED = digest(b"mug")
MARKS = st.integers(1, MAX_K - 1).flatmap(
    lambda items: st.tuples(st.just(items), st.sets(st.integers(0, 2**64 - 1), min_size=1, max_size=min(2 * items, 40)))
)


def next_of(snapshot: Snapshot, items: int, marks: Any, more: bool = True) -> dict[str, object]:
    shown = Shown(items, np.array(sorted(marks), np.uint64))
    return Cursor(ASKED).said(snapshot, Page(shown, more, 4096))


@given(shown=MARKS)
def test_a_cursor_says_what_was_shown_and_of_which_snapshot(bound_shop: Snapshot, shown: tuple[int, set[int]]) -> None:
    text = next_of(bound_shop, *shown)["next"]
    assert isinstance(text, str)
    cursor = Cursor.read(text, ASKED)
    assert (cursor.shown.items, set(cursor.shown.marks.tolist())) == shown
    page = Page(cursor.shown, True, 0)
    assert cursor.said(bound_shop, page)["changed"] is False
    assert cursor.said(Snapshot(bound_shop.artifact), page)["changed"] is True


def test_the_longest_cursor_is_url_safe_and_within_the_bound(bound_shop: Snapshot) -> None:
    """Every item of 999 has a value of its own."""
    text = next_of(bound_shop, MAX_K - 1, range(2 * (MAX_K - 1)))["next"]
    assert isinstance(text, str)
    assert len(text) <= MAX_CURSOR < 22_000
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert len(Cursor.read(text, ASKED).shown.marks) == 2 * (MAX_K - 1)
    twenty = next_of(bound_shop, 20, range(20))["next"]
    assert isinstance(twenty, str)
    assert len(twenty) == 250


@pytest.mark.parametrize(
    ("items", "more", "end"), [(MAX_K, True, "limit"), (MAX_K, False, "exhausted"), (3, False, "exhausted")]
)
def test_the_last_page_says_why_it_is_the_last(bound_shop: Snapshot, items: int, more: bool, end: str) -> None:
    said = next_of(bound_shop, items, range(items), more)
    assert (said["next"], said["end"]) == (None, end)


@given(data=st.data())
def test_no_cursor_that_was_changed_is_read(bound_shop: Snapshot, data: st.DataObject) -> None:
    text = next_of(bound_shop, 3, {1, 2, 2**63})["next"]
    assert isinstance(text, str)
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.text(st.characters(exclude_characters=text[at]), max_size=2))
    with pytest.raises(CursorError, match="cursor was changed"):
        Cursor.read(text[:at] + put + text[at + 1 :], ASKED)


@pytest.mark.parametrize(
    "payload",
    [  # nothing, a byte, no mark, part of a mark, too many marks, no item, too many items, another version
        b"",
        b"\1",
        _HEAD.pack(VERSION, 3, ASKED, b"8" * 8),
        _HEAD.pack(VERSION, 3, ASKED, b"8" * 8) + b"1234567",
        _HEAD.pack(VERSION, 3, ASKED, b"8" * 8) + bytes(7 * 8),
        _HEAD.pack(VERSION, 0, ASKED, b"8" * 8) + bytes(8),
        _HEAD.pack(VERSION, MAX_K, ASKED, b"8" * 8) + bytes(8),
        _HEAD.pack(VERSION + 1, 3, ASKED, b"8" * 8) + bytes(8),
    ],
    ids=[
        "nothing",
        "a byte",
        "no mark",
        "part of a mark",
        "too many marks",
        "no item",
        "too many items",
        "another version",
    ],
)
def test_no_cursor_that_could_not_have_been_given_is_read_whoever_made_it(payload: bytes) -> None:
    with pytest.raises(CursorError, match='send the "next" of an answer as it is, or "\\*" to begin'):
        Cursor.read(_checked(payload), ASKED)


def test_of_several_texts_of_the_same_bytes_one_was_given() -> None:
    text = _checked(_HEAD.pack(VERSION, 1, ASKED, b"8" * 8) + bytes(8))
    assert Cursor.read(text, ASKED).shown.items == 1
    for other in (text + "=", text + "\n", text[:-1] + chr(ord(text[-1]) + 1)):
        assert base64.urlsafe_b64decode(other + "==")[:-8] == base64.urlsafe_b64decode(text + "==")[:-8]
        with pytest.raises(CursorError):
            Cursor.read(other, ASKED)


OTHERS: list[dict[str, Any]] = [
    {"query": "mug lamp"},
    {"filter": {"department": "toys"}},
    {"collapse": "price"},
    {"sort": [{"field": "price"}]},
    {"min_relevance": 0.1},
    {"fallback": "popular"},
    {"beam_width": 7},
    {"use_bindings": False},
    {"interpret": True},
    {"spelling": "off"},
]


@pytest.mark.parametrize("other", OTHERS, ids=[next(iter(other)) for other in OTHERS])
async def test_a_cursor_of_another_request_is_refused_by_its_place_with_what_to_do(
    data: httpx.AsyncClient, other: dict[str, Any]
) -> None:
    first = (await data.post("/retrieve", json={"query": "mug", "k": 3, "cursor": BEGIN})).json()
    body = {"query": "mug", "k": 3, **other, "cursor": first["next"]}
    alone = await data.post("/retrieve", json=body)
    batch = await data.post("/retrieve:batch", json={"queries": [{"query": "mug"}, body]})
    for response, place in ((alone, "cursor"), (batch, "queries.1.cursor")):
        assert response.status_code == 422
        problem = response.json()
        assert problem["type"] == "urn:slotbeam:problem:invalid-cursor"
        [error] = problem["errors"]
        assert error["field"] == place
        assert "of another request; send it with the same one, of which k, user" in error["message"]


@pytest.mark.parametrize("cursor", ["", "x", "**", "AQ==", "拉布布", "A" * MAX_CURSOR])
async def test_a_text_that_is_no_cursor_is_refused(data: httpx.AsyncClient, cursor: str) -> None:
    response = await data.post("/retrieve", json={"query": "mug", "cursor": cursor})
    assert response.status_code == 422
    assert response.json()["type"] == "urn:slotbeam:problem:invalid-cursor"


async def test_a_text_that_is_longer_than_any_cursor_is_refused_unread(data: httpx.AsyncClient) -> None:
    response = await data.post("/retrieve", json={"query": "mug", "cursor": "A" * (MAX_CURSOR + 1)})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "cursor"


async def test_every_member_of_a_request_is_part_of_it_or_said_to_change(data: httpx.AsyncClient) -> None:
    """A member that is new is one by which requests differ, until somebody says otherwise."""
    members = set((await data.get("/openapi.json")).json()["components"]["schemas"]["RetrieveBody"]["properties"])
    assert members == {name for other in OTHERS for name in other} | {
        *("k", "user", "exclude_ids", "fields", "facets", "explain", "cursor")
    }


def test_filters_that_are_the_same_in_another_order_are_one_request() -> None:
    texts = ['{"a": 1, "b": {"lt": 2, "gt": 1}}', '{"b": {"gt": 1, "lt": 2}, "a": 1}']
    bodies = [RetrieveBody(query="mug", filter=json.loads(text), cursor=BEGIN) for text in texts]
    asked = [cursor.asked for body in bodies if (cursor := body.read_cursor())]
    assert asked[0] == asked[1]
