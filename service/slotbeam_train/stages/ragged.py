"""Lists of different lengths in two arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from slotbeam.arrays import running_totals
from slotbeam.types import IntArray


@dataclass(frozen=True, eq=False)
class Ragged:
    """N lists of ids. `flat` (M,) int32 holds them end to end, list i is `flat[offsets[i]:offsets[i + 1]]`."""

    flat: IntArray
    offsets: IntArray

    @classmethod
    def of(cls, lists: Iterable[Sequence[int]]) -> Ragged:
        held = list(lists)
        offsets = running_totals([len(ids) for ids in held])
        return cls(np.fromiter(chain.from_iterable(held), np.int32, count=int(offsets[-1])), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> list[int]:
        found: list[int] = self.flat[self.offsets[index] : self.offsets[index + 1]].tolist()
        return found
