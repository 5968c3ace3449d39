"""SIDs → trie, in one sort and L passes."""

from __future__ import annotations

import numpy as np

from slotbeam.trie.csr import Trie
from slotbeam.types import IntArray


def sid_keys(sids: IntArray) -> list[IntArray]:
    """Return numbers (N,) int64, the first the most significant, that compare as `sids` (N, L) do lexicographically."""
    keys: list[IntArray] = []
    room = 0
    for column in sids.T:
        width = max(1, int(column.max(initial=0)).bit_length())
        if width > room:  # as many positions as fit share one 63-bit key: sorting two keys beats sorting six
            keys.append(np.zeros(len(sids), np.int64))
            room = 63
        keys[-1] = (keys[-1] << width) | column.astype(np.int64)
        room -= width
    return keys


def sid_order(sids: IntArray) -> IntArray:
    """Return the permutation (N,) that sorts `sids` (N, L) lexicographically; equal SIDs keep their order."""
    keys = sid_keys(sids)
    return np.lexsort(keys[::-1]) if keys and len(sids) else np.arange(len(sids))


def build_trie(sids: IntArray) -> Trie:
    """Build the trie of `sids`.

    Args:
        sids: (N, L) codes >= 0, in any order; duplicates are one SID.

    Returns:
        The trie; its leaves are the distinct SIDs in lexicographic order.

    Raises:
        ValueError: `sids` is not two-dimensional, has no position, or holds a negative code.
    """
    sids = np.asarray(sids)
    if sids.ndim != 2 or sids.shape[1] == 0:
        raise ValueError(f"sids must have shape (N, L) with L >= 1, got {sids.shape}")
    if sids.size and sids.min() < 0:
        raise ValueError(f"codes must be >= 0, got {sids.min()}")
    length = sids.shape[1]
    ordered = sids[sid_order(sids)]
    # A row that differs at one position opens a state at every deeper one, too: hence the running `or`.
    new = np.ones((len(ordered), length), np.bool_)  # (N, L): does this row open a new state at depth l + 1?
    new[1:] = np.logical_or.accumulate(ordered[1:] != ordered[:-1], axis=1)

    # Rows in SID order meet the states of every level in the order in which they are numbered: one pass each, no map.
    codes = [ordered[new[:, position], position] for position in range(length)]
    levels = np.concatenate([[0, 1], 1 + np.cumsum([len(level) for level in codes])])
    pointers: list[IntArray] = [np.zeros(1, np.int64)]  # the root's edges start at 0
    for position in range(1, length):
        opens_parent = new[new[:, position], position - 1]  # among the edges of this level: the first of its parent
        pointers.append(levels[position] + np.flatnonzero(opens_parent) + len(codes[position - 1]) - 1)
    edges = int(levels[-1]) - 1
    return Trie(
        codes=np.concatenate(codes).astype(np.int16 if sids.max(initial=0) < 2**15 else np.int32),
        rows=np.concatenate([*pointers, [edges]]).astype(np.int32),
        levels=levels.astype(np.int64),
    )
