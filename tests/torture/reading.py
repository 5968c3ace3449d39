"""How the model reads words and queries: canonical text, look-alikes, and what a bound word does to an answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Letters of other alphabets that are drawn like Latin ones; as many as the tests' words need.
LOOKALIKES = str.maketrans("асеорхукαοκ", "aceopxykaok")
PLACEMENTS = ("only", "top", "blend")  # the strongest first
GROUPS = 4  # bindings that one query triggers at most


@dataclass(frozen=True)
class Bound:
    """An active binding: where it stands, and those of its items that the catalog holds."""

    id: str
    slot: str
    placement: str
    items: frozenset[str]


@dataclass(frozen=True)
class Search:
    """What bindings do to one query.

    Attributes:
        applied: one entry a triggered binding, as the answer lists them.
        placement: the strongest of theirs; empty without any.
        items: the items that they bring.
    """

    applied: tuple[Mapping[str, Any], ...]
    placement: str
    items: frozenset[str]

    def fits(self, items: Sequence[Mapping[str, Any]]) -> bool:
        """Whether an answer of everything that can be found has these items where they belong."""
        brought = {item["id"] for item in items if item["source"] == "binding"}
        if not self.applied:
            return not brought
        first = {item["id"] for item in items[: len(self.items)]}
        if self.placement == "blend":  # an item that the base ranks higher comes from the base
            return brought <= self.items <= {item["id"] for item in items} and items[0]["source"] == "binding"
        if self.placement == "only" and len(items) != len(self.items):
            return False
        return brought == first == self.items


def canonical(text: str) -> str:
    """Compatible forms and case folded, invisible characters dropped, single spaces."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(c for c in text if unicodedata.category(c) != "Cf").split())


def looks_like(word: str) -> str:
    """What a word looks like, in Latin letters."""
    return word.translate(LOOKALIKES)


def mixed(word: str) -> bool:
    """Whether a run of letters mixes Latin with Cyrillic ones."""
    runs = "".join(c if c.isalpha() else " " for c in word).split()
    scripts = [{unicodedata.name(c).partition(" ")[0] for c in run} for run in runs]
    return any({"LATIN", "CYRILLIC"} <= found for found in scripts)


def search(query: str, bound: Mapping[str, Bound]) -> Search:
    """Read a query: bound words that do not overlap, the leftmost, then the longest first; each binding once."""
    text, at = canonical(query), 0
    applied: dict[str, Mapping[str, Any]] = {}
    while at < len(text):
        words = [word for word in bound if text.startswith(word, at) and stands_alone(text, at, at + len(word))]
        word = max(words, key=len, default="")
        if word:
            b = bound[word]
            found = {"id": b.id, "slot": b.slot, "word": word, "span": [at, at + len(word)], "items": len(b.items)}
            applied.setdefault(b.id, found)
        at += len(word) or 1
    chosen = tuple(applied.values())[:GROUPS]
    triggered = {b.id: b for b in bound.values() if b.id in {entry["id"] for entry in chosen}}
    placement = min((b.placement for b in triggered.values()), key=PLACEMENTS.index, default="")
    return Search(chosen, placement, frozenset().union(*(b.items for b in triggered.values())))


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no letter or digit runs on over either edge; a Han character is a word by itself."""
    return all(
        not (before.isalnum() and after.isalnum()) or "CJK" in unicodedata.name(before) + unicodedata.name(after)
        for before, after in ((text[at - 1 : at], text[at : at + 1]) for at in (start, end))
    )
