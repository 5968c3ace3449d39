"""A record, a feed entry and the digest have bytes that no release may change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.bindings.store.store import Store
from slotbeam.errors import InputError
from slotbeam.items.record import EMPTY_DIGEST, Digest, ItemRecord, Op, etag_of, record_hash
from support.items import delete, edit, put

GOLDEN = Path(__file__).parent / "golden"
PUT = ItemRecord(
    Op.PUT,
    7,
    {
        "title": "Labubu 拉布布 “plush”",
        "id": "B07",
        "fields": {"sale": True, "price": 21.5, "stock": 3, "weight": 1e-7},
        "attributes": {"color": ["red", "blue"], "brand": "pop mart"},
        "popularity": 12,
    },
)
DELETE = ItemRecord(Op.DELETE, 8, {"id": "B/07 é"})

rows = st.dictionaries(
    st.text(max_size=5), st.integers(-(2**53), 2**53) | st.text(max_size=5) | st.booleans(), max_size=4
)
records = st.builds(
    lambda op, seq, item_id, row: ItemRecord(op, seq, {**row, "id": item_id}),
    st.sampled_from(Op),
    st.integers(0, 10**18 - 1),
    st.text(min_size=1),
    rows,
)


@pytest.mark.parametrize(("name", "record"), [("put", PUT), ("delete", DELETE)])
def test_a_record_has_the_bytes_of_its_golden_file(name: str, record: ItemRecord) -> None:
    golden = (GOLDEN / f"{name}.json").read_bytes()
    assert record.data() == golden
    assert ItemRecord.of(golden) == record


def test_hash_digest_and_etag_are_those_of_the_golden_records() -> None:
    first, second = PUT.data(), DELETE.data()
    assert etag_of(first) == '"c661f794799e0a15898307661f10d2e8"'
    assert EMPTY_DIGEST == "0" * 32
    assert str(Digest.of([first, second])) == "e1b77fefe06fb8f26f59b9147d33e1ea"


async def test_what_a_commit_leaves_in_the_store_has_fixed_bytes(store: Store, raw: redis.Redis) -> None:
    raw.hset("{sb}:imeta", mapping={"epoch": "e1", "seq": "6", "digest": EMPTY_DIGEST, "count": "0", "base": ""})
    await edit(
        store, put("B07", "red mug", fields={"price": 2.5}), delete("nothing"), idempotency_key="k", fingerprint="f"
    )
    record = '{"item":{"fields":{"price":2.5},"id":"B07","title":"red mug"},"op":"put","seq":7}'
    digest = f"{record_hash(record.encode()):032x}"
    assert raw.hgetall("{sb}:item") == {"B07": record}
    [(entry, values)] = raw.xrange("{sb}:feed")  # type: ignore[misc]
    told = {"epoch": "e1", "at": "1800000000000", "actor": "test", "id": "B07", "record": record, "digest": digest}
    assert (entry, values) == ("7-0", told)
    meta = {"epoch": "e1", "seq": "7", "digest": digest, "count": "1", "base": "", "commits": "1"}
    assert raw.hgetall("{sb}:imeta") == meta
    outcome = '{"did":"cr","epoch":"e1","fingerprint":"f","first":7,"last":7}'
    assert raw.hgetall("{sb}:iidem") == {"at:1": "k", "key:k": outcome}


@given(records)
def test_what_is_written_is_read(record: ItemRecord) -> None:
    try:
        data = record.data()
    except InputError:  # a lone surrogate
        return
    assert ItemRecord.of(data) == record


@given(st.lists(st.binary(max_size=20), unique=True), st.randoms())
def test_the_digest_does_not_depend_on_order_or_on_what_came_and_went(records: list[bytes], random: Any) -> None:
    shuffled = random.sample(records, len(records))
    digest = Digest.of([*shuffled, b"passing"])
    digest.replace(b"passing", None)
    assert str(digest) == str(Digest.of(records))
    for record in shuffled:
        digest.replace(record, None)
    assert str(digest) == EMPTY_DIGEST


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"item":{"id":"a"},"op":"put"}',
        b'{"item":{"id":"a"},"op":"sell","seq":1}',
        b'{"item":{"id":"a"},"op":"put","seq":-1}',
        b'{"item":{"id":"a"},"op":"put","seq":true}',
        b'{"item":{"id":1},"op":"put","seq":1}',
        b'{"item":[],"op":"put","seq":1}',
        b'{"item":{"id":"a"},"op":"put","seq":1,"more":1}',
    ],
)
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        ItemRecord.of(data)
