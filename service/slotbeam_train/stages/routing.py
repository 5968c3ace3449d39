"""Reserved-slot self-routing: teach the policy to pass on a slot it has never seen bound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from slotbeam.types import IntArray


def invented_words(surfaces: Sequence[str], n: int, rng: np.random.Generator) -> list[str]:
    """Make `n` words that look like the dictionary's but are none: a walk over its letter pairs.

    It follows the dictionary's own script, so a Chinese dictionary yields Chinese words.
    """
    known = set(surfaces)
    follow: dict[str, list[str]] = defaultdict(list)
    for surface in surfaces:
        for word in surface.split():
            for left, right in zip(("", *word), (*word, ""), strict=True):
                follow[left].append(right)
    words: list[str] = []
    attempts = 0
    while len(words) < n and follow and attempts < 20 * n:
        attempts += 1
        letter, word = "", ""
        while len(word) < 12:
            choices = follow[letter]
            letter = choices[int(rng.integers(len(choices)))]
            if not letter:
                break
            word += letter
        if len(word) > 1 and word not in known:
            words.append(word)
    return words or ["zq"]


def self_route(
    sid: IntArray,
    target: IntArray,
    text: list[int],
    spans: IntArray,
    invented: list[int],
    reserved: Sequence[range],
    rng: np.random.Generator,
) -> tuple[IntArray, IntArray, list[int]]:
    """Turn one example into `prefix(reserved slot) → prefix(reserved slot)`.

    One position's slot is replaced, in the query SID and in the target alike, by the same reserved slot; the word that
    stood for the position becomes a word that does not exist.

    Args:
        sid: (L,) query SID. target: (L,) item SID. Both unchanged; copies are returned.
        text: the query's ids.
        spans: (L, 2) token range of each position's word.
        invented: ids of the word that takes its place; empty drops the word.
        reserved: the reserved codes of each position.

    Returns:
        The new query SID, target and text; the given ones when no position has a reserved slot.
    """
    open_positions = [position for position, codes in enumerate(reserved) if len(codes)]
    if not open_positions:
        return sid, target, text
    named = [position for position in open_positions if sid[position]]
    pool = named if named and rng.random() < 0.5 else open_positions
    position = pool[int(rng.integers(len(pool)))]
    codes = reserved[position]
    code = codes[int(rng.integers(len(codes)))]
    sid, target = sid.copy(), target.copy()
    sid[position] = target[position] = code
    start, end = (int(bound) for bound in spans[position])
    if start == end:  # the position had no word: the new one stands anywhere
        start = end = int(rng.integers(len(text) + 1))
    return sid, target, [*text[:start], *invented, *text[end:]]
