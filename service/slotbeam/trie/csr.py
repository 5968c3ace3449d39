"""The trie of SIDs as two integer arrays, without targets.

States are numbered level by level in SID order, so edge *i* always leads to state *i + 1* and no target is stored.
Leaf order is SID order, which is the table's row order: every state's leaves, and so its items, are one range.

Symbols: S states, E = S - 1 edges, L positions, I inner states (depth < L).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slotbeam.arrays import bisected, load_array, ranges, save_array
from slotbeam.types import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Trie:
    """A set of SIDs.

    Attributes:
        codes: (E,) int16, int32 where a position has more slots: the code of each edge.
        rows: (I + 1,) int32, the edges of inner state s are `rows[s]:rows[s + 1]`.
        levels: (L + 2,) int64, the states of depth d are `levels[d]:levels[d + 1]`; depth 0 is the root alone.
    """

    codes: IntArray
    rows: IntArray
    levels: IntArray

    @property
    def depth(self) -> int:
        """L, the number of positions."""
        return len(self.levels) - 2

    @property
    def n_leaves(self) -> int:
        """The number of SIDs."""
        return int(self.levels[-1] - self.levels[-2])

    def expand(self, states: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Return every edge that leaves `states`.

        Args:
            states: (B,) state numbers; leaves contribute no edge.

        Returns:
            `(parent, code, child)`, each (E',), ordered by parent, then code.
            `parent` indexes into `states`; it is not a state number.
        """
        # A leaf has no row: clipped to the end, both ends of its edges meet and it has none, so no case is needed for
        # it.
        last = len(self.rows) - 1
        start = self.rows[np.minimum(states, last)]  # (B,)
        count = self.rows[np.minimum(states + 1, last)] - start  # (B,) 0 for leaves
        parent, edge = ranges(start, count)  # (E',)
        # Numbered level by level in SID order: an edge's number is its target's, less the root.
        return parent, self.codes[edge], edge + 1

    def leaf_range(self, states: IntArray, depth: int) -> tuple[IntArray, IntArray]:
        """Return the leaves below `states`, all of one depth, as half-open ranges of leaf numbers.

        Args:
            states: (B,) state numbers of depth `depth`.
            depth: 0..L.

        Returns:
            `(first, stop)`, each (B,), leaf numbers 0..n_leaves.
        """
        first, stop = np.asarray(states, np.int64), np.asarray(states, np.int64) + 1
        for _ in range(depth, self.depth):
            # The edges of one level are contiguous, so the end of a state's edges is the start of its neighbour's.
            first, stop = self.rows[first].astype(np.int64) + 1, self.rows[stop].astype(np.int64) + 1
        return first - self.levels[-2], stop - self.levels[-2]

    def sids(self, leaves: IntArray) -> IntArray:
        """Return the SIDs of `leaves` ((n,) leaf numbers) as (n, L) int32."""
        out = np.empty((len(leaves), self.depth), np.int32)
        state = np.asarray(leaves, np.int64) + self.levels[-2]
        for position in range(self.depth - 1, -1, -1):
            edge = state - 1
            out[:, position] = self.codes[edge]
            # Upwards by bisection: a parent is not stored either, and the row pointers rise.
            state = bisected(self.rows, edge, "right") - 1
        return out

    def save(self, directory: Path) -> None:
        """Write one array a file, each of its attribute's name."""
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("codes", "rows", "levels"):
            save_array(directory / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, directory: Path) -> Trie:
        """Map the arrays that `save` wrote; nothing is read before it is needed."""
        return cls(*(load_array(directory / f"{name}.npy") for name in ("codes", "rows", "levels")))
