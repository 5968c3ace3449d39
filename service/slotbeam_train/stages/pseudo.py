"""Queries made from the catalog: what a person might type for an item, and which items it would be right for.

A query that names concepts is right for *every* item that carries them, so its targets are drawn from all of those by
popularity: the policy learns the distribution of a head query, not one source item.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from slotbeam.catalog.item import Item
from slotbeam.kae.encode import Encoded, Kae
from slotbeam.language.normalize import normalize
from slotbeam_train.lexicon import Absorbed

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_CANDIDATES = 48
"""Items looked at when targets are drawn."""


@dataclass(frozen=True, slots=True)
class PseudoOptions:
    """How many queries and of what sort; shares need not add up to 1.

    Attributes:
        per_item: queries made for each item, on average.
        limit: queries in all at most.
        targets: items drawn for a query.
        plans: share of each sort of query.
        alias: chance that a word is replaced by another surface of its concept.
        shuffle: chance that the words change order.
        typo: chance of one slip of the finger.
        popularity: exponent on (1 + log1p(popularity)) when items and targets are drawn.
        absorbed: further queries for each absorbed binding: its words, alone and with one more word of an item.
    """

    per_item: float = 8.0
    limit: int = 240_000
    targets: int = 6
    plans: tuple[tuple[str, float], ...] = (
        ("entity", 0.25),
        ("brand entity", 0.12),
        ("attribute entity", 0.16),
        ("attributes entity", 0.08),
        ("brand attribute", 0.06),
        ("brand attribute entity", 0.05),
        ("attribute", 0.04),
        ("brand", 0.03),
        ("span", 0.15),
        ("subset", 0.06),
    )
    alias: float = 0.4
    shuffle: float = 0.12
    typo: float = 0.04
    popularity: float = 1.0
    absorbed: int = 96


class _Postings:
    """Which items carry a concept; an entity counts where it is what the item is, its slot of that position.

    A concept's key is its number, an entity's is -1 - code: so "carries all of them" is a test on sets.
    """

    def __init__(self, items: Sequence[Item], encoded: Sequence[Encoded], kae: Kae) -> None:
        self.kae = kae
        self.entity = [concept.category == "entity" for concept in kae.dictionary]
        index = kae.codebook.concept_index.tolist()
        self.key = [-1 - code if entity else n for n, (code, entity) in enumerate(zip(index, self.entity, strict=True))]
        position = kae.codebook.position_of("entity")
        self.carried: list[dict[int, str]] = []  # concept → a surface, as the item spells it
        self.facts: list[frozenset[int]] = []
        self.holders: dict[int, list[int]] = defaultdict(list)
        for row, (item, said) in enumerate(zip(items, encoded, strict=True)):
            end = len(said.text) - (len(normalize(item.description)) if item.description else 0)
            carried: dict[int, str] = {}
            for match in (*said.matches, *(match for match in said.chosen if match)):
                if match.start < end or not item.description:
                    carried.setdefault(match.concept, match.surface)
            facts = frozenset((-1 - said.sid[position], *(c for c in carried if not self.entity[c])))
            self.carried.append(carried)
            self.facts.append(facts)
            for key in facts:
                self.holders[key].append(row)

    def draw(
        self, concepts: Sequence[int], source: int, n: int, weight: list[float], rng: np.random.Generator
    ) -> list[int]:
        """Draw `n` items that carry all `concepts`, by `weight`; the source is always among the candidates."""
        wanted = frozenset(self.key[c] for c in concepts)
        near = min((self.holders[key] for key in wanted if key in self.holders), key=len, default=[source])
        if len(near) > _CANDIDATES:
            near = [near[i] for i in rng.integers(len(near), size=_CANDIDATES).tolist()]
        fitting = [row for row in near if wanted <= self.facts[row]]
        if source not in fitting and wanted <= self.facts[source]:
            fitting.append(source)
        if not fitting:
            return [source] * n
        chance = list(accumulate(weight[row] for row in fitting))
        return [fitting[bisect_right(chance, u * chance[-1])] for u in rng.random(n).tolist()]


def pseudo_queries(
    items: Sequence[Item], encoded: Sequence[Encoded], kae: Kae, options: PseudoOptions, rng: np.random.Generator
) -> list[tuple[str, list[int]]]:
    """Make canonical queries, each with `options.targets` item numbers (drawn with replacement)."""
    if not items or options.per_item <= 0:
        return []
    postings = _Postings(items, encoded, kae)
    weight = [float((1.0 + np.log1p(item.popularity)) ** options.popularity) for item in items]
    n = min(int(options.per_item * len(items)), options.limit)
    even = np.resize(rng.permutation(len(items)), n // 2)  # half of them give every item its turn
    chance = np.cumsum(weight)
    sources = [*even.tolist(), *np.searchsorted(chance, rng.random(n - len(even)) * chance[-1], side="right").tolist()]
    names = [name for name, _ in options.plans]
    shares = np.cumsum([share for _, share in options.plans])
    plans = np.searchsorted(shares, rng.random(n) * shares[-1], side="right").tolist()
    made: list[tuple[str, list[int]]] = []
    for source, plan in zip(sources, plans, strict=True):
        one = _make(names[plan], source, items[source], postings, options, rng)
        if one is None:
            continue
        text, concepts = one
        spelled = _slip(text, rng) if rng.random() < options.typo else text
        if concepts is None:  # free words of the title: the words known among them say what is right
            concepts = list(dict.fromkeys(match.concept for match in kae.encode(text).chosen if match))
            own = options.targets // 2
            rows = [source] * own + postings.draw(concepts, source, options.targets - own, weight, rng)
        else:
            rows = postings.draw(concepts, source, options.targets, weight, rng)
        made.append((spelled, rows))
    return made


def absorbed_queries(
    items: Sequence[Item],
    encoded: Sequence[Encoded],
    kae: Kae,
    absorbed: Sequence[Absorbed],
    options: PseudoOptions,
    rng: np.random.Generator,
) -> list[tuple[str, list[int]]]:
    """Make canonical queries for bindings that became words: the log may not hold one yet, and their items may be few.

    Half of them are a word alone, half name one more word of an item.
    """
    if not absorbed:
        return []
    postings = _Postings(items, encoded, kae)
    weight = [float((1.0 + np.log1p(item.popularity)) ** options.popularity) for item in items]
    rows_of = {item.id: row for row, item in enumerate(items)}
    made: list[tuple[str, list[int]]] = []
    for one in absorbed:
        concept = kae.dictionary.concept_of(one.word)
        own = [rows_of[item] for item in one.item_ids if item in rows_of]
        if concept is None or not own:
            continue
        words = [word for word in one.words if kae.dictionary.concept_of(word) == concept]
        for number in range(options.absorbed):
            word, source = words[int(rng.integers(len(words)))], own[int(rng.integers(len(own)))]
            named = [c for c in postings.carried[source] if c != concept and postings.key[c] in postings.facts[source]]
            if number % 2 and named:
                other = named[int(rng.integers(len(named)))]
                pair = [word, postings.carried[source][other]]
                rows = postings.draw([concept, other], source, options.targets, weight, rng)
                made.append((" ".join(pair if rng.random() < 0.5 else pair[::-1]), rows))
            else:
                made.append((word, postings.draw([concept], source, options.targets, weight, rng)))
    return made


def _make(
    plan: str, source: int, item: Item, postings: _Postings, options: PseudoOptions, rng: np.random.Generator
) -> tuple[str, list[int] | None] | None:
    """One query and its concepts; None as concepts for free text, None in all when the item has not what it takes."""
    if plan in ("span", "subset"):
        words = normalize(item.title).split()
        size = int(rng.integers(1, 6 if plan == "span" else 4))
        if not words:
            return None
        if plan == "span":
            start = int(rng.integers(max(1, len(words) - size + 1)))
            chosen = words[start : start + size]
        else:
            picks = sorted(rng.permutation(len(words))[: size + 1].tolist())
            chosen = [words[i] for i in picks]
        text = " ".join(chosen)[:80].strip(" ,;.-/()")
        return (text, None) if text else None
    dictionary, carried = postings.kae.dictionary, postings.carried[source]
    entities = [c for c in carried if postings.entity[c] and postings.key[c] in postings.facts[source]]
    brands = [c for c in carried if dictionary[c].category == "brand"]
    others = [c for c in carried if not postings.entity[c] and dictionary[c].category != "brand"]
    concepts: list[int] = []
    for part in plan.split():
        pool = {"entity": entities, "brand": brands}.get(part, others)
        free = [c for c in pool if c not in concepts]
        if not free:
            return None
        take = 2 if part == "attributes" else 1
        concepts += [free[i] for i in rng.permutation(len(free))[:take].tolist()]
    words = []
    for concept in concepts:
        surfaces = dictionary[concept].surfaces
        other = len(surfaces) > 1 and rng.random() < options.alias
        words.append(surfaces[int(rng.integers(len(surfaces)))] if other else carried[concept])
    if len(words) > 1 and rng.random() < options.shuffle:
        words = [words[i] for i in rng.permutation(len(words)).tolist()]
    return " ".join(words), concepts


def _slip(text: str, rng: np.random.Generator) -> str:
    """One edit inside a word of five letters or more; the text itself when it has none."""
    words = text.split()
    long = [i for i, word in enumerate(words) if len(word) >= 5]
    if not long:
        return text
    index = long[int(rng.integers(len(long)))]
    word = words[index]
    at = int(rng.integers(1, len(word) - 1))
    letter = _LETTERS[int(rng.integers(26))]
    words[index] = (
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + letter + word[at + 1 :],
    )[int(rng.integers(4))]
    return " ".join(words)
