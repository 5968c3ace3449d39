"""All words of one world: what the catalog writes, and what users type instead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.world import words as source
from slotbeam_lab.world.hashing import Draws, bits, unit
from slotbeam_lab.world.invent import Inventor, misspell, shorten
from slotbeam_lab.world.portable import exp, power

CATEGORIES = tuple(source.RATES)
"""The world's own numbering of the 18 categories."""

C = {name: number for number, name in enumerate(CATEGORIES)}
LISTED = ("material", "function", "style", "modifier", "scene", "audience", "specifications")
"""Categories whose words belong to a department."""

BRANDS_AN_ENTITY, SERIES_A_BRAND = 12, 4
SHARED_SLANG = 0.08
"""Share of heads one of whose user words also means a head of another department."""

_SERIES = (
    "Aurora Ridge Nimbus Summit Harbor Ember Willow Atlas Comet Prism Cascade Meadow Falcon Vertex Solstice Pioneer "
    "Horizon Echo Breeze Cobalt Juniper Lumen Monarch Nova Onyx Orbit Pinnacle Quartz Raven Sierra Tempo Umbra Valor "
    "Zenith Alder Beacon Canyon Drift Everest Fable"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """The words of one category, department by department: department d owns `start[d] .. start[d] + size[d]`."""

    words: list[str]
    start: IntArray
    size: IntArray


class Lexicon:
    """Made from the seed and the number of items alone.

    Attributes (D departments, E entities, N items; entities are numbered department by department):
        entity_department, entity_head, entity_kind: (E,) int64; kind -1: the head stands alone.
        entity_start: (E + 1,) int64, where each entity's items begin in the internal order.
        demand: (E,) float64, how often an entity is asked for, summing to 1.
        words: category -> what the catalog writes (`model` and `specifications` included where finite).
        terms: (category or "head" or "kind") -> for each word, what users type instead, most usual first.
    """

    def __init__(self, seed: int, items: int) -> None:
        self.seed, self.items = seed, items
        self.departments = source.departments()
        self.rates = np.array([_rates(one) for one in self.departments])  # (D, 18)
        self._list_words()
        self._make_entities()
        taken = {part for listed in self.words.values() for text in listed for part in _parts(text)}
        taken |= {part for text in self.heads + self.kinds for part in _parts(text)}
        self.inventor = Inventor(seed, taken)
        self._name_brands()
        self._make_terms()

    def _list_words(self) -> None:
        self.listed: dict[str, Listed] = {}
        self.words: dict[str, list[str]] = {
            "color": source.COLORS.split(),
            "pattern": source.PATTERNS.split(),
            "season": source.SEASONS.split(","),
            "price": list(source.PRICES),
            "marketing": source.MARKETING.split(","),
        }
        plural = {"specifications": "units"}
        for category in LISTED:
            groups = []
            for one in self.departments:
                text = getattr(one, plural.get(category, category + "s"))
                groups.append(_measures(text) if category == "specifications" else text.split(","))
            sizes = [len(group) for group in groups]
            start = np.array([0, *accumulate(sizes)][:-1])
            self.listed[category] = Listed([word for group in groups for word in group], start, np.array(sizes))
            self.words[category] = self.listed[category].words

    def _make_entities(self) -> None:
        wanted = min(max(120, round(4 * math.sqrt(self.items))), 8000)
        self.heads = [head.replace("-", " ") for department in self.departments for head in department.heads.split()]
        self.kinds = [kind for department in self.departments for kind in department.kinds.split()]
        chosen: list[tuple[int, int, int]] = []
        pools, head_at, kind_at = [], 0, 0
        for number, department in enumerate(self.departments):
            heads = range(head_at, head_at + len(department.heads.split()))
            kinds = range(kind_at, kind_at + len(department.kinds.split()))
            head_at, kind_at = heads.stop, kinds.stop
            alone = [(number, head, -1) for head in heads]
            pairs = np.array([(head, kind) for head in heads for kind in kinds])
            order = np.argsort(bits(self.seed, "compound", pairs[:, 0], pairs[:, 1]), kind="stable")
            pools.append(alone + [(number, int(head), int(kind)) for head, kind in pairs[order]])
        quota = -(-wanted // len(pools))
        for pool in pools:
            chosen += pool[:quota]
        table = np.array(chosen, dtype=np.int64)
        self.entity_department, self.entity_head, self.entity_kind = table[:, 0], table[:, 1], table[:, 2]
        count = len(table)
        rank = np.empty(count)
        rank[np.argsort(bits(self.seed, "entity rank", np.arange(count)), kind="stable")] = np.arange(count)
        self.entity_start = np.concatenate([[0], np.cumsum(_shares(power(rank + 3.0, -0.7), self.items))])
        sizes = np.diff(self.entity_start)
        demand = sizes * exp(unit(self.seed, "demand", np.arange(count)) * 1.5)
        self.demand: FloatArray = demand / math.fsum(demand)
        self.words["entity"] = [
            (self.kinds[kind] + " " if kind >= 0 else "") + self.heads[head] for _, head, kind in chosen
        ]

    def _name_brands(self) -> None:
        departments = len(self.departments)
        each = max(4, round(3 * math.sqrt(self.items) / departments))
        self.brands_a_department = each
        self.words["brand"] = [self.inventor.word("brand").capitalize() for _ in range(each * departments)]
        extra = max(20, each * departments // 4)
        pool = _SERIES.split() + [self.inventor.word("brand").capitalize() for _ in range(extra)]
        numbers = np.arange(len(self.words["brand"]) * SERIES_A_BRAND)
        picks = bits(self.seed, "series", numbers) % np.uint64(len(pool))
        self.words["series"] = [pool[int(pick)] for pick in picks]
        self.words["location"] = [self.inventor.word("place").capitalize() for _ in range(60)]
        sellers = max(30, round(math.sqrt(self.items) / 2))
        self.words["anchor"] = [self.inventor.word("brand", 3).capitalize() for _ in range(sellers)]

    def _make_terms(self) -> None:
        draws = Draws(self.seed, "terms")
        self.terms: dict[str, list[tuple[str, ...]]] = {}
        same: dict[tuple[str, str], tuple[str, ...]] = {}
        sources = {"head": self.heads, "kind": self.kinds, **{name: self.words[name] for name in self.words}}
        for name, listed in sources.items():
            if name in ("entity", "specifications"):
                continue
            made = []
            for word in listed:
                lower = word.lower()
                if (name, lower) not in same:
                    same[name, lower] = self._terms_of(name, lower, draws)
                made.append(same[name, lower])
            self.terms[name] = made
        self.terms["specifications"] = [(word.replace(" ", ""),) for word in self.words["specifications"]]
        self._share_slang(draws)

    def _terms_of(self, name: str, word: str, draws: Draws) -> tuple[str, ...]:
        """Return what users type for `word`: invented synonyms, then an abbreviation and a usual misspelling."""
        if name in ("brand", "series", "anchor", "location"):
            return misspell(word, draws), shorten(word)
        synonyms = [self.inventor.word("slang") for _ in range(2 if name == "head" or draws.chance(0.5) else 1)]
        spare = shorten(word) if draws.chance(0.6) else misspell(word, draws)
        return (*synonyms, spare) if spare != word else tuple(synonyms)

    def _share_slang(self, draws: Draws) -> None:
        heads = self.terms["head"]
        of_department = np.concatenate([[n] * len(one.heads.split()) for n, one in enumerate(self.departments)])
        for number in range(len(heads)):
            other = draws.below(len(heads))
            if draws.chance(SHARED_SLANG) and of_department[other] != of_department[number]:
                heads[number] = (heads[other][0], *heads[number][1:])

    def spoken(self) -> set[str]:
        """Every single word that the catalog or the users may write, models and random slips aside."""
        typed = (text for made in self.terms.values() for terms in made for text in terms)
        written = (text for listed in self.words.values() for text in listed)
        return {part for texts in (typed, written) for text in texts for part in _parts(text)}


def _parts(text: str) -> list[str]:
    return text.lower().replace("-", " ").split()


def _rates(one: source.Department) -> list[float]:
    own = {name: float(rate) for name, rate in (part.split("=") for part in one.rates.split())}
    return [own.get(name, rate) for name, rate in source.RATES.items()]


def _measures(text: str) -> list[str]:
    """`ml:250,500;size:s,m` -> `250 ml`, `500 ml`, `size s`, `size m`."""
    made = []
    for group in text.split(";"):
        unit_name, values = group.split(":")
        before = unit_name in ("size", "eu", "spf")
        made += [f"{unit_name} {value}" if before else f"{value} {unit_name}" for value in values.split(",")]
    return made


def _shares(weights: FloatArray, total: int) -> IntArray:
    """Whole numbers >= 1 in proportion to `weights` that sum to `total` (total >= len(weights))."""
    spare = total - len(weights)
    exact = weights / math.fsum(weights) * spare
    whole: IntArray = exact.astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: spare - int(whole.sum())]] += 1
    return whole + 1
