"""Records, digests and lifecycle."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.bindings.binding import (
    EMPTY_STATE,
    Binding,
    active_digest,
    canonical,
    decode_items,
    encode_items,
    next_boundary,
    state_digest,
)
from slotbeam.bindings.spec import json_text
from slotbeam.bindings.times import FIRST_MS, LAST_MS
from slotbeam.errors import BindingError
from slotbeam.types import Slot
from support.live import NOW, make_binding

GOLDEN = Path(__file__).parent / "golden"

LABUBU = Binding(
    id="b_7kq2mzd4xa",
    words=("labubu", "拉布布"),
    category="brand",
    items=encode_items(["B07", "A1", "é"])[0],
    item_count=3,
    placement="top",
    match=True,
    ends_at=1_798_675_200_000,
    owner="toys",
    reason='viral on 20 Nov, "everyone" asks',
    created_at=1_795_132_800_000,
    revision=42,
)
CROCS = Binding(
    id="b_aaaaaaaaaa",
    words=("crocs",),
    category="brand",
    items=encode_items([])[0],
    item_count=0,
    placement="only",
    near_miss=True,
    draft=True,
    starts_at=1,
    revision=7,
)


RULE = Binding(
    id="b_cccccccccc",
    words=("tumbler",),
    category="",
    items=encode_items([])[0],
    item_count=0,
    trigger="whole",
    unless=("glass",),
    when=json_text({"price": {"lte": 20.5}}),
    positions=("B09", "B07"),
    hide=("B08",),
    boost=json_text([{"weight": 1.5, "test": {"brand": "é"}}]),
    bury=json_text([{"test": {"price": {"gt": 9}}, "weight": 2}]),
    filter=json_text({"color": ["red", "blue"]}),
    replace="red mug",
    metadata=json_text({"redirect": "/mugs", "banner": {"image_url": "https://example.com/a"}}),
    alias="mug",
    two_way=True,
    revision=9,
)


@pytest.mark.parametrize("binding", [LABUBU, CROCS, RULE], ids=["labubu", "crocs", "tumbler"])
def test_record_bytes_are_those_of_the_golden_file(binding: Binding) -> None:
    golden = (GOLDEN / f"{binding.words[0]}.json").read_bytes()
    assert binding.record() == golden
    assert Binding.from_record(golden) == binding


def test_digests_are_those_of_the_golden_file() -> None:
    golden = json.loads((GOLDEN / "digests.json").read_text())
    records = {b.id: b.record() for b in (CROCS, LABUBU)}
    assert state_digest(records) == golden["state"]
    assert golden["empty"] == EMPTY_STATE
    assert active_digest("c0de", {LABUBU.id: Slot(1, 2049), CROCS.id: Slot(0, 7)}) == golden["active"]
    assert LABUBU.items == golden["items"]


def test_a_rule_has_a_line_without_a_slot_in_the_active_digest() -> None:
    lines = f"c0de\n{LABUBU.id} 1-2049\n{RULE.id} -\n"
    assert (
        active_digest("c0de", {RULE.id: None, LABUBU.id: Slot(1, 2049)}) == hashlib.sha256(lines.encode()).hexdigest()
    )


@pytest.mark.parametrize(
    "change",
    [
        {"filter": ""},
        {"filter": "{}"},
        {"filter": '{"b":1,"a":1}'},
        {"filter": '{"a": 1}'},
        {"filter": "[1]"},
        {"filter": "{"},
        {"filter": '{"a":NaN}'},
        {"filter": {"a": 1}},
        {"filter": '{"a":' * 20 + "1" + "}" * 20},
        {"metadata": "[" * 5000 + "]" * 5000},
        {"metadata": '{"url":"ftp://x"}'},
        {"boost": '[{"test":{"a":1},"weight":11}]'},
        {"boost": '[{"test":{"a":1},"weight":true}]'},
        {"trigger": "ends"},
        {"unless": ["tumbler"]},
        {"hide": ["B09"]},
        {"item_count": 1},
        {"placement": "only"},
        {"category": "brand"},
        {"words": []},
    ],
    ids=lambda change: str(change)[:40],
)
def test_a_record_of_a_rule_that_nobody_would_have_written_is_refused(change: dict[str, Any]) -> None:
    record = canonical({**json.loads(RULE.record()), **change})
    with pytest.raises(BindingError):
        Binding.from_record(record)


def test_a_record_has_sorted_keys_no_white_space_and_integers_only() -> None:
    text = LABUBU.record().decode()
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert ": " not in text
    assert "," in text
    with pytest.raises(BindingError, match="integers only"):
        canonical({"at": 1.0})


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"item_count": True},
        {"item_count": 1.0},
        {"item_count": "3"},
        {"item_count": -1},
        {"near_miss": 1},
        {"near_miss": "live"},
        {"match": 1},
        {"match": "Live"},
        {"match": "true"},
        {"match": None},
        {"match": ["live"]},
        {"words": []},
        {"words": "labubu"},
        {"words": [1]},
        {"words": ["a", "a"]},
        {"words": ["x" * 65]},
        {"placement": "bottom"},
        {"items": "abc"},
        {"id": "../../etc"},
        {"starts_at": 5, "ends_at": 5},
        {"starts_at": 10**20, "ends_at": None},
        {"ends_at": LAST_MS + 1},
        {"created_at": FIRST_MS - 1},
        {"revision": -1},
        {"revision": 10**18},
        {"item_count": 10**18},
        {"owner": "\ud800"},
    ],
    ids=str,
)
def test_a_record_that_record_would_not_write_is_refused(change: dict[str, Any]) -> None:
    data = {**json.loads(LABUBU.record()), **change}
    with pytest.raises(BindingError):
        Binding.from_record(
            json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(errors="surrogatepass")
        )


@pytest.mark.parametrize("record", [b"", b"null", b"[]", b"{", b"{}", b"\xff", b"[" * 100_000])
def test_bytes_that_are_no_record_are_refused(record: bytes) -> None:
    with pytest.raises(BindingError):
        Binding.from_record(record)


def test_a_record_out_of_canonical_form_is_refused() -> None:
    with pytest.raises(BindingError, match="canonical"):
        Binding.from_record(json.dumps(json.loads(LABUBU.record())).encode())


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)
times = st.none() | st.integers(0, 2**45)


@given(
    words=st.lists(words, min_size=1, max_size=4, unique=True),
    owner=st.text(st.characters(codec="utf-8")),
    starts=times,
    length=st.none() | st.integers(1, 2**40),
    flags=st.tuples(st.booleans(), st.sampled_from([False, True, "live"]), st.booleans()),
)
def test_every_binding_survives_its_record(words: list[str], owner: str, starts: Any, length: Any, flags: Any) -> None:
    ends = None if length is None else (starts or 0) + length
    near_miss, match, draft = flags
    binding = make_binding(
        *words, owner=owner, starts_at=starts, ends_at=ends, near_miss=near_miss, match=match, draft=draft
    )
    assert Binding.from_record(binding.record()) == binding


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "active"),
        ({"starts_at": NOW}, "active"),
        ({"starts_at": NOW + 1}, "scheduled"),
        ({"ends_at": NOW + 1}, "active"),
        ({"ends_at": NOW}, "expired"),
        ({"starts_at": NOW - 2, "ends_at": NOW - 1}, "expired"),
        ({"draft": True, "ends_at": NOW - 1}, "draft"),
    ],
)
def test_the_clock_alone_decides_the_lifecycle(fields: dict[str, Any], expected: str) -> None:
    assert make_binding(**fields).lifecycle(NOW) == expected


def test_the_next_boundary_is_the_nearest_start_or_end_ahead() -> None:
    bindings = [
        make_binding(starts_at=NOW - 1, ends_at=NOW + 9),
        make_binding(starts_at=NOW + 5),
        make_binding(starts_at=NOW + 1, draft=True),
    ]
    assert next_boundary(bindings, NOW) == NOW + 5
    assert next_boundary(bindings, NOW + 5) == NOW + 9
    assert next_boundary(bindings, NOW + 9) is None


def test_an_item_list_is_named_by_its_set_of_ids() -> None:
    sha, data = encode_items(["b", "a", "b"])
    assert (sha, data) == encode_items(["a", "b"])
    assert decode_items(sha, data) == ("a", "b")
    with pytest.raises(BindingError, match="changed"):
        decode_items(sha, data + b" ")


@given(st.lists(st.text(st.characters(codec="utf-8"))))
def test_every_item_list_survives_its_bytes(ids: list[str]) -> None:
    assert decode_items(*encode_items(ids)) == tuple(sorted(set(ids)))


@pytest.mark.parametrize(
    "data",
    [b"", b"5", b"null", b'"a"', b"[1]", b'[["a"]]', b'{"a":1}', b'["b","a"]', b'["a","a"]', b'["a" ]', b'["\\ud800"]',
     b"\xff", b"[" * 100_000],
    ids=lambda data: repr(data[:16]),
)  # fmt: skip
def test_an_item_list_with_a_true_hash_is_still_a_list_of_ids(data: bytes) -> None:
    with pytest.raises(BindingError, match="canonical"):
        decode_items(hashlib.sha256(data).hexdigest(), data)


def test_every_edit_changes_the_etag() -> None:
    assert LABUBU.etag == '"b_7kq2mzd4xa.42"'
    assert replace(LABUBU, revision=43).etag != LABUBU.etag
