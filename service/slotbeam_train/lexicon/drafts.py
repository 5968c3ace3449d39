"""Concepts under construction: surfaces that share a key become one, and each key gets one category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from slotbeam_train.lexicon.words import key


@dataclass(slots=True)
class Draft:
    """One concept to be: `surfaces` by how often each is written; `source` says where it came from."""

    category: str
    surfaces: Counter[str] = field(default_factory=Counter)
    source: str = ""
    word: str | None = None


class Drafts:
    """Drafts by key. The first to claim a key decides the category; later claims add surfaces only."""

    def __init__(self) -> None:
        self._by_key: dict[str, Draft] = {}
        self._all: list[Draft] = []

    def __iter__(self) -> Iterator[Draft]:
        return iter(self._all)

    def get(self, surface: str) -> Draft | None:
        return self._by_key.get(key(surface))

    def category(self, surface: str) -> str | None:
        draft = self.get(surface)
        return draft.category if draft else None

    def add(
        self, surfaces: Iterable[str], category: str, count: int = 1, source: str = "", word: str | None = None
    ) -> Draft:
        """Claim `surfaces` as one concept; an existing draft that owns one of them takes in the unowned ones."""
        wanted = list(dict.fromkeys(surfaces))
        draft = next((d for d in map(self.get, wanted) if d is not None), None)
        if draft is None:
            draft = Draft(category, source=source, word=word)
            self._all.append(draft)
        elif draft.category != category:
            wanted = [s for s in wanted if self.get(s) is draft]
        for surface in wanted:
            owner = self._by_key.setdefault(key(surface), draft)
            if owner is draft:
                draft.surfaces[surface] += count
        return draft
