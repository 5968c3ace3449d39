"""The hand-written words of world 2: departments with their heads, and what users type instead."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
GROUPS = ("colors", "patterns", "seasons", "prices", "marketing", "packs")
"""Lists that every department shares; the other lists of `words.toml` are synonyms only."""


@dataclass(frozen=True, slots=True)
class HeadNoun:
    """What a product is called, and how else people ask for it.

    Attributes:
        word: the catalog's. synonyms: real ones, most usual first. use: what it is for; several heads share one.
        foreign: German and Spanish words.
    """

    word: str
    synonyms: tuple[str, ...]
    use: str
    foreign: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Department2:
    """One department; `price` is the median in currency units, lists are the catalog's words."""

    name: str
    price: float
    heads: tuple[HeadNoun, ...]
    kinds: tuple[str, ...]
    materials: tuple[str, ...]
    functions: tuple[str, ...]
    styles: tuple[str, ...]
    scenes: tuple[str, ...]
    audiences: tuple[str, ...]
    sizes: tuple[str, ...]


def departments() -> tuple[Department2, ...]:
    """Read the departments, in the order that entities are numbered in."""
    rows = tomllib.loads((_HERE / "departments.toml").read_text("utf-8"))["department"]
    return tuple(_department(row) for row in rows)


def synonyms() -> dict[str, dict[str, tuple[str, ...]]]:
    """Read list name → the catalog's word → what users type instead."""
    lists = tomllib.loads((_HERE / "words.toml").read_text("utf-8"))
    return {name: {word: _parts(rest) for word, rest in _lines(text)} for name, text in lists.items()}


def _department(row: dict[str, str | float]) -> Department2:
    unit, values = str(row["sizes"]).split(":")
    before = unit in ("size", "eu")
    sizes = tuple(f"{unit} {value}" if before else f"{value} {unit}" for value in values.split(","))
    lists = {name: tuple(str(row[name]).split(",")) for name in ("kinds", "materials", "functions", "styles")}
    more = {name: tuple(str(row[name]).split(",")) for name in ("scenes", "audiences")}
    heads = tuple(_head(word, rest) for word, rest in _lines(str(row["heads"])))
    return Department2(name=str(row["name"]), price=float(row["price"]), heads=heads, sizes=sizes, **lists, **more)


def _head(word: str, rest: str) -> HeadNoun:
    rest, _, foreign = rest.partition("@")
    real, _, use = rest.partition("~")
    return HeadNoun(word, _parts(real), use.strip(), _parts(foreign))


def _lines(text: str) -> list[tuple[str, str]]:
    split = (line.partition(":") for line in text.strip().splitlines())
    return [(word.strip(), rest) for word, _, rest in split]


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
