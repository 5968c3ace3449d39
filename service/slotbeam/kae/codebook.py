"""The extensible codebook: per position `empty` 0, then clusters, then solo slots, then reserved slots."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np

from slotbeam.arrays import load_array, save_array
from slotbeam.errors import ArtifactError, InputError
from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.dictionary import Dictionary
from slotbeam.types import IntArray, Slot

EMPTY = 0
OVERFLOW = 2**16
"""Overflow slots of a position that has reserved ones: V_l, V_l + 1, …"""


class SlotKind(StrEnum):
    """What a slot may hold.

    `empty`      nothing: the position is not named
    `cluster`    rare concepts, some of them together
    `solo`       one concept
    `reserved`   the word that a binding puts there
    """

    EMPTY = "empty"
    CLUSTER = "cluster"
    SOLO = "solo"
    RESERVED = "reserved"


class Codebook:
    """Numbering of all slots, and the slot of every concept. Immutable.

    Slot (position, index): 0 is empty; 1..clusters; then solo; the last `reserved_counts[position]` are reserved.
    V_l = `sizes[l]` = 1 + C_l + R_l with C_l = clusters + solos. What is bound beyond these R_l words is on *overflow
    slots*, which the model does not have: V_l + i is decoded as reserved slot i mod R_l.

    Args:
        groups: category names by position.
        cluster_counts, solo_counts, reserved_counts: (L,) each.
        concept_index: (N,) index of every concept's slot inside the position of its category.
        dictionary: the N concepts.

    Attributes:
        overflow: how many overflow slots each position has that has a reserved one.
    """

    overflow = OVERFLOW

    def __init__(
        self,
        groups: tuple[tuple[str, ...], ...],
        cluster_counts: tuple[int, ...],
        solo_counts: tuple[int, ...],
        reserved_counts: tuple[int, ...],
        concept_index: IntArray,
        dictionary: Dictionary,
    ) -> None:
        self.groups = groups
        self.cluster_counts = cluster_counts
        self.solo_counts = solo_counts
        self.reserved_counts = reserved_counts
        self._position = {category: position for position, group in enumerate(groups) for category in group}
        if sorted(self._position) != sorted(CATEGORIES) or sum(map(len, groups)) != len(CATEGORIES):
            raise InputError(f"the groups {groups} must hold each of the {len(CATEGORIES)} categories exactly once")
        counts = (cluster_counts, solo_counts, reserved_counts)
        if any(len(count) != len(groups) or min(count) < 0 for count in counts):
            raise InputError(f"one count ≥ 0 a position is needed; got {counts} for {len(groups)} positions")
        self.core_counts = tuple(c + s for c, s in zip(cluster_counts, solo_counts, strict=True))
        self.sizes = tuple(1 + c + r for c, r in zip(self.core_counts, reserved_counts, strict=True))
        self.concept_index = np.asarray(concept_index, dtype=np.int32)
        self.concept_position = np.asarray([self._position[c.category] for c in dictionary], dtype=np.int16)
        self._dictionary = dictionary
        if self.concept_index.shape != (len(dictionary),):
            raise InputError(f"{self.concept_index.shape} slot indices for {len(dictionary)} concepts; one each")
        limit = np.asarray(self.core_counts)[self.concept_position]
        if len(dictionary) and not ((self.concept_index >= 1) & (self.concept_index <= limit)).all():
            raise InputError("a concept's slot is outside the core slots 1..C of its position")

    def __len__(self) -> int:
        """Return the number of positions, L."""
        return len(self.groups)

    def position_of(self, category: str) -> int:
        """Return the position that holds `category`. Raises `InputError` for a category that does not exist."""
        try:
            return self._position[category]
        except KeyError:
            raise InputError(f"{category!r} is not a category; one of {', '.join(CATEGORIES)}") from None

    def slot_of(self, concept: int) -> Slot:
        """Return the slot of concept number `concept`."""
        return Slot(int(self.concept_position[concept]), int(self.concept_index[concept]))

    def kind(self, slot: Slot) -> SlotKind:
        """Return what `slot` may hold. Raises `InputError` for a slot that does not exist."""
        self._check(slot)
        clusters, core = self.cluster_counts[slot.position], self.core_counts[slot.position]
        if slot.index == EMPTY:
            return SlotKind.EMPTY
        if slot.index <= clusters:
            return SlotKind.CLUSTER
        return SlotKind.SOLO if slot.index <= core else SlotKind.RESERVED

    def reserved(self, position: int) -> range:
        """Return the indices of the reserved slots of a position."""
        first = 1 + self.core_counts[position]
        return range(first, first + self.reserved_counts[position])

    def bindable(self, position: int) -> range:
        """Return the indices of the slots of a position that hold a binding each: reserved ones, then overflow ones."""
        reserved = self.reserved(position)
        return range(reserved.start, reserved.stop + self.overflow) if reserved else reserved

    def is_overflow(self, slot: Slot) -> bool:
        """Return whether a bindable slot is an overflow slot."""
        return slot.index >= self.sizes[slot.position]

    def decoded_as(self, slot: Slot) -> int:
        """Return the index in 0..V_l - 1 that the model knows a bindable slot by.

        Many overflow slots share one: each binding has a trie and a group of its own, so they never meet in one.
        """
        reserved = self.reserved(slot.position)
        return reserved[(slot.index - reserved.stop) % len(reserved)] if self.is_overflow(slot) else slot.index

    def concepts(self, slot: Slot) -> tuple[int, ...]:
        """Return the concepts of a slot, most frequent first; none for empty and reserved ones."""
        self._check(slot)
        return self._members.get((slot.position, slot.index), ())

    def words(self, slot: Slot) -> tuple[str, ...]:
        """Return every surface of the slot: canonical words first (most frequent first), then their aliases."""
        owned = [self._dictionary[number] for number in self.concepts(slot)]
        return (*(c.word for c in owned), *(alias for c in owned for alias in c.aliases))

    def label(self, slot: Slot) -> str:
        """Return the word shown for a slot: its most frequent concept; nothing for `empty` and `reserved`."""
        owned = self.concepts(slot)
        return self._dictionary[owned[0]].word if owned else ""

    def group_name(self, position: int) -> str:
        """Return the categories of a position as one name, for example `color+material`; unseen ones are left out."""
        used = [c for c in self.groups[position] if c in self._used] or list(self.groups[position])
        return "+".join(used)

    @cached_property
    def sha(self) -> str:
        """SHA-256 over groups, counts and every (surface, slot): the identity that bindings are placed in."""
        head = [self.groups, self.cluster_counts, self.solo_counts, self.reserved_counts]
        digest = hashlib.sha256(json.dumps(head, ensure_ascii=True, separators=(",", ":")).encode())
        owner = self._dictionary.surface_concept.tolist()
        for surface, concept in sorted(zip(self._dictionary.surfaces, owner, strict=True)):
            digest.update(f"\n{self.slot_of(concept)}\t{surface}".encode())
        return digest.hexdigest()

    @cached_property
    def _used(self) -> frozenset[str]:
        return frozenset(concept.category for concept in self._dictionary)

    @cached_property
    def _members(self) -> dict[tuple[int, int], tuple[int, ...]]:
        members: dict[tuple[int, int], list[int]] = {}
        slots = zip(self.concept_position.tolist(), self.concept_index.tolist(), strict=True)
        for number, slot in enumerate(slots):
            members.setdefault(slot, []).append(number)
        concepts = self._dictionary
        return {
            slot: tuple(sorted(own, key=lambda n: (-concepts[n].count, concepts[n].word)))
            for slot, own in members.items()
        }

    def _check(self, slot: Slot) -> None:
        if not 0 <= slot.position < len(self.groups):
            raise InputError(f"slot {slot} has position {slot.position}; 0 to {len(self.groups) - 1} exist")
        stop = max(self.sizes[slot.position], self.bindable(slot.position).stop)
        if not 0 <= slot.index < stop:
            raise InputError(f"slot {slot} has index {slot.index}; 0 to {stop - 1} exist there")

    def save(self, folder: Path) -> None:
        """Write `codebook.json` (groups and counts) and `concept_slot.npy` (N,) int32 indices."""
        folder.mkdir(parents=True, exist_ok=True)
        head = {
            "groups": self.groups,
            "clusters": self.cluster_counts,
            "solos": self.solo_counts,
            "reserved": self.reserved_counts,
            "sha": self.sha,
        }
        (folder / "codebook.json").write_text(json.dumps(head, indent=1, ensure_ascii=False) + "\n", "utf-8")
        save_array(folder / "concept_slot.npy", self.concept_index)

    @classmethod
    def load(cls, folder: Path, dictionary: Dictionary) -> Codebook:
        """Read what `save` wrote, and check its identity. Raises `ArtifactError` naming the file."""
        path = folder / "codebook.json"
        try:
            head = json.loads(path.read_text("utf-8"))
            groups = tuple(tuple(group) for group in head["groups"])
            clusters, solos, reserved = (tuple(map(int, head[name])) for name in ("clusters", "solos", "reserved"))
            book = cls(groups, clusters, solos, reserved, load_array(folder / "concept_slot.npy"), dictionary)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{path} cannot be read: {error}; build the artifact again", file=path.name) from error
        if book.sha != head.get("sha"):
            raise ArtifactError(
                f"{path} says sha {head.get('sha')}, its slots give {book.sha}; build the artifact again"
            )
        return book
