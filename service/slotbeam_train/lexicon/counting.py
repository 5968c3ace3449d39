"""Every text matched once: how often each concept occurs, where, and which categories a text carries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.kae.categories import CATEGORIES, CATEGORY_INDEX
from slotbeam.kae.dictionary import Concept
from slotbeam.kae.matcher import Matcher
from slotbeam.types import BoolArray
from slotbeam_train.lexicon.corpus import Doc


@dataclass(frozen=True, slots=True)
class Counted:
    """Concepts with their counts, and their occurrences.

    Attributes:
        concepts: those that at least one item carries, by category, most frequent first.
        items: distinct concepts of every item (title, typed values and description).
        texts: distinct concepts of every text as people write and read it: titles, descriptions, queries.
    """

    concepts: tuple[Concept, ...]
    items: tuple[tuple[int, ...], ...]
    texts: tuple[tuple[int, ...], ...]


def count(
    drafts: Sequence[Concept],
    docs: Sequence[Doc],
    queries: Mapping[str, int],
    most: int,
    always: Collection[str] = (),
) -> Counted:
    """Match all texts. A concept's count is its items; its importance log1p of titles and queries that carry it.

    Args:
        drafts: concepts without counts.
        docs: the items.
        queries: canonical query → times asked.
        most: concepts kept of each category.
        always: surfaces whose concepts are kept whatever their counts.
    """
    owner = [n for n, concept in enumerate(drafts) for _ in concept.surfaces]
    matcher = Matcher([surface for concept in drafts for surface in concept.surfaces])

    def concepts_in(text: str) -> set[int]:
        return {owner[word] for _, _, word in matcher.find(text)}

    seen_values: dict[str, set[int]] = {}

    def value(text: str) -> set[int]:
        if text not in seen_values:
            seen_values[text] = concepts_in(text)
        return seen_values[text]

    seen: Counter[int] = Counter()
    behaviour: Counter[int] = Counter()
    items: list[set[int]] = []
    texts: list[set[int]] = []
    for doc in docs:
        title = concepts_in(doc.title)
        described = concepts_in(doc.description) if doc.description else set()
        everything = title.union(described, *(value(text) for _, text in doc.values))
        items.append(everything)
        texts += [title, described] if described else [title]
        seen.update(everything)
        behaviour.update(title)
    by_count = sorted(queries.items(), key=lambda pair: (-pair[1], pair[0]))
    for place, (query, times) in enumerate(by_count):
        own = concepts_in(query)
        if own and place < len(docs):  # queries do not outnumber items
            texts.append(own)
        for n in own:
            behaviour[n] += times
    kept = _keep(drafts, seen, most, always)
    number = {old: new for new, old in enumerate(kept)}
    concepts = tuple(
        Concept(c.word, c.category, c.aliases, seen[n], float(np.log1p(behaviour[n])))
        for n, c in ((n, drafts[n]) for n in kept)
    )

    def renumber(rows: list[set[int]]) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(sorted(number[n] for n in row if n in number)) for row in rows)

    return Counted(concepts, renumber(items), renumber(texts))


def presence(concepts: Sequence[Concept], rows: Sequence[Sequence[int]]) -> BoolArray:
    """(N, 18) does row n carry a word of each category?"""
    category = np.asarray([CATEGORY_INDEX[c.category] for c in concepts], dtype=np.intp)
    table = np.zeros((len(rows), len(CATEGORIES)), dtype=np.bool_)
    for number, row in enumerate(rows):
        table[number, category[list(row)]] = True
    return table


def common_categories(concepts: Sequence[Concept], items: Sequence[Sequence[int]], share: float) -> tuple[str, ...]:
    """Categories that at least `share` of all items carry."""
    shares = presence(concepts, items).mean(axis=0)
    return tuple(name for name, own in zip(CATEGORIES, shares, strict=True) if own >= share)


def _keep(drafts: Sequence[Concept], seen: Counter[int], most: int, always: Collection[str]) -> list[int]:
    kept: list[int] = []
    for category in CATEGORIES:
        own = [n for n, c in enumerate(drafts) if c.category == category and seen[n] > 0]
        own.sort(key=lambda n: (-seen[n], drafts[n].word))
        kept += own[:most]
        kept += [n for n in own[most:] if any(surface in always for surface in drafts[n].surfaces)]
    return kept
