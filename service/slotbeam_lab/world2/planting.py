"""New words on the last day, and the noise around them.

The items of a planted word exist from the first day, without the word. For the words marked `in_text` the sellers then
edit their descriptions (`items_late.jsonl`). In `trend.jsonl` users `t…` search for planted words in two waves of the
day, users `c…` follow a campaign (known words that burst), users `b…` are crawlers that repeat one word of no meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from slotbeam.types import IntArray
from slotbeam_lab.world.hashing import Draws, below, unit
from slotbeam_lab.world2.lexicon import CATEGORIES, C
from slotbeam_lab.world2.products import STEADY, Products2
from slotbeam_lab.world2.texts import item_id, item_rows
from slotbeam_lab.world2.typist import Typist2

SIZES = (20, 5, 1, 100)
"""Items a word, in turn; none has more than a hundredth of the catalog, all together not more than half."""
MENTION = {
    "brand": "By {}.",
    "series": "Part of the {} series.",
    "style": "Very {}.",
    "function": "With {} function.",
    "pattern": "Now in {}.",
    "entity": "Works as a {}.",
    "material": "Now with {}.",
    "marketing": "{} offer.",
    "scene": "Just right for {}.",
    "audience": "Made for every {}.",
}
"""Category of a planted word, in turn → what sellers write on the last day."""
SAMPLES, CRAWLERS, CRAWLED, CAMPAIGNERS = 6, 5, 150, 400


@dataclass(frozen=True, slots=True)
class Planted2:
    """One new word: `items` are internal numbers, most popular first; `queries` are samples of what is typed."""

    word: str
    category: str
    in_text: bool
    items: IntArray
    queries: tuple[str, ...]

    def row(self, products: Products2) -> dict[str, Any]:
        """Return the line of `planted.jsonl`."""
        ids = [item_id(number) for number in products.public(self.items).tolist()]
        told = {"word": self.word, "category": self.category, "in_text": self.in_text}
        return {**told, "item_ids": ids, "queries": list(self.queries)}


def plant(products: Products2, typist: Typist2, count: int) -> list[Planted2]:
    """Choose `count` words and their items, which never leave; no item is planted twice."""
    lexicon = products.lexicon
    lexicon.inventor.taken |= lexicon.spoken()
    draws = Draws(products.seed, "planting")
    used: set[int] = set()
    made = []
    for number in range(count):
        word = lexicon.inventor.word("planted", 2 + draws.below(2), apart=True)
        size = min(SIZES[number % len(SIZES)], products.items // 100, products.items // (2 * count))
        items = _items(products, draws.below(len(lexicon.departments)), size, draws, used)
        turn = np.arange(SAMPLES - 1)
        typed = _typed(products, typist, word, items[turn % len(items)], turn + 7, turn, alone=False)
        category = list(MENTION)[number % len(MENTION)]
        made.append(Planted2(word, category, number % 2 == 0, items, tuple(dict.fromkeys([word, *typed]))))
    return made


def late_rows(products: Products2, planted: list[Planted2]) -> Iterator[dict[str, Any]]:
    """Yield the lines of `items_late.jsonl`: descriptions that now hold the new word."""
    for planting in planted:
        for number in products.public(planting.items).tolist() if planting.in_text else ():
            row = next(item_rows(products, number, number + 1))
            text = f"{row['description']} {MENTION[planting.category].format(planting.word)}".strip()
            yield {"id": row["id"], "description": text}


def traffic_rows(products: Products2, typist: Typist2, planted: list[Planted2], day: int) -> list[dict[str, Any]]:
    """Return the lines of `trend.jsonl`, in the order of the day: planted words, a campaign, crawlers."""
    seed, timed = products.seed, list[tuple[float, dict[str, Any]]]()

    def add(sort: str, number: int, user: IntArray, items: IntArray, queries: list[str]) -> None:
        turn = np.arange(len(user))
        time = unit(seed, f"trend time {sort}", np.full(len(user), number), turn)
        second = unit(seed, f"trend wave {sort}", np.full(len(user), number), turn) < 0.6
        when = np.where(second, 0.55 + 0.35 * time, 0.2 + 0.3 * time).tolist()
        chosen = products.public(items).tolist()
        for at, who, item, query in zip(when, user.tolist(), chosen, queries, strict=True):
            row = {"query": query, "item_id": item_id(item), "kind": "click", "day": day, "user": f"{sort}{who}"}
            timed.append((at, row))

    for number, planting in enumerate(planted):
        turn = np.arange(40 + int(below(seed, "trend", 160, number)))
        numbers = np.full(len(turn), number)
        user = below(seed, "trend user", 10**6, numbers, turn)
        items = planting.items[below(seed, "trend item", len(planting.items), numbers, turn)]
        add("t", number, user, items, _typed(products, typist, planting.word, items, user, turn))
    for number in range(CRAWLERS if planted else 0):
        word = products.lexicon.inventor.word("planted", 3, apart=True)
        turn = np.arange(CRAWLED)
        items = below(seed, "crawled", products.items, np.full(CRAWLED, number), turn)
        add("b", number, np.full(CRAWLED, number), items, [word] * CRAWLED)
    if planted:
        turn = np.arange(CAMPAIGNERS)
        user = below(seed, "campaigner", 10**6, turn)
        entity = int(below(seed, "campaign entity", len(products.lexicon.entity_head), 0))
        start, end = products.lexicon.entity_start[entity : entity + 2].tolist()
        items = start + below(seed, "campaign item", min(STEADY, end - start), turn)
        words = products.attributes(items)
        said = np.zeros(words.shape, dtype=bool)
        said[:, C["entity"]] = True
        add("c", 0, user, items, [query for query, _ in typist.queries(user, turn, words, said)])
    timed.sort(key=lambda pair: pair[0])
    return [row for _, row in timed]


def _items(products: Products2, department: int, size: int, draws: Draws, used: set[int]) -> IntArray:
    """`size` unused items, which never leave, of neighbouring entities of one department, drawn evenly."""
    ends = np.searchsorted(products.lexicon.entity_department, [department, department + 1])
    low, high = products.lexicon.entity_start[ends].tolist()
    arrives, leaves = products.days(np.arange(low, high))
    steady = (np.flatnonzero((arrives == 0) & (leaves > 31)) + low).tolist()
    free = [number for number in steady if number not in used]
    if len(free) < size:
        return _items(products, (department + 1) % len(products.lexicon.departments), size, draws, used)
    span = min(len(free), max(3 * size, 8))
    at = draws.below(len(free) - span + 1)
    chosen: set[int] = set()
    while len(chosen) < size:
        chosen.add(free[at + draws.below(span)])
    used |= chosen
    return np.array(sorted(chosen), dtype=np.int64)


def _typed(
    products: Products2, typist: Typist2, word: str, items: IntArray, user: IntArray, turn: IntArray, alone: bool = True
) -> list[str]:
    """Type the word alone, or with the head (and often one more word) in the user's own terms."""
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
        for kind, (text, _) in zip(shape, texts, strict=True)
    ]
