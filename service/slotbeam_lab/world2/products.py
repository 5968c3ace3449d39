"""What every item is, and what its seller says that it is: pure functions of its internal number.

Internal numbers are entity by entity, most popular first inside an entity. Eight neighbours are cut into families: one
product in several colors, sizes, packs, with model numbers that differ in the last digit. Some families are another
seller's copies of the family before them. Public numbers (the order of the file and the ids) are a permutation.
"""

from __future__ import annotations

from math import gcd

import numpy as np

from slotbeam.types import BoolArray, FloatArray, IntArray
from slotbeam_lab.world.hashing import below, bits, unit, zipf
from slotbeam_lab.world.portable import exp, power
from slotbeam_lab.world2.lexicon import CATEGORIES, COMMON, LISTED, SERIES_A_BRAND, C, Lexicon2

POPULARITY = 0.75
"""Exponent of the Zipf law of items inside an entity."""
COPIES, WRONG, MISFILED = 0.08, 0.07, 0.03
"""Share of families that are copies, of attribute values that are wrong, of items under another entity."""
MISSING = {"entity": 0.15, "brand": 0.10, "series": 0.3, "model": 0.3, "color": 0.22, "specifications": 0.25}
"""Share of attribute values that the seller left out; 0.32 for the others."""
STEADY = 8
"""So many most popular items of an entity never leave."""

_FAMILIES = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 4, 4, 4, 4],
        [0, 0, 0, 3, 3, 3, 3, 3],
        [0, 0, 2, 2, 2, 5, 5, 7],
        [0, 1, 1, 1, 4, 4, 6, 6],
        [0, 1, 2, 3, 4, 5, 6, 7],
    ]
)
"""Ways to cut eight neighbours: for each the first of its family."""
_TIERS = np.array([0.5, 0.75, 1.0, 1.6, 2.8])
_RATES = {
    "material": 0.8,
    "style": 0.6,
    "function": 0.7,
    "audience": 0.5,
    "color": 0.85,
    "scene": 0.4,
    "modifier": 0.25,
}
_RATES |= {"specifications": 0.8, "model": 0.5, "series": 0.6, "marketing": 0.12, "season": 0.1, "pattern": 0.15}
_RATES |= {"location": 0.0, "anchor": 0.0}
"""Share of families that have a word of a category; brand, price and entity always."""
_VARIED = ("color", "specifications", "modifier")


class Products2:
    """Attributes, prices, popularity and days of the items of one world."""

    def __init__(self, lexicon: Lexicon2) -> None:
        self.lexicon, self.seed, self.items = lexicon, lexicon.seed, lexicon.items
        step = int(self.items * 0.6180339887) | 1
        while gcd(step, self.items) != 1:
            step += 2
        self._step, self._shift = step, self.items // 3
        self._back = pow(step, -1, self.items)
        self._rates = np.array([_RATES.get(name, 1.0) for name in CATEGORIES])
        self._missing = np.array([MISSING.get(name, 0.32) for name in CATEGORIES])

    def internal(self, public: IntArray) -> IntArray:
        """Return internal numbers of public ones."""
        return (public * self._step + self._shift) % self.items

    def public(self, internal: IntArray) -> IntArray:
        """Public numbers of internal ones."""
        return (internal - self._shift) % self.items * self._back % self.items

    def entity(self, internal: IntArray) -> IntArray:
        """Entity numbers, the shape of `internal`."""
        return np.searchsorted(self.lexicon.entity_start, internal, side="right") - 1

    def family(self, internal: IntArray) -> IntArray:
        """Return the first item of each item's family, the shape of `internal`."""
        place = internal - self.lexicon.entity_start[self.entity(internal)]
        within, block = place % 8, internal - place % 8
        first: IntArray = block + _FAMILIES[below(self.seed, "families", len(_FAMILIES), block), within]
        return first

    def attributes(self, internal: IntArray) -> IntArray:
        """Return what items are, by category.

        Args:
            internal: (...,) internal item numbers.

        Returns:
            (..., 18) int64 word numbers in the order of `CATEGORIES`; -1 where the item has no word. A model is
            `series * 10000 + number`.
        """
        distinct, place = np.unique(internal, return_inverse=True)  # popular items are asked for again and again
        return self._attributes(distinct)[place.reshape(internal.shape)]

    def _attributes(self, internal: IntArray) -> IntArray:
        """(n, 18) of distinct items (n,)."""
        seed, lexicon = self.seed, self.lexicon
        entity, first = self.entity(internal), self.family(internal)
        department, variant = lexicon.entity_department[entity], internal - first
        block = first - (first - lexicon.entity_start[entity]) % 8
        family = np.where(unit(seed, "copy", first) < COPIES, block, first)
        numbers = np.full((len(internal), len(CATEGORIES)), -1, dtype=np.int64)
        numbers[:, C["entity"]] = entity
        brand = self.brand(department, zipf(unit(seed, "brand", family), lexicon.brands, 0.9), entity)
        series = brand * SERIES_A_BRAND + below(seed, "series of", SERIES_A_BRAND, family)
        numbers[:, C["brand"]], numbers[:, C["series"]] = brand, series
        numbers[:, C["model"]] = series * 10_000 + 1000 + 10 * below(seed, "model", 900, family) + variant
        free = unit(seed, "tier free", family) < 0.4
        tier = below(seed, "tier", len(_TIERS), family)
        numbers[:, C["price"]] = np.where(free, tier, below(seed, "tier of", len(_TIERS), brand))
        for name in (*LISTED, *COMMON):
            if name == "price":
                continue
            start, size = self._range(name, department)
            turn = below(seed, "turn " + name, size, entity if name in LISTED else department)
            drawn = zipf(unit(seed, name, family), size, 0.8)
            moved = variant if name == "color" else variant // 2 if name in _VARIED else 0
            numbers[:, C[name]] = start + (turn + drawn + moved) % size
        columns = np.arange(len(CATEGORIES))
        return np.where(unit(seed, "has", family[:, None], columns) < self._rates, numbers, -1)

    def brand(self, department: IntArray, nth: IntArray, entity: IntArray) -> IntArray:
        """Return the nth usual brand of a department; in a fifth of the entities the usual ones are others."""
        each = self.lexicon.brands
        turn = np.where(unit(self.seed, "own brands", entity) < 0.2, below(self.seed, "brands of", each, entity), 0)
        return department * each + (nth + turn) % each

    def claimed(self, internal: IntArray, table: IntArray) -> tuple[IntArray, BoolArray]:
        """Return (n, 18) what the seller says (-1: nothing) of items with `attributes` `table`, and where it lies."""
        columns, rows = np.arange(len(CATEGORIES)), internal[:, None]
        wrong = (unit(self.seed, "wrong", rows, columns) < WRONG) & (table >= 0)
        for name in ("brand", "series", "model", "price"):
            wrong[:, C[name]] = False
        said = table.copy()
        department = self.lexicon.entity_department[table[:, C["entity"]]]
        for name in (*LISTED, *COMMON):
            start, size = self._range(name, department)
            other = start + (table[:, C[name]] - start + 1 + below(self.seed, "lie " + name, size - 1, internal)) % size
            said[:, C[name]] = np.where(wrong[:, C[name]], other, table[:, C[name]])
        wrong[:, C["entity"]] = unit(self.seed, "misfiled", internal) < MISFILED
        ends = np.searchsorted(self.lexicon.entity_department, [department, department + 1])
        filed = ends[0] + below(self.seed, "filed", ends[1] - ends[0], internal)
        said[:, C["entity"]] = np.where(wrong[:, C["entity"]], filed, table[:, C["entity"]])
        kept = unit(self.seed, "left out", rows, columns) >= self._missing
        return np.where(kept, said, -1), wrong & kept

    def prices(self, internal: IntArray, table: IntArray) -> FloatArray:
        """(n,) prices in currency units, ending in .99, of items whose `attributes` are `table`."""
        entity = table[:, C["entity"]]
        base = np.array([one.price for one in self.lexicon.departments])[self.lexicon.entity_department[entity]]
        spread = exp(unit(self.seed, "entity price", entity) * 1.6 - 0.8)
        noise = 0.9 + 0.2 * unit(self.seed, "price", internal)
        price: FloatArray = np.floor(base * spread * noise * _TIERS[table[:, C["price"]]])
        return np.maximum(price, 1.0) - 0.01

    def popularity(self, internal: IntArray) -> IntArray:
        """(n,) what last season's sales were: the latent popularity, with noise; 0 for what arrives later."""
        entity = self.entity(internal)
        rank = internal - self.lexicon.entity_start[entity]
        size = np.diff(self.lexicon.entity_start)[entity]
        share = power(rank + 1.0, -POPULARITY) / power(size, 1 - POPULARITY) * (1 - POPULARITY)
        noise = exp(1.2 * unit(self.seed, "sales", internal) - 0.6)
        sales: IntArray = np.floor(self.lexicon.demand[entity] * share * self.items * 20 * noise).astype(np.int64)
        return np.where(self.days(internal)[0] > 0, 0, sales)

    def days(self, internal: IntArray) -> tuple[IntArray, IntArray]:
        """Return the day on which each item arrives (0: was there) and the day after its last (32: stays)."""
        rank = internal - self.lexicon.entity_start[self.entity(internal)]
        fate, day = unit(self.seed, "fate", internal), 2 + below(self.seed, "day of", 30, internal)
        moving = rank >= STEADY
        return np.where(moving & (fate < 0.08), day, 0), np.where(moving & (fate > 0.93), day, 32)

    def text_choice(self, internal: IntArray) -> IntArray:
        """(n,) 64 random bits an item, for where and in which order its words are written."""
        return bits(self.seed, "text", internal)

    def _range(self, name: str, department: IntArray) -> tuple[IntArray, IntArray]:
        if name in LISTED:
            return self.lexicon.start[name][department], self.lexicon.size[name][department]
        return np.zeros_like(department), np.full_like(department, len(self.lexicon.words[name]))
