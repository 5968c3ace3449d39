"""New words: on the last day people ask for something that no text and no earlier day has a word for.

The items exist in the catalog from the first day, without the word. For the words marked `in_text` the sellers then
edit their descriptions (`items_late.jsonl`), so that `match` finds the items; training never reads that file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from slotbeam.types import IntArray
from slotbeam_lab.world.attributes import Products
from slotbeam_lab.world.hashing import Draws, below
from slotbeam_lab.world.lexicon import CATEGORIES, C
from slotbeam_lab.world.texts import item_id, item_rows
from slotbeam_lab.world.typist import Typist

SIZES = (20, 5, 1, 100)
"""Items a word, in turn; none has more than a hundredth of the catalog."""
KINDS = ("brand", "series", "style", "function", "pattern", "entity", "material", "marketing", "anchor", "scene")
NAMED = {"labubu": ("brand", "toys")}
"""The first planted word is one that people know as such; all others are invented."""
SAMPLES = 6


@dataclass(frozen=True, slots=True)
class Planted:
    """One new word: `items` are internal numbers, most popular first; `queries` are samples of what is typed."""

    word: str
    category: str
    in_text: bool
    items: IntArray
    queries: tuple[str, ...]

    def row(self, products: Products) -> dict[str, Any]:
        """Return the line of `planted.jsonl`."""
        return {
            "word": self.word,
            "category": self.category,
            "in_text": self.in_text,
            "item_ids": [item_id(number) for number in products.public(self.items).tolist()],
            "queries": list(self.queries),
        }


def plant(products: Products, typist: Typist, count: int) -> list[Planted]:
    """Choose `count` words and their items; no item is planted twice."""
    lexicon = products.lexicon
    lexicon.inventor.taken |= lexicon.spoken()
    names = [one.name for one in lexicon.departments]
    draws = Draws(products.seed, "planting")
    used: set[int] = set()
    made = []
    for number in range(count):
        if number < len(NAMED):
            word, (category, department) = list(NAMED.items())[number]
            lexicon.inventor.taken.add(word)
        else:
            word = lexicon.inventor.word("planted", 2 + draws.below(2), apart=True)
            category, department = KINDS[number % len(KINDS)], names[draws.below(len(names))]
        size = min(SIZES[number % len(SIZES)], products.items // 100)
        items = _items(products, names.index(department), size, draws, used)
        in_text = number % 2 == 0
        made.append(Planted(word, category, in_text, items, _queries(products, typist, word, items)))
    return made


def late_rows(products: Products, planted: list[Planted]) -> Iterator[dict[str, Any]]:
    """Yield the lines of `items_late.jsonl`: descriptions that now hold the new word."""
    for planting in planted:
        if not planting.in_text:
            continue
        for number in products.public(planting.items).tolist():
            row = next(item_rows(products, number, number + 1))
            text = f"{row['description']} {_MENTION[planting.category].format(planting.word)}".strip()
            yield {"id": row["id"], "description": text}


def traffic_rows(products: Products, typist: Typist, planted: list[Planted], day: int) -> Iterator[dict[str, Any]]:
    """Yield the lines of `trend.jsonl`: what people asked and chose on the last day, in mixed order."""
    rows = []
    for number, planting in enumerate(planted):
        count = 40 + int(below(products.seed, "trend", 160, number))
        turn = np.arange(count)
        user = below(products.seed, "trend user", 10**6, np.full(count, number), turn)
        pick = below(products.seed, "trend item", len(planting.items), np.full(count, number), turn)
        queries = _typed(products, typist, planting.word, planting.items[pick], user, turn)
        place = below(products.seed, "trend time", 10**9, np.full(count, number), turn)
        chosen = products.public(planting.items[pick]).tolist()
        for when, who, item, query in zip(place.tolist(), user.tolist(), chosen, queries, strict=True):
            row = {"query": query, "item_id": item_id(item), "kind": "click", "day": day, "user": f"t{who}"}
            rows.append((when, row))
    rows.sort(key=lambda pair: pair[0])
    return (row for _, row in rows)


_MENTION = {
    "brand": "By {}.",
    "series": "Part of the {} series.",
    "style": "Very {}.",
    "function": "With {} function.",
    "pattern": "Now in {}.",
    "entity": "Works as a {}.",
    "material": "Now with {}.",
    "marketing": "{} offer.",
    "anchor": "As seen with {}.",
    "scene": "Just right for {}.",
}


def _items(products: Products, department: int, size: int, draws: Draws, used: set[int]) -> IntArray:
    """`size` unused items of neighbouring entities of one department, drawn evenly."""
    ends = np.searchsorted(products.lexicon.entity_department, [department, department + 1])
    low, high = products.lexicon.entity_start[ends].tolist()
    span = min(high - low, max(3 * size, 8))
    at = low + draws.below(max(high - low - span, 0) + 1)
    free = [number for number in range(at, at + span) if number not in used]
    if len(free) < size:
        free = [number for number in range(low, high) if number not in used]
    if len(free) < size:
        return _items(products, (department + 1) % len(products.lexicon.departments), size, draws, used)
    chosen = sorted({free[index] for index in _distinct(draws, len(free), size)})
    used.update(chosen)
    return np.array(chosen, dtype=np.int64)


def _distinct(draws: Draws, limit: int, count: int) -> set[int]:
    found: set[int] = set()
    while len(found) < count:
        found.add(draws.below(limit))
    return found


def _queries(products: Products, typist: Typist, word: str, items: IntArray) -> tuple[str, ...]:
    pick = items[np.arange(SAMPLES - 1) % len(items)]
    turn = np.arange(SAMPLES - 1)
    return tuple(dict.fromkeys([word, *_typed(products, typist, word, pick, turn + 7, turn, alone=False)]))


def _typed(
    products: Products, typist: Typist, word: str, items: IntArray, user: IntArray, turn: IntArray, alone: bool = True
) -> list[str]:
    """Type the word alone, or with the entity (and often one more word) in the user's own terms."""
    words = products.attributes(items)
    said = np.zeros(words.shape, dtype=bool)
    said[:, C["entity"]] = True
    extra = below(products.seed, "trend extra", 2 * len(CATEGORIES), user, turn)
    for row, category in enumerate(extra.tolist()):
        if category < len(CATEGORIES) and words[row, category] >= 0:
            said[row, category] = True
    texts = typist.queries(user, turn, words, said)
    shape = below(products.seed, "trend shape", 10, user, turn).tolist()
    return [
        word if alone and kind < 4 else f"{word} {text}" if kind < 8 else f"{text} {word}"
        for kind, text in zip(shape, texts, strict=True)
    ]
