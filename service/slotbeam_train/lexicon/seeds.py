"""The words that ship with the project: general ones, of no catalog in particular."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable

from slotbeam.kae.categories import CATEGORIES
from slotbeam.language.normalize import normalize


@lru_cache(maxsize=1)
def seed_groups() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(category, surfaces) of every seed concept, in a fixed order; the first surface is the canonical word."""
    groups: list[tuple[str, tuple[str, ...]]] = []
    for entry in sorted(_folder().iterdir(), key=lambda path: path.name):
        if entry.name.endswith(".json") and not entry.name.startswith("_"):
            for category, lines in json.loads(entry.read_text("utf-8")).items():
                if category not in CATEGORIES:
                    raise ValueError(f"{entry.name} has category {category!r}; this is a bug")
                groups += [(category, tuple(map(normalize, line.split("|")))) for line in lines]
    return tuple(groups)


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """Return function words and catalog filler that are never mined."""
    return frozenset(map(normalize, json.loads((_folder() / "_stop.json").read_text("utf-8"))))


def _folder() -> Traversable:
    return resources.files("slotbeam.kae") / "seeds"
