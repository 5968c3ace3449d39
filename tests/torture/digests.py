"""The protocol's digests, worked out anew from its description: nothing here is slotbeam's own code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache


def state_of(records: Mapping[str, str]) -> str:
    """SHA-256 over `id\\nrecord\\n` in id order."""
    return _sha("".join(f"{key}\n{records[key]}\n" for key in sorted(records)))


def sum_of(records: Mapping[str, str]) -> str:
    """The sum, modulo 2^128, of the BLAKE2b of each record."""
    return f"{sum(map(_hash, records.values())) % 2**128:032x}"


def active_of(codebook_sha: str, placed: Mapping[str, str]) -> str:
    """SHA-256 over the codebook's hash and `id slot\\n` in id order; `placed` is id → slot."""
    return _sha(f"{codebook_sha}\n" + "".join(f"{key} {placed[key]}\n" for key in sorted(placed)))


def items_of(ids: Iterable[str]) -> str:
    """The name of an item list: SHA-256 of its sorted JSON array without white space."""
    return _sha(json.dumps(sorted(set(ids)), ensure_ascii=False, separators=(",", ":")))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=10_000)
def _hash(record: str) -> int:
    return int.from_bytes(hashlib.blake2b(record.encode(), digest_size=16).digest(), "big")
