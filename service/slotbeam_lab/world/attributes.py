"""What every item is: a pure function of its internal number, for any numbers in any order.

Internal numbers are entity by entity, most popular first inside an entity. Public numbers (the order of the file and
the ids) are a permutation of them, so that neither id nor place in the file tells what an item is.
"""

from __future__ import annotations

from math import gcd

import numpy as np

from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.world.hashing import below, bits, unit, zipf
from slotbeam_lab.world.lexicon import BRANDS_AN_ENTITY, CATEGORIES, LISTED, SERIES_A_BRAND, C, Lexicon
from slotbeam_lab.world.portable import exp, power
from slotbeam_lab.world.words import PRICES

_TIERS = np.array([0.5, 0.75, 1.0, 1.6, 2.8])
_SHARED = ("color", "pattern", "season", "marketing", "location", "anchor")
POPULARITY = 0.75
"""Exponent of the Zipf law of items inside an entity."""


class Products:
    """Attributes, prices and popularity of the items of one world."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon, self.seed, self.items = lexicon, lexicon.seed, lexicon.items
        step = int(self.items * 0.6180339887) | 1
        while gcd(step, self.items) != 1:
            step += 2
        self._step, self._shift = step, self.items // 3
        self._back = pow(step, -1, self.items)

    def internal(self, public: IntArray) -> IntArray:
        """Return internal numbers of public ones."""
        return (public * self._step + self._shift) % self.items

    def public(self, internal: IntArray) -> IntArray:
        """Public numbers of internal ones."""
        return (internal - self._shift) % self.items * self._back % self.items

    def entity(self, internal: IntArray) -> IntArray:
        """Entity numbers, the shape of `internal`."""
        return np.searchsorted(self.lexicon.entity_start, internal, side="right") - 1

    def attributes(self, internal: IntArray) -> IntArray:
        """Word numbers by category.

        Args:
            internal: (...,) internal item numbers.

        Returns:
            (..., 18) int64 in the order of `CATEGORIES`; -1 where the item has no word. A model is
            `series * 1000 + number`.
        """
        distinct, place = np.unique(internal, return_inverse=True)  # popular items are asked for again and again
        return self._attributes(distinct)[place.reshape(internal.shape)]

    def _attributes(self, internal: IntArray) -> IntArray:
        """(n, 18) of distinct items (n,)."""
        lexicon, entity = self.lexicon, self.entity(internal)
        department = lexicon.entity_department[entity]
        numbers = np.full((len(internal), len(CATEGORIES)), -1, dtype=np.int64)
        numbers[:, C["entity"]] = entity
        brand = self._brand(internal, entity, department)
        own = below(self.seed, "series of", SERIES_A_BRAND, brand, entity)
        other = below(self.seed, "series other", SERIES_A_BRAND, internal)
        series = brand * SERIES_A_BRAND + np.where(unit(self.seed, "series own", internal) < 0.7, own, other)
        numbers[:, C["brand"]], numbers[:, C["series"]] = brand, series
        numbers[:, C["model"]] = series * 1000 + 100 + below(self.seed, "model", 900, internal)
        numbers[:, C["price"]] = self._tier(internal, brand)
        for name in LISTED:
            listed = lexicon.listed[name]
            size = listed.size[department]
            turn = below(self.seed, "turn " + name, size, entity)
            local = (turn + zipf(unit(self.seed, name, internal), size, 1.1)) % size
            numbers[:, C[name]] = listed.start[department] + local
        for name in _SHARED:
            size = np.asarray(len(lexicon.words[name]))
            turn = below(self.seed, "turn " + name, size, department if name != "location" else brand)
            numbers[:, C[name]] = (turn + zipf(unit(self.seed, name, internal), size, 0.8)) % size
        columns = np.arange(len(CATEGORIES))
        has = unit(self.seed, "has", internal[:, None], columns) < lexicon.rates[department]
        return np.where(has, numbers, -1)

    def prices(self, internal: IntArray) -> FloatArray:
        """(n,) prices in currency units, ending in .99."""
        entity = self.entity(internal)
        department = self.lexicon.entity_department[entity]
        base = np.array([one.price for one in self.lexicon.departments])[department]
        spread = exp(unit(self.seed, "entity price", entity) * 1.6 - 0.8)
        noise = 0.9 + 0.2 * unit(self.seed, "price", internal)
        brand = self._brand(internal, entity, department)
        price: FloatArray = np.floor(base * spread * noise * _TIERS[self._tier(internal, brand)])
        return np.maximum(price, 1.0) - 0.01

    def popularity(self, internal: IntArray) -> IntArray:
        """(n,) what last season's sales were: the latent popularity, with noise."""
        entity = self.entity(internal)
        rank = internal - self.lexicon.entity_start[entity]
        size = np.diff(self.lexicon.entity_start)[entity]
        share = power(rank + 1.0, -POPULARITY) / power(size, 1 - POPULARITY) * (1 - POPULARITY)
        noise = exp(1.2 * unit(self.seed, "sales", internal) - 0.6)
        sales: IntArray = np.floor(self.lexicon.demand[entity] * share * self.items * 20 * noise).astype(np.int64)
        return sales

    def text_choice(self, internal: IntArray) -> IntArray:
        """(n,) 64 random bits an item, for where and in which order its words are written."""
        return bits(self.seed, "text", internal)

    def _brand(self, internal: IntArray, entity: IntArray, department: IntArray) -> IntArray:
        each = self.lexicon.brands_a_department
        nth = zipf(unit(self.seed, "brand", internal), min(BRANDS_AN_ENTITY, each), 0.9)
        brand: IntArray = department * each + below(self.seed, "brand of", each, entity, nth)
        return brand

    def _tier(self, internal: IntArray, brand: IntArray) -> IntArray:
        usual = below(self.seed, "tier of", len(PRICES), brand)
        free = below(self.seed, "tier", len(PRICES), internal)
        return np.where(unit(self.seed, "tier free", internal) < 0.7, usual, free)
