"""All words of one world 2: what the catalog writes, and what users type instead, with how often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.world.hashing import Draws, bits, unit
from slotbeam_lab.world.invent import Inventor, misspell, shorten
from slotbeam_lab.world.portable import exp, power
from slotbeam_lab.world2 import source

_NAMES = """entity brand modifier material style function location audience color scene specifications price model
anchor series marketing season pattern"""
CATEGORIES = tuple(_NAMES.split())
"""The 18 categories; world 2 has no words of `location` and `anchor`. The words of `modifier` are packs."""

C = {name: number for number, name in enumerate(CATEGORIES)}
LISTED = {
    "material": "materials",
    "style": "styles",
    "function": "functions",
    "audience": "audiences",
    "scene": "scenes",
    "specifications": "sizes",
}
"""Categories whose words belong to a department → the list's name."""
COMMON = {
    "color": "colors",
    "pattern": "patterns",
    "season": "seasons",
    "price": "prices",
    "marketing": "marketing",
    "modifier": "packs",
}
SERIES_A_BRAND = 4

Terms = tuple[tuple[str, float], ...]
"""What users type for one word, each with the cumulative share of those before it and itself."""


class Lexicon2:
    """Made from the seed and the number of items alone.

    Attributes (D departments, E entities, H heads; entities are numbered department by department):
        heads: (H,) `HeadNoun`; head_department: (H,) int64.
        entity_department, entity_head, entity_kind: (E,) int64; kind -1: the head stands alone.
        entity_start: (E + 1,) int64, where each entity's items begin in the internal order.
        demand: (E,) float64, how often an entity is asked for, summing to 1.
        words: category (or "kind") → what the catalog writes. start, size: category of a department's own words →
            (D,) where they begin in it, how many there are.
        terms: category (or "head", "kind") → for each word `Terms`. foreign: head → (German, Spanish) or fewer.
    """

    def __init__(self, seed: int, items: int) -> None:
        self.seed, self.items = seed, items
        self.departments = source.departments()
        self._synonyms = source.synonyms()
        self.words: dict[str, list[str]] = {name: list(self._synonyms[key]) for name, key in COMMON.items()}
        self.start: dict[str, IntArray] = {}
        self.size: dict[str, IntArray] = {}
        for name, key in {"kind": "kinds", **LISTED}.items():
            self._list(name, [getattr(one, key) for one in self.departments])
        self.heads = [head for one in self.departments for head in one.heads]
        counts = [len(one.heads) for one in self.departments]
        self.head_department = np.repeat(np.arange(len(counts)), counts)
        self._make_entities()
        self.inventor = Inventor(seed, self._written() | self._typed())
        self._name_brands()
        self._make_terms()

    def _list(self, name: str, groups: Sequence[Sequence[str]]) -> None:
        sizes = [len(group) for group in groups]
        self.start[name], self.size[name] = np.array([0, *accumulate(sizes)][:-1]), np.array(sizes)
        self.words[name] = [word for group in groups for word in group]

    def _make_entities(self) -> None:
        """Every head alone and with some of its department's kinds: more of them in larger catalogs."""
        kinds = min(10, max(0, round(4 * math.sqrt(self.items) / len(self.heads)) - 1))
        chosen: list[tuple[int, int, int]] = []
        for head, department in enumerate(self.head_department.tolist()):
            own = np.arange(self.size["kind"][department]) + self.start["kind"][department]
            order = np.argsort(bits(self.seed, "compound", head, own), kind="stable")[:kinds]
            chosen += [(department, head, -1), *((department, head, int(own[place])) for place in order)]
        self.entity_department, self.entity_head, self.entity_kind = np.array(chosen, dtype=np.int64).T
        count = len(chosen)
        rank = np.empty(count)
        rank[np.argsort(bits(self.seed, "entity rank", np.arange(count)), kind="stable")] = np.arange(count)
        weights = power(rank + 6.0, -0.6)
        ends = np.floor(np.cumsum(weights) / weights.cumsum()[-1] * (self.items - count)).astype(np.int64)
        ends[-1] = self.items - count
        self.entity_start: IntArray = np.concatenate([[0], ends + np.arange(1, count + 1)])
        demand = np.diff(self.entity_start) * exp(unit(self.seed, "demand", np.arange(count)) * 1.5)
        self.demand: FloatArray = demand / math.fsum(demand)
        self.words["entity"] = [
            (self.words["kind"][kind] + " " if kind >= 0 else "") + self.heads[head].word for _, head, kind in chosen
        ]

    def _name_brands(self) -> None:
        departments = len(self.departments)
        self.brands = max(12, round(0.9 * math.sqrt(self.items) / departments))
        """Brands of each department."""
        self.words["brand"] = [self.inventor.word("brand").capitalize() for _ in range(self.brands * departments)]
        pool = [self.inventor.word("place").capitalize() for _ in range(max(60, len(self.words["brand"]) // 2))]
        numbers = np.arange(len(self.words["brand"]) * SERIES_A_BRAND)
        self.words["series"] = [pool[int(pick)] for pick in bits(self.seed, "series", numbers) % np.uint64(len(pool))]

    def _make_terms(self) -> None:
        draws = Draws(self.seed, "terms")
        self.terms: dict[str, list[Terms]] = {"head": [self._head_terms(head, draws) for head in self.heads]}
        self.foreign = [head.foreign for head in self.heads]
        keys = {**COMMON, **{name: key for name, key in LISTED.items() if name != "specifications"}, "kind": "kinds"}
        for name, key in keys.items():
            known = {
                word: self._word_terms(word, self._synonyms[key].get(word, ()), draws) for word in self.words[name]
            }
            self.terms[name] = [known[word] for word in self.words[name]]
        for name in ("brand", "series"):
            self.terms[name] = [self._name_terms(word.lower(), draws) for word in self.words[name]]
        self.terms["specifications"] = [((word.replace(" ", ""), 1.0),) for word in self.words["specifications"]]

    def _head_terms(self, head: source.HeadNoun, draws: Draws) -> Terms:
        """Half real synonyms, a tenth what it is used for, three tenths jargon, the rest worn or misspelt."""
        real = [(text, 0.5 / len(head.synonyms)) for text in head.synonyms]
        jargon = [(self.inventor.word("slang"), 0.2), (self.inventor.word("slang"), 0.1)]
        return _cumulated([*real, (head.use, 0.1), *jargon, (misspell(head.word, draws), 0.1)])

    def _word_terms(self, word: str, synonyms: tuple[str, ...], draws: Draws) -> Terms:
        """Two thirds real synonyms (where there are none the word itself), then jargon, then worn or misspelt."""
        real = [(text, 0.7 / len(synonyms)) for text in synonyms] or [(word, 0.7)]
        jargon = [(self.inventor.word("slang"), 0.25)] if draws.chance(0.4) else []
        spare = shorten(word) if draws.chance(0.3) else misspell(word, draws)
        return _cumulated([*real, *jargon, (spare, 0.1)])

    def _name_terms(self, word: str, draws: Draws) -> Terms:
        nickname = [(self.inventor.word("slang"), 0.3)] if draws.chance(0.3) else []
        return _cumulated([(word, 0.4), (misspell(word, draws), 0.2), (shorten(word), 0.1), *nickname])

    def _written(self) -> set[str]:
        texts = [text for listed in self.words.values() for text in listed] + [head.word for head in self.heads]
        return {part for text in texts for part in parts(text)}

    def _typed(self) -> set[str]:
        heads = [text for head in self.heads for text in (*head.synonyms, head.use, *head.foreign)]
        others = [text for listed in self._synonyms.values() for known in listed.values() for text in known]
        return {part for text in heads + others for part in parts(text)}

    def spoken(self) -> set[str]:
        """Every single word that the catalog or the users may write, models and random slips aside."""
        own = {part for listed in self.terms.values() for terms in listed for text, _ in terms for part in parts(text)}
        return own | self._written() | self._typed()


def parts(text: str) -> list[str]:
    """Split into single lower-case words."""
    return text.lower().replace("-", " ").split()


def _cumulated(weighted: list[tuple[str, float]]) -> Terms:
    total = math.fsum(weight for _, weight in weighted)
    shares = accumulate(weight / total for _, weight in weighted)
    return tuple((text, share) for (text, _), share in zip(weighted, shares, strict=True))
