"""Whatever others left in the store is read as facts of a known type, or as what cannot be read."""

from __future__ import annotations

import json
from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from slotbeam.bindings.binding import MAX_NUMBER
from slotbeam.bindings.store import replies
from slotbeam.bindings.times import iso

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
numbers = st.integers(0, MAX_NUMBER)
texts = st.none() | st.text(st.characters(codec="utf-8"))

beats = st.fixed_dictionaries(
    {"revision": numbers | values, "failed": st.dictionaries(st.text(), leaves) | values}, optional={"state": values}
)
changes = st.lists(st.fixed_dictionaries({"id": texts}, optional={"slot": values, "before": values, "x": values}))


def bytes_of(documents: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """JSON as Python writes it: NaN, numbers of any length and lone surrogates included; and what is no JSON."""
    return documents.map(lambda value: json.dumps(value).encode()) | st.binary()


@given(bytes_of(beats | values))
@example(b'{"revision": 1' + b"0" * 5000 + b', "failed": {}}')
@example(b'{"revision": 1, "failed": {}, "state": "\\ud800"}')
@example(b'{"revision": 1, "failed": {}, "build_ms": NaN}')
@example(b'{"revision": 1, "failed": {"b_aaaaaaaaaa": 1}}')
@example(b'{"revision": 1, "failed": {}, "cut": {"b_aaaaaaaaaa": "many"}}')
@example(b'{"revision": 1, "failed": {}, "cut": 7}')
@example(b"[" * 100_000)
def test_any_heartbeat_can_be_shown(value: bytes) -> None:
    beat = replies.heartbeat(value)
    orjson.dumps(beat)
    assert 0 <= beat["revision"] <= MAX_NUMBER
    assert all(isinstance(why, str) for why in beat["failed"].values())
    assert all(isinstance(count, int) for count in beat.get("cut", {}).values())


@given(numbers, st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))))
def test_a_heartbeat_of_slotbeam_is_read_as_it_was_written(revision: int, failed: dict[str, str]) -> None:
    beat = {"revision": revision, "failed": failed, "state": "live", "error": None, "build_ms": 1.5, "cut": {"b": 7}}
    assert replies.heartbeat(json.dumps(beat)) == beat


@given(st.integers(0, 2**64 - 1), bytes_of(changes | values), st.binary() | numbers.map(lambda n: str(n).encode()))
@example(7, b"[" * 100_000, b"999999999999999999")
@example(7, b'[{"id": "b_aaaaaaaaaa", "slot": 1}]', b"253402300800000")
@example(7, b'[{"id": "b_aaaaaaaaaa", "x": ' + b"[" * 300 + b"]" * 300 + b"}]", b"253402300799999")
def test_any_entry_of_the_log_can_be_shown(revision: int, changed: bytes, at: bytes) -> None:
    entry = replies.log_entry(f"{revision}-0".encode(), {b"changes": changed, b"at": at, b"op": b"\xff", b"\xfe": b""})
    orjson.dumps(entry)
    iso(entry["at"])
    assert entry["revision"] == revision
    for change in entry["changes"]:
        assert isinstance(change["id"], str)
        assert all(isinstance(change.get(name), str | None) for name in ("slot", "slot_before", "before", "after"))


@given(st.binary() | st.integers().map(lambda n: str(n).encode()))
def test_a_number_is_what_slotbeam_writes_as_one(value: bytes) -> None:
    found = replies.number(value)
    assert found is None or str(found).encode() == value
    if value.isdigit() and len(value) <= 18 and (value == b"0" or not value.startswith(b"0")):
        assert found == int(value)


@given(bytes_of(values | st.fixed_dictionaries({"revision": numbers | values, "fingerprint": texts | values})))
def test_an_idempotency_record_is_a_revision_and_a_fingerprint_or_unreadable(value: bytes) -> None:
    found = replies.idempotency_record(value)
    if found is not None:
        assert (json.loads(value)["revision"], json.loads(value)["fingerprint"]) == found
