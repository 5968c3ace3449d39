"""An edited item as the store holds it: canonical record bytes, their hash, and the digest of all of them.

Pure code. Record, feed entry and digest are fixed by golden files in the tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from slotbeam.bindings.binding import MAX_NUMBER
from slotbeam.errors import InputError

_BITS = 128
_ALL = (1 << _BITS) - 1


class Op(StrEnum):
    """What an edit left of an item: one that is there (`put`), or none (`delete`)."""

    PUT = "put"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """What became of one item since the index was built.

    Attributes:
        op: whether there is one.
        seq: of the edit that made it so.
        row: the item as it was given, in the documented schema (docs/catalog.md) with its `id`; of a deleted one the
            `id` alone.
    """

    op: Op
    seq: int
    row: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.row["id"])

    def data(self) -> bytes:
        """Return canonical bytes: UTF-8 JSON, keys sorted, no whitespace. Raises `InputError` for what is no JSON."""
        try:
            return orjson.dumps({"item": self.row, "op": self.op, "seq": self.seq}, option=orjson.OPT_SORT_KEYS)
        except TypeError as error:
            raise InputError(f"an item holds what UTF-8 JSON cannot say: {error}") from None

    @classmethod
    def of(cls, data: bytes) -> ItemRecord:
        """Read a record. Raises `InputError` for what `data()` cannot have written."""
        try:
            read: Any = orjson.loads(data)
        except ValueError as error:
            raise InputError(f"an item's record is not JSON: {error}") from None
        if not isinstance(read, dict) or read.keys() != {"item", "op", "seq"}:
            raise InputError("an item's record must hold item, op and seq; was it written by a newer version?")
        row, op, seq = read["item"], read["op"], read["seq"]
        if op not in tuple(Op) or type(seq) is not int or not 0 <= seq <= MAX_NUMBER:
            raise InputError("an item's record names no operation, or no sequence number")
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            raise InputError("an item's record holds no item with an id")
        return cls(Op(op), seq, row)


def seq_of(record: bytes) -> int:
    """Read the seq of a record without the rest: it is canonical, and its last member. Raises `ValueError`."""
    return int(record[record.rindex(b":") + 1 : -1])


def record_hash(record: bytes) -> int:
    """Return the 128-bit number that a record adds to the digest."""
    return int.from_bytes(hashlib.blake2b(record, digest_size=_BITS // 8).digest(), "big")


def etag_of(record: bytes) -> str:
    """Return the strong entity tag of an item: its record's hash."""
    return f'"{record_hash(record):032x}"'


class Digest:
    """What a set of records adds up to, modulo 2^128: in any order, and an edit costs one hash or two.

    Args:
        hexadecimal: 32 digits; raises `ValueError` for anything else.
    """

    def __init__(self, hexadecimal: str = "0" * 32) -> None:
        if len(hexadecimal) != _BITS // 4 or not set(hexadecimal) <= set("0123456789abcdef"):
            raise ValueError(f"a digest has {_BITS // 4} hexadecimal digits")
        self._sum = int(hexadecimal, 16)

    @classmethod
    def of(cls, records: Iterable[bytes]) -> Digest:
        """Return what `records` add up to."""
        digest = cls()
        for record in records:
            digest.replace(None, record)
        return digest

    def replace(self, old: bytes | None, new: bytes | None) -> None:
        """Take the record `old` out and `new` in."""
        if old is not None:
            self._sum -= record_hash(old)
        if new is not None:
            self._sum += record_hash(new)
        self._sum &= _ALL

    def __str__(self) -> str:
        return f"{self._sum:032x}"


EMPTY_DIGEST = str(Digest())
