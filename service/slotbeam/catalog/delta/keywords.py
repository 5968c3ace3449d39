"""Keywords of live items: numbered as they come, and where each belongs among those of an index."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.arrays import Strings
from slotbeam.catalog.delta.growing import GrowingArray, SortedRows
from slotbeam.catalog.fields import Fields
from slotbeam.types import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Keywords:
    """Sorted keywords: those of an index, and new ones between them.

    Attributes:
        base: of the index, sorted.
        new: others, sorted.
        points: of each new one how many of `base` are less.
        of_live: (k + 1,) what codes of live items' keywords are among all; the last one is -1, none.
    """

    base: Strings
    new: Sequence[str]
    points: IntArray
    of_live: IntArray

    def __len__(self) -> int:
        return len(self.base) + len(self.new)

    def of_base(self, codes: IntArray) -> IntArray:
        """Return what `codes` (n,) of the index's keywords are among all; -1, none, stays."""
        return codes + np.searchsorted(self.points, codes, "right") if len(self.points) else codes

    def take(self, codes: IntArray) -> list[str]:
        """Return the keywords of `codes` (n,)."""
        own = self.points + np.arange(len(self.new))
        place = np.searchsorted(own, codes)
        is_new = own[np.minimum(place, len(own) - 1)] == codes if len(own) else np.zeros(len(codes), np.bool_)
        told = iter(self.base.take(codes[~is_new] - place[~is_new]))
        return [self.new[at] if new else next(told) for at, new in zip(place.tolist(), is_new.tolist(), strict=True)]


class GrowingKeywords:
    """The keywords that live items have in one field.

    Attributes:
        codes: keyword → code, numbered as they came.

    Args:
        base: those of the index, sorted.
    """

    def __init__(self, base: Strings) -> None:
        self.codes: dict[str, int] = {}
        self._base = base
        # Of each its code in the index; of a new one −1 − how many of the index's are less.
        self._places, self._new = GrowingArray(np.int64), SortedRows(np.object_)
        self._view = Keywords(base, (), np.empty(0, np.int64), np.array([-1]))

    def append(self, words: Iterable[str | None]) -> list[int]:
        """Return the code of each keyword, -1 of None; one that did not come yet gets the next."""
        given = list(words)
        fresh = [word for word in dict.fromkeys(given) if word is not None and word not in self.codes]
        if fresh:
            places = [self._place(word) for word in fresh]
            self._places.append(np.array(places, np.int64))
            new = [word for word, place in zip(fresh, places, strict=True) if place < 0]
            self._new.append(np.array(new, np.object_))
            self.codes |= {word: len(self.codes) + nth for nth, word in enumerate(fresh)}
        return [-1 if word is None else self.codes[word] for word in given]

    def _place(self, word: str) -> int:
        place = bisect_left(self._base, word)
        return place if place < len(self._base) and self._base[place] == word else -1 - place

    def view(self) -> Keywords:
        """Return all of the index and those that came so far."""
        places = self._places.view()
        if len(self._view.of_live) == len(places) + 1:
            return self._view
        is_new = places < 0
        points = (-1 - places[is_new])[self._new.rows]
        of_live = np.append(places, -1)
        of_live[:-1][~is_new] += np.searchsorted(points, places[~is_new], "right")
        of_live[:-1][is_new] = -1 - places[is_new] + self._new.ranks()
        self._view = Keywords(self._base, self._new.keys.tolist(), points, of_live)
        return self._view


class FieldKeywords(dict[str, GrowingKeywords]):
    """Field → its keywords, for all that grows beside the fields of an index."""

    def __init__(self, base: Fields) -> None:
        super().__init__()
        self._base = base

    def __missing__(self, name: str) -> GrowingKeywords:
        held = self._base[name].keywords if name in self._base else None
        self[name] = GrowingKeywords(Strings.of(()) if held is None else held)
        return self[name]
