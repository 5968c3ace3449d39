"""What the model's records are made of: meanings of fields, canonical bytes, digests, and what is refused."""

from __future__ import annotations

import hashlib
import json
import time
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from .reading import canonical, mixed

FIVE_YEARS_MS = 5 * 366 * 86_400_000

Record = dict[str, Any]


class Refused(Exception):
    """A request that changes nothing."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(status, problem)
        self.status, self.problem = status, problem


def clock_ms() -> int:
    """Now, unix ms."""
    return int(time.time() * 1000)


def canonical_json(value: Any) -> bytes:
    """UTF-8, sorted keys, no white space."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def item_list(targets: Collection[str]) -> Record:
    """What a record says of its items: the hash of the sorted list, and how many they are."""
    return {"items": hashlib.sha256(canonical_json(sorted(targets))).hexdigest(), "item_count": len(targets)}


def state_of(records: Mapping[str, bytes]) -> str:
    """SHA-256 over `id\\nrecord\\n` in id order."""
    return hashlib.sha256(b"".join(b"%s\n%s\n" % (key.encode(), records[key]) for key in sorted(records))).hexdigest()


def active_of(codebook_sha: str, placed: Mapping[str, str]) -> str:
    """SHA-256 over the codebook's hash and `id slot\\n` in id order; `placed` is id → slot."""
    lines = (f"{key} {placed[key]}\n" for key in sorted(placed))
    return hashlib.sha256(f"{codebook_sha}\n{''.join(lines)}".encode()).hexdigest()


def parsed(slot: str) -> str:
    """A slot id without leading zeros: two numbers joined by a hyphen."""
    position, hyphen, index = slot.partition("-")
    numbers = all(number.isascii() and number.isdigit() for number in (position, index))
    if not (hyphen and numbers and len(position) <= 3 and len(index) <= 7):
        raise Refused(422, "invalid-input")
    return f"{int(position)}-{int(index)}"


def canonical_words(raw: Iterable[str]) -> list[str]:
    """Canonical, each once, each with a letter, a digit or a symbol such as an emoji, and of one script."""
    words = list(dict.fromkeys(canonical(text) for text in raw))
    if any(not any(map(_says_something, word)) or len(word) > 64 or mixed(word) for word in words):
        raise Refused(422, "invalid-binding")
    return words


def _says_something(sign: str) -> bool:
    return sign.isalnum() or (ord(sign) > 127 and unicodedata.category(sign) in ("Sm", "Sc", "Sk", "So"))


def meanings(fields: Mapping[str, Any]) -> Record:
    """Times as unix ms, texts of one line with single spaces."""
    found = dict(fields)
    for name in ("starts_at", "ends_at"):
        if isinstance(found.get(name), str):
            found[name] = int(datetime.fromisoformat(found[name]).timestamp() * 1000)
    for name in ("owner", "reason"):
        if name in found:
            found[name] = " ".join(found[name].split())
    return found


def check_window(record: Record, ends_at: int | None) -> None:
    """Refuse a window that is over, empty or years away; `ends_at` is None when an old end stays."""
    now, starts_at = clock_ms(), record["starts_at"]
    over = ends_at is not None and ends_at <= now
    empty = starts_at is not None and ends_at is not None and ends_at <= starts_at
    if over or empty or any(at is not None and at > now + FIVE_YEARS_MS for at in (starts_at, ends_at)):
        raise Refused(422, "invalid-binding")
