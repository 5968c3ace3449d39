"""The importance table: which of several matched words represents a group."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slotbeam.arrays import load_array, save_array
from slotbeam.errors import ArtifactError

# What ends the head part of a title or a query: what follows says for what, with what, from what.
_HEAD_END = re.compile(
    r"\s(?:for|with|without|w/|w/o|incl|including|compatible|fits|from|to|by)(?=\s|$)|[,;:(\[|]|\s-\s|(?:适用|专用|用于|配)"
)


class Candidate(NamedTuple):
    """One match that competes for a position.

    `segment` is 0 for a title, a query or a typed attribute, 1 for a description; `typed` says that structured data
    names this word in its own category; `head` that it stands in the head part of its segment.
    """

    start: int
    end: int
    concept: int
    entity: bool
    segment: int = 0
    typed: bool = False
    head: bool = True


class Importance:
    """Weights and head pairs of all concepts, learned offline; immutable.

    Attributes:
        weight: (N,) float32 ≥ 0, behavioural importance.
        implied: (N,) int32, the entity that a concept stands for when no entity is named; −1 for none.
    """

    def __init__(self, weight: NDArray[np.float32], heads: NDArray[np.int32], implied: NDArray[np.int32]) -> None:
        """Take the table; of each row of `heads` (P, 2) the first concept is the head where both occur in one text."""
        self.weight = np.asarray(weight, dtype=np.float32)
        self.implied = np.asarray(implied, dtype=np.int32)
        self._pairs = np.asarray(heads, dtype=np.int32).reshape(-1, 2)
        self._heads = frozenset((int(a), int(b)) for a, b in self._pairs)
        self._weights: list[float] = self.weight.tolist()
        self.implied_list: list[int] = self.implied.tolist()

    def order(self, concepts: NDArray[np.int32]) -> list[int]:
        """Return the places of concepts, the most important one's first: what words that are one by spelling mean."""
        return [int(place) for place in np.argsort(-self.weight[concepts], kind="stable")]

    def beats(self, concept: int, other: int) -> bool:
        """Return whether data says that `concept` is what is being sold when both are named."""
        return (concept, other) in self._heads

    def choose(self, candidates: list[Candidate]) -> Candidate:
        """Return the representative: head, then importance, then length, then the earlier one. Needs ≥ 1 candidate."""
        ordered = sorted(candidates, key=self._key)
        best = ordered[0]
        if best.entity:
            for rival in ordered[1:]:
                if not rival.entity or rival.segment != best.segment:
                    break
                if self.beats(rival.concept, best.concept):
                    best = rival
        return best

    def why_not(self, loser: Candidate, winner: Candidate, words: tuple[str, str]) -> str:
        """Say in one sentence why `winner` represents the group and not `loser`; `words` are (loser's, winner's)."""
        mine, its = words
        if loser.concept == winner.concept:
            return f"the same word as {its!r} elsewhere"
        if loser.entity != winner.entity:
            return f"an entity comes first: {its!r}"
        if loser.segment != winner.segment:
            return "named in the description only"
        if winner.entity:
            if self.beats(winner.concept, loser.concept):
                return f"learned head: with {mine!r} and {its!r}, {its!r} is what is sold"
            if winner.head and not loser.head:
                return f"outside the head part; {its!r} is inside"
            return f"{its!r} is the later word of the head part" if winner.head else f"{its!r} comes first"
        if winner.typed and not loser.typed:
            return f"{its!r} is a typed attribute"
        if self._weights[winner.concept] > self._weights[loser.concept]:
            return f"{its!r} is more important ({self._weights[winner.concept]:.2f})"
        if winner.end - winner.start > loser.end - loser.start:
            return f"{its!r} is longer"
        return f"{its!r} comes first"

    def _key(self, c: Candidate) -> tuple[float, ...]:
        """Return what sorts the best first. Entities: head part first, there the later word, behind it the earlier."""
        if c.entity:
            return (0, c.segment, not c.head, -c.start if c.head else c.start, c.start, c.concept)
        return (1, c.segment, not c.typed, -self._weights[c.concept], c.start - c.end, c.start)

    def save(self, folder: Path) -> None:
        """Write `importance_weight.npy`, `importance_heads.npy` and `importance_implied.npy`."""
        save_array(folder / "importance_weight.npy", self.weight)
        save_array(folder / "importance_heads.npy", self._pairs)
        save_array(folder / "importance_implied.npy", self.implied)

    @classmethod
    def load(cls, folder: Path, concepts: int) -> Importance:
        """Read what `save` wrote for so many concepts. Raises `ArtifactError` when it is of others, or damaged."""
        names = ("importance_weight", "importance_heads", "importance_implied")
        weight, heads, implied = (load_array(folder / f"{name}.npy") for name in names)
        if weight.shape != (concepts,) or implied.shape != (concepts,) or heads.ndim != 2 or heads.shape[1] != 2:
            raise ArtifactError(f"{folder}/importance_*.npy do not fit {concepts} concepts; build the artifact again")
        return cls(weight, heads, implied)


def head_end(text: str, first: int) -> int:
    """Return where the head part of `text` ends: at the first preposition or break behind character `first`, if any."""
    end = _HEAD_END.search(text, first)
    return end.start() if end else len(text)
