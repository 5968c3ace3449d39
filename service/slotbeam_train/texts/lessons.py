"""What a text encoder is taught on: texts as people may type them, made of a catalog, its dictionary and a log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from slotbeam.catalog.item import Item
from slotbeam.language.normalize import normalize

LONGEST = 80
"""Characters of an attribute value that is a text of its own, at most."""
SPAN = 6
"""Words of a title that stand beside each other in a made query, at most."""
PICKED = 5
"""Words of an item's title and description that are picked for one, in their order, at most."""
_PLAIN = re.compile(r"\w{3,}")


def item_parts(item: Item) -> tuple[str, list[str]]:
    """Return the canonical title of an item, and its other texts in the order that its text vector is made of."""
    title = normalize(item.title)
    values = [normalize(value) for own in item.attributes.values() for value in own]
    return title, [part for part in (*values, normalize(item.description)) if part]


def read_items(items: Sequence[Item], limit: int, seed: int) -> Sequence[Item]:
    """Return the items that a teacher reads: all, or `limit` of them drawn evenly, in their order."""
    return items if len(items) <= limit else [items[row] for row in drawn(len(items), limit, seed)]


def drawn(count: int, limit: int, seed: int) -> list[int]:
    """Return the rows of `count` items that a teacher reads, in their order."""
    return sorted(np.random.default_rng([seed, 9]).permutation(count)[:limit].tolist())


def passage(item: Item) -> str:
    """Return what a teacher reads of an item."""
    title, others = item_parts(item)
    return " ".join(dict.fromkeys([title, *others]))


def made_queries(
    items: Sequence[Item],
    surfaces: Iterable[str],
    asked: Mapping[str, int],
    words: Iterable[str],
    limit: int,
    seed: int,
) -> list[str]:
    """Return distinct canonical texts: those of the dictionary, and at most `limit` each of the log, made, and words.

    Args:
        items: spans of their titles, words picked from their texts, their attribute values.
        surfaces: of the dictionary.
        asked: canonical query of the training days → how often it was asked; the most frequent ones are taken.
        words: of a teacher's own vocabulary: what people may type that no item holds.
        limit: of the texts of the log, of those that are made of items, and of the teacher's words, each.
        seed: of what is drawn.
    """
    rng = np.random.default_rng([seed, 6])
    frequent = sorted(filter(None, asked), key=lambda query: (-asked[query], query))[:limit]
    known = dict.fromkeys([*frequent, *surfaces])
    made: dict[str, None] = {}
    rounds = max(1, -(-limit // max(1, 3 * len(items))))
    for _ in range(rounds):
        for number in rng.permutation(len(items)).tolist():
            if len(made) >= limit:
                break
            made.update(dict.fromkeys(_of_item(items[number], rng)))
    plain = sorted({word for word in map(normalize, words) if _PLAIN.fullmatch(word)})
    kept = [plain[i] for i in sorted(rng.permutation(len(plain))[:limit].tolist())]
    return list(dict.fromkeys([*known, *made, *kept]))


def _of_item(item: Item, rng: np.random.Generator) -> Iterator[str]:
    title, others = item_parts(item)
    words = title.split()
    if words:
        length = int(rng.integers(1, SPAN))
        first = int(rng.integers(0, max(1, len(words) - length + 1)))
        yield " ".join(words[first : first + length])
    said = [*words, *(others[-1].split() if item.description and others else [])]
    if said:
        picks = rng.permutation(len(said))[: int(rng.integers(2, PICKED))]
        yield " ".join(said[i] for i in sorted(picks.tolist()))
    short = [value for value in others if len(value) <= LONGEST]
    if short:
        yield short[int(rng.integers(len(short)))]
