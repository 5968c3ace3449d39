"""The protocol's digests, worked out anew from its description: nothing here is slotbeam's own code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping


def state_of(records: Mapping[str, str]) -> str:
    """SHA-256 over `id\\nrecord\\n` in id order."""
    return _sha("".join(f"{key}\n{records[key]}\n" for key in sorted(records)))


def active_of(codebook_sha: str, placed: Mapping[str, str]) -> str:
    """SHA-256 over the codebook's hash and `id slot\\n` in id order; `placed` is id → slot."""
    return _sha(f"{codebook_sha}\n" + "".join(f"{key} {placed[key]}\n" for key in sorted(placed)))


def items_of(ids: Iterable[str]) -> str:
    """The name of an item list: SHA-256 of its sorted JSON array without white space."""
    return _sha(json.dumps(sorted(set(ids)), ensure_ascii=False, separators=(",", ":")))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
