"""Users, sessions, what they want, what they are shown and what they choose: arrays only, no text.

A block of users is made at a time. A user has a few departments and favourite entities and a lasting taste (brands,
colors, audience, price); a session stays with one need and words it again; the one whom a query is made for is drawn by
popularity and taste; of the items shown, better ones stand higher, and higher ones are looked at more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slotbeam.arrays import ranges
from slotbeam.types import BoolArray, FloatArray, IntArray
from slotbeam_lab.world.attributes import POPULARITY, Products
from slotbeam_lab.world.hashing import below, unit, zipf
from slotbeam_lab.world.lexicon import CATEGORIES, C
from slotbeam_lab.world.options import DAYS
from slotbeam_lab.world.portable import log

SHOWN = 12
MOST_REQUESTS = 96
USERS_A_BLOCK = 256
_TASTES = {"brand": 1.6, "color": 1.0, "audience": 1.4, "price": 0.8, "material": 0.6, "style": 0.8}
_MENTIONS = {
    "brand": 1.0,
    "color": 0.9,
    "material": 0.7,
    "function": 0.7,
    "audience": 0.7,
    "specifications": 0.6,
    "modifier": 0.5,
    "series": 0.5,
    "style": 0.4,
    "scene": 0.4,
    "model": 0.25,
    "pattern": 0.4,
    "season": 0.3,
    "marketing": 0.1,
    "price": 0.2,
    "location": 0.15,
    "anchor": 0.15,
}
_EXTRA = np.array([0.22, 0.60, 0.87, 0.97])
"""Cumulative share of queries with 0, 1, 2, 3 (else 4) words beside the entity."""


@dataclass(frozen=True, slots=True)
class Requests:
    """One block of requests, by user, then by time.

    Attributes (R requests, S = 12 items shown, best first):
        user, day: (R,) int64; day 1..31.
        target: (R,) internal number of the item that the query was made for.
        words: (R, 18) int64, the target's words.
        said: (R, 18) bool, the categories that the query names.
        shown: (R, S) internal numbers; chosen: (R, S) int8, 0 nothing, 1 click, 2 order.
    """

    user: IntArray
    day: IntArray
    target: IntArray
    words: IntArray
    said: BoolArray
    shown: IntArray
    chosen: IntArray


class Traffic:
    """Makes blocks of requests; block b holds 256 users."""

    def __init__(self, products: Products) -> None:
        self.products, self.lexicon, self.seed = products, products.lexicon, products.seed
        departments = len(self.lexicon.departments)
        self._ends = np.searchsorted(self.lexicon.entity_department, np.arange(departments + 1))
        self._demand = np.concatenate([[0.0], np.cumsum(self.lexicon.demand)])

    def block(self, number: int) -> Requests:
        """Draw the requests of one block of users."""
        users: IntArray = np.arange(number * USERS_A_BLOCK, (number + 1) * USERS_A_BLOCK)
        counts = 1 + zipf(unit(self.seed, "activity", users), MOST_REQUESTS, 0.6)
        owner, turn = ranges(0, counts)
        user: IntArray = users[owner]
        fresh = (turn == 0) | (unit(self.seed, "session", user, turn) < 0.45)
        session = np.cumsum(fresh) - 1
        day = self._days(user[fresh])[session]
        session = session - session[np.searchsorted(user, user)]
        entity = self._entities(user, session, turn)
        target, words = self._targets(user, turn, entity)
        said = self._mentions(user, turn, words)
        shown, chosen = self._choices(user, turn, entity, target, words, said)
        return Requests(user, day, target, words, said, shown, chosen)

    def _days(self, user: IntArray) -> IntArray:
        """(sessions,) days, rising inside a user."""
        drawn = below(self.seed, "day", DAYS, user, np.arange(len(user)) - np.searchsorted(user, user))
        return np.add(drawn[np.lexsort((drawn, user))], 1)

    def _entities(self, user: IntArray, session: IntArray, turn: IntArray) -> IntArray:
        """(R,) what each request is about; a quarter of a session's requests turn to another entity nearby."""
        pick = unit(self.seed, "department", user, session)
        weight = unit(self.seed, "department of", user, (pick > 0.6).astype(np.int64) + (pick > 0.85))
        somewhere = np.searchsorted(self._demand[:-1], weight, side="right") - 1
        department = self.lexicon.entity_department[somewhere]
        favourite = unit(self.seed, "favourite", user, session) < 0.35
        nth = below(self.seed, "which", 3, user, session)
        loved = unit(self.seed, "favourites", user, department, nth)
        other = unit(self.seed, "entity", user, session)
        place = np.where(favourite, loved, other)
        wander = unit(self.seed, "wander", user, turn) < 0.25
        place = np.where(wander, unit(self.seed, "wander to", user, turn), place)
        return self._entity_at(department, place)

    def _entity_at(self, department: IntArray, place: FloatArray) -> IntArray:
        low, high = self._demand[self._ends[department]], self._demand[self._ends[department + 1]]
        found = np.searchsorted(self._demand, low + place * (high - low), side="right") - 1
        entity: IntArray = np.clip(found, self._ends[department], self._ends[department + 1] - 1)
        return entity

    def _taste(self, user: IntArray, words: IntArray) -> FloatArray:
        """How much each user likes each item: `words` (..., 18) with `user` broadcast over (...,)."""
        liking = np.zeros(words.shape[:-1])
        for name, weight in _TASTES.items():
            value = words[..., C[name]]
            liked = unit(self.seed, "taste " + name, user, np.maximum(value, 0))
            liking += np.where(value >= 0, weight * (liked * liked * liked), 0.0)
        return liking

    def _sample(self, name: str, user: IntArray, turn: IntArray, entity: IntArray, count: int) -> IntArray:
        """(R, count) items of each request's entity, drawn by popularity."""
        size = (self.lexicon.entity_start[entity + 1] - self.lexicon.entity_start[entity])[:, None]
        draws = unit(self.seed, name, user[:, None], turn[:, None], np.arange(count))
        return self.lexicon.entity_start[entity][:, None] + zipf(draws, size, POPULARITY)

    def _targets(self, user: IntArray, turn: IntArray, entity: IntArray) -> tuple[IntArray, IntArray]:
        pool = self._sample("pool", user, turn, entity, 8)
        words = self.products.attributes(pool)
        noise = -log(-log(unit(self.seed, "whim", user[:, None], turn[:, None], np.arange(8)) + 1e-12))
        best = np.argmax(2.0 * self._taste(user[:, None], words) + 0.7 * noise, axis=1)
        row = np.arange(len(user))
        return pool[row, best], words[row, best]

    def _mentions(self, user: IntArray, turn: IntArray, words: IntArray) -> BoolArray:
        """(R, 18) which words of the target the query names: the most telling first, few in all."""
        weights = np.array([_MENTIONS.get(name, 1e-9) for name in CATEGORIES])
        drawn = unit(self.seed, "mention", user[:, None], turn[:, None], np.arange(len(CATEGORIES)))
        score = np.where(words >= 0, log(weights) - log(-log(drawn + 1e-12)), -np.inf)
        score[:, C["entity"]] = -np.inf
        extra = np.searchsorted(_EXTRA, unit(self.seed, "extra", user, turn), side="right")
        nameless = unit(self.seed, "nameless", user, turn) < 0.08
        extra = np.where(nameless, np.maximum(extra, 2), extra)
        rank = np.argsort(np.argsort(-score, axis=1, kind="stable"), axis=1, kind="stable")
        said: BoolArray = (rank < extra[:, None]) & np.isfinite(score)
        said[:, C["entity"]] = ~nameless
        said[:, C["brand"]] |= nameless
        return said

    def _choices(
        self, user: IntArray, turn: IntArray, entity: IntArray, target: IntArray, words: IntArray, said: BoolArray
    ) -> tuple[IntArray, IntArray]:
        """Choose what is shown, best first, and what is clicked (1) or ordered (2)."""
        shown = self._sample("shown", user, turn, entity, SHOWN)
        shown[:, 0] = target
        stray = self._entity_at(self.lexicon.entity_department[entity], unit(self.seed, "stray", user, turn))
        shown[:, -1] = self._sample("stray item", user, turn, stray, 1)[:, 0]
        seen = self.products.attributes(shown)  # (R, S, 18)
        asked = said[:, None, :]
        fit = ((seen == words[:, None, :]) & asked).sum(axis=2) / asked.sum(axis=2)
        fit[:, -1] *= stray == entity
        liking = self._taste(user[:, None], seen)
        keys = (user[:, None], turn[:, None], np.arange(SHOWN))
        score = 3.0 * fit + 0.5 * liking + unit(self.seed, "order noise", *keys)
        score[_repeated(shown)] = -np.inf
        order = np.argsort(-score, axis=1, kind="stable")
        shown, fit, liking = (np.take_along_axis(one, order, axis=1) for one in (shown, fit, liking))
        real = np.isfinite(np.take_along_axis(score, order, axis=1))
        looked = 1.0 / (1.0 + 0.35 * np.arange(SHOWN))
        pull = np.where(fit > 0.999, 0.30 + 0.12 * liking, np.where(fit >= 0.5, 0.06, 0.01))
        clicked = real & (unit(self.seed, "click", *keys) < looked * pull)
        clicked &= np.cumsum(clicked, axis=1) <= 3
        ordered = clicked & (unit(self.seed, "buy", *keys) < 0.12 + 0.06 * liking)
        return shown, clicked.astype(np.int8) + ordered


def _repeated(shown: IntArray) -> BoolArray:
    """(R, S) true where an item stands earlier in its row."""
    order = np.argsort(shown, axis=1, kind="stable")
    ranked = np.take_along_axis(shown, order, axis=1)
    again = np.zeros(shown.shape, dtype=bool)
    again[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    repeated = np.empty_like(again)
    np.put_along_axis(repeated, order, again, axis=1)
    return repeated
