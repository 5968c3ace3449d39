"""The parameters of a world; together with the generator's own text they are its identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from slotbeam.errors import InputError


@dataclass(frozen=True, slots=True)
class WorldOptions:
    """Everything that a world depends on.

    `vocabulary_gap`: 0 (users type the catalog's words) to 1 (always their own). `requests_per_item`: searches in all
    31 days, divided by the number of items (about half as many again interactions). `planted`: how many new words.
    """

    items: int = 30_000
    seed: int = 1
    vocabulary_gap: float = 0.9
    requests_per_item: float = 8.0
    planted: int = 40

    def __post_init__(self) -> None:
        _check("items", self.items, 1000, 10_000_000)
        _check("seed", self.seed, 0, 2**32 - 1)
        _check("vocabulary_gap", self.vocabulary_gap, 0, 1)
        _check("requests_per_item", self.requests_per_item, 0.1, 100)
        _check("planted", self.planted, 0, min(2000, self.items // 25))


DAYS = 31
"""Days of traffic; the last one is the test's."""


def generator_hash() -> str:
    """Return the SHA-256 over the generator's files (name and bytes): source, words, defaults of the parameters."""
    digest = hashlib.sha256()
    for path in sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in (".py", ".toml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise InputError(f"{name} is {value}; allowed: {least:g} to {most:g}")
