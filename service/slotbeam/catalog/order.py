"""The order of rows: by SID, then by popularity, the largest first, then by id."""

from __future__ import annotations

import numpy as np

from slotbeam.arrays import Strings
from slotbeam.errors import InputError
from slotbeam.trie.build import sid_keys
from slotbeam.types import FloatArray, IntArray

_WORD = 8
_AT_A_TIME = 2**18


def row_order(sids: IntArray, popularity: FloatArray, ranks: IntArray) -> IntArray:
    """Return (n,) int64, the items in row order.

    Args:
        sids: (n, L).
        popularity: (n,).
        ranks: (n,) the place of each id among all.
    """
    # SID order makes every state's items one range; within a SID the popular ones come first, so a cap keeps those.
    return np.lexsort((ranks, -popularity, *sid_keys(sids)[::-1]))


def id_ranks(ids: Strings) -> IntArray:
    """Return (n,) int32: the place of each id among all, in the order of their characters.

    Raises:
        InputError: two ids are equal.
    """
    order, places, group = np.arange(len(ids)), np.arange(len(ids)), np.zeros(len(ids), np.int64)
    word = 0
    # Eight bytes at a time are compared as one number (bytes of UTF-8 are in the order of the characters); only what is
    # equal so far is looked at again. `places` in `order` are such items, `group` tells which of them are equal.
    while len(places):
        held = order[places]
        words, rest = _words(ids, held, word)
        by = np.lexsort((rest, words, group))
        order[places] = held = held[by]
        group, words, rest = group[by], words[by], rest[by]
        same = (group[1:] == group[:-1]) & (words[1:] == words[:-1]) & (rest[1:] == rest[:-1])
        twins = np.flatnonzero(same & (rest[1:] <= _WORD))
        if len(twins):
            raise InputError(f"two items have the id {ids[int(held[twins[0]])]!r}; ids are unique in a catalog")
        tied = np.append(same, False) | np.append(False, same)[: len(places)]
        places, group = places[tied], np.cumsum(np.append(True, ~same)[: len(places)])[tied]
        word += 1
    ranks = np.empty(len(ids), np.int32)
    ranks[order] = np.arange(len(ids), dtype=np.int32)
    return ranks


def _words(ids: Strings, rows: IntArray, word: int) -> tuple[IntArray, IntArray]:
    """Return bytes `8 word` to `8 word + 7` of each id as one uint64, zeros behind its end, and how many there are.

    Nine stands for more than eight: an id that ends comes before one that goes on with zeros.
    """
    words, rest = np.empty(len(rows), np.uint64), np.empty(len(rows), np.int8)
    blob = ids.blob if len(ids.blob) else np.zeros(1, np.uint8)
    for start in range(0, len(rows), _AT_A_TIME):
        own = rows[start : start + _AT_A_TIME]
        first = ids.offsets[own].astype(np.int64) + _WORD * word
        left = np.clip(ids.offsets[own + 1] - first, 0, _WORD + 1)
        octets = blob.take(first[:, None] + np.arange(_WORD), mode="clip")
        octets[np.arange(_WORD) >= left[:, None]] = 0
        words[start : start + len(own)] = octets.view(">u8")[:, 0]
        rest[start : start + len(own)] = left
    return words, rest
