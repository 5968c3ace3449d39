"""The typed dictionary: concepts, each with one category, one slot and any number of surfaces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from slotbeam.arrays import load_array, load_strings, save_array, save_strings
from slotbeam.errors import ArtifactError, InputError
from slotbeam.kae.categories import CATEGORIES, CATEGORY_INDEX


@dataclass(frozen=True, slots=True)
class Concept:
    """One meaning. `word` is shown to people; `aliases` are plurals, spellings and synonyms of the same slot.

    `count` is the number of items that carry it, `importance` (≥ 0) its behavioural weight, any scale.
    """

    word: str
    category: str
    aliases: tuple[str, ...] = ()
    count: int = 0
    importance: float = 0.0

    @property
    def surfaces(self) -> tuple[str, ...]:
        """The word and its aliases."""
        return (self.word, *self.aliases)


class Dictionary(Sequence[Concept]):
    """Concepts in a fixed order; a surface (canonical text) belongs to exactly one of them.

    Attributes:
        surfaces: every word and alias, concept by concept.
        surface_concept: (S,) int32, the concept of each surface.
    """

    def __init__(self, concepts: Sequence[Concept]) -> None:
        self.concepts = tuple(concepts)
        surfaces: list[str] = []
        owners: list[int] = []
        seen: dict[str, int] = {}
        for number, concept in enumerate(self.concepts):
            if concept.category not in CATEGORY_INDEX:
                raise InputError(
                    f"concept {concept.word!r} has category {concept.category!r}; one of {', '.join(CATEGORIES)}"
                )
            for surface in concept.surfaces:
                if not surface:
                    raise InputError(f"concept {concept.word!r} has an empty surface; leave it out")
                if seen.setdefault(surface, number) != number:
                    other = self.concepts[seen[surface]].word
                    raise InputError(f"{surface!r} belongs to {other!r} and to {concept.word!r}; keep one")
            fresh = dict.fromkeys(concept.surfaces)
            surfaces.extend(fresh)
            owners.extend([number] * len(fresh))
        self.surfaces: tuple[str, ...] = tuple(surfaces)
        self.surface_concept = np.asarray(owners, dtype=np.int32)
        self._owner = seen

    def __len__(self) -> int:
        return len(self.concepts)

    @overload
    def __getitem__(self, index: int) -> Concept: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Concept, ...]: ...
    def __getitem__(self, index: int | slice) -> Concept | tuple[Concept, ...]:
        return self.concepts[index]

    def __iter__(self) -> Iterator[Concept]:
        return iter(self.concepts)

    def concept_of(self, surface: str) -> int | None:
        """Return the number of the concept that owns this canonical surface, or None."""
        return self._owner.get(surface)

    def save(self, folder: Path) -> None:
        """Write `surfaces.*.npy`, `surface_concept.npy`, and `concept_*.npy`: category, count and importance."""
        folder.mkdir(parents=True, exist_ok=True)
        save_strings(folder / "surfaces", self.surfaces)
        save_array(folder / "surface_concept.npy", self.surface_concept)
        category = np.asarray([CATEGORY_INDEX[c.category] for c in self.concepts], dtype=np.uint8)
        save_array(folder / "concept_category.npy", category)
        save_array(folder / "concept_count.npy", np.asarray([c.count for c in self.concepts], dtype=np.int64))
        save_array(folder / "concept_importance.npy", np.asarray([c.importance for c in self.concepts], np.float32))

    @classmethod
    def load(cls, folder: Path) -> Dictionary:
        """Read what `save` wrote. Raises `ArtifactError` naming the file that is missing or does not fit."""
        surfaces = load_strings(folder / "surfaces")
        owner = load_array(folder / "surface_concept.npy").tolist()
        category = load_array(folder / "concept_category.npy").tolist()
        count = load_array(folder / "concept_count.npy").tolist()
        importance = load_array(folder / "concept_importance.npy").tolist()
        owned: list[list[str]] = [[] for _ in category]
        if len(owner) != len(surfaces) or len(count) != len(category) or len(importance) != len(category):
            raise ArtifactError(f"the arrays of {folder} differ in length; build the artifact again")
        try:
            for surface, number in zip(surfaces, owner, strict=True):
                owned[number].append(surface)
            concepts = [
                Concept(own[0], CATEGORIES[kind], tuple(own[1:]), n, weight)
                for own, kind, n, weight in zip(owned, category, count, importance, strict=True)
            ]
        except IndexError as error:
            raise ArtifactError(f"{folder}/surface_concept.npy does not fit its concepts; build it again") from error
        return cls(concepts)
