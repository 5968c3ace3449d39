"""Which ids a catalog holds, and where: 96 bits of hash an id instead of the text, so that ten million take 400 MB."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

ID_HASH = np.dtype([("slot", "<u8"), ("check", "<u4")])
_MOST_FILLED = 0.5
_CHUNK = 2**20


def hashed(ids: Sequence[str]) -> NDArray[np.void]:
    """Return (n,) of `ID_HASH`: BLAKE2b of each id's UTF-8.

    Among ten million ids two different ones share a hash with a probability of 10⁻¹⁵; they are taken for one.
    """
    joined = b"".join([blake2b(one.encode(), digest_size=ID_HASH.itemsize).digest() for one in ids])
    return np.frombuffer(joined, ID_HASH)


class IdSet:
    """A hash table with linear probing, filled and asked a block at a time.

    An id's number is how many came before it. `_table` (a power of two long, at most half filled) holds numbers, -1
    where it is empty; `_hashes` and `_places` are by number.
    """

    def __init__(self) -> None:
        self._count = 0
        self._hashes = np.empty(1024, ID_HASH)
        self._places = np.empty(1024, np.int64)
        self._table = np.full(4096, -1, np.int32)

    def __len__(self) -> int:
        return self._count

    def add(self, ids: Sequence[str], places: Sequence[int]) -> list[int | None]:
        """Add ids with their places; return for each the place of the first with this id, None where that is itself."""
        first_in_block: dict[str, int] = {}
        earlier = [first_in_block.setdefault(one, place) for one, place in zip(ids, places, strict=True)]
        hashes = hashed(list(first_in_block))
        numbers = self._table[self._positions(hashes)]
        known = self._places[numbers]
        held = {
            one: int(place)
            for one, number, place in zip(first_in_block, numbers.tolist(), known.tolist(), strict=True)
            if number >= 0
        }
        is_new = numbers < 0
        self._insert(hashes[is_new], np.fromiter(first_in_block.values(), np.int64, len(first_in_block))[is_new])
        return [
            held.get(one, None if first == place else first)
            for one, first, place in zip(ids, earlier, places, strict=True)
        ]

    def contain(self, ids: Sequence[str]) -> NDArray[np.bool_]:
        """Return (n,) bool: which of the ids were added."""
        held: NDArray[np.bool_] = self._table[self._positions(hashed(ids))] >= 0
        return held

    def _insert(self, hashes: NDArray[np.void], places: NDArray[np.int64]) -> None:
        """Add hashes of which none is held and no two are the same."""
        numbers = np.arange(self._count, self._count + len(hashes), dtype=np.int32)
        self._count += len(hashes)
        while self._count > len(self._hashes):
            self._hashes, self._places = _doubled(self._hashes), _doubled(self._places)
        self._hashes[numbers], self._places[numbers] = hashes, places
        if self._count > _MOST_FILLED * len(self._table):
            self._table = np.full(2 * len(self._table), -1, np.int32)
            for start in range(0, self._count, _CHUNK):
                self._link(np.arange(start, min(start + _CHUNK, self._count), dtype=np.int32))
        else:
            self._link(numbers)

    def _link(self, numbers: NDArray[np.int32]) -> None:
        """Give each number a position. Of those that want the same one the last gets it, the others look again."""
        while len(numbers):
            positions = self._positions(self._hashes[numbers])
            self._table[positions] = numbers
            numbers = numbers[self._table[positions] != numbers]

    def _positions(self, hashes: NDArray[np.void]) -> NDArray[np.intp]:
        """Return (n,): where in the table each hash stands, or the empty position where it would."""
        last = len(self._table) - 1
        positions = (hashes["slot"] & np.uint64(last)).astype(np.intp)
        looking = np.arange(len(hashes))
        while len(looking):
            numbers = self._table[positions[looking]]
            there = (numbers < 0) | (self._hashes[numbers] == hashes[looking])
            looking = looking[~there]
            positions[looking] = (positions[looking] + 1) & last
        return positions


def _doubled(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array twice as long that begins like this one; memory is taken when the rest is written."""
    longer = np.empty(2 * len(array), array.dtype)
    longer[: len(array)] = array
    return longer
