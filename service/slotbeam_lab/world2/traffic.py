"""Users, sessions, what they want, what they are shown and what they choose: arrays only, no text.

A block of users is made at a time. A user keeps a brand, a price range, a style and a color in each department, a
session mostly keeps the user's; the item that a query is made for is drawn by popularity and by these, so what was
chosen before says what is wanted now. Days have a weekly rhythm and a campaign; a few users are crawlers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slotbeam.arrays import ranges
from slotbeam.types import BoolArray, FloatArray, IntArray
from slotbeam_lab.world.hashing import below, unit, zipf
from slotbeam_lab.world.options import DAYS
from slotbeam_lab.world.portable import log
from slotbeam_lab.world2.lexicon import CATEGORIES, C
from slotbeam_lab.world2.products import POPULARITY, STEADY, Products2

SHOWN, POOL = 12, 48
MOST_REQUESTS = 96
USERS_A_BLOCK = 256
CAMPAIGN = (18, 20)
"""First and last day of the campaign: one brand of one department is advertised."""
CAMPAIGN_SHARE = 0.25
"""Share of the sessions of these days that follow it."""
CRAWLERS = 0.002
"""Share of users that are crawlers: as many requests as allowed, on one day but the last, clicks by place alone."""
TASTES = {"brand": 5.0, "price": 2.5, "style": 3.0, "color": 2.0}
"""What a user keeps, and how much more (in nats) such an item is wanted."""
KEPT = 0.95
"""How often a session keeps the user's own preference."""

_WEEK = np.array([0.9, 0.85, 0.9, 0.95, 1.1, 1.4, 1.35])
"""Traffic of a day of the week; day 1 is a Monday."""
_MENTIONS = {"color": 0.8, "material": 0.7, "function": 0.7, "audience": 0.6, "specifications": 0.6, "brand": 0.5}
_MENTIONS |= {"modifier": 0.5, "scene": 0.4, "pattern": 0.4, "style": 0.3, "series": 0.3, "season": 0.3, "model": 0.25}
_MENTIONS |= {"price": 0.2, "marketing": 0.1}
_EXTRA = np.array([0.40, 0.80, 0.95, 0.99])
"""Cumulative share of queries with 0, 1, 2, 3 (else 4) words beside the head."""


@dataclass(frozen=True, slots=True)
class Requests2:
    """One block of requests, by user, then by time.

    Attributes (R requests, S = 12 items shown, best first):
        user, day: (R,) int64; day 1..31. crawler: (R,) bool.
        words: (R, 18) int64, the words of the item that the query was made for.
        said: (R, 18) bool, the categories that the query names.
        shown: (R, S) internal numbers; chosen: (R, S) int8, 0 nothing, 1 click, 2 order.
    """

    user: IntArray
    day: IntArray
    crawler: BoolArray
    words: IntArray
    said: BoolArray
    shown: IntArray
    chosen: IntArray


class Traffic2:
    """Makes blocks of requests; block b holds 256 users."""

    def __init__(self, products: Products2) -> None:
        self.products, self.lexicon, self.seed = products, products.lexicon, products.seed
        departments = len(self.lexicon.departments)
        self._ends = np.searchsorted(self.lexicon.entity_department, np.arange(departments + 1))
        self._demand = np.concatenate([[0.0], np.cumsum(self.lexicon.demand)])
        self.campaign = int(below(self.seed, "campaign", departments, 0))

    def block(self, number: int) -> Requests2:
        """Draw the requests of one block of users."""
        users: IntArray = np.arange(number * USERS_A_BLOCK, (number + 1) * USERS_A_BLOCK)
        robots = unit(self.seed, "crawler", users) < CRAWLERS
        counts = np.where(robots, MOST_REQUESTS, 1 + zipf(unit(self.seed, "activity", users), MOST_REQUESTS, 0.6))
        owner, turn = ranges(0, counts)
        user, crawler = users[owner], robots[owner]
        fresh = (turn == 0) | (unit(self.seed, "session", user, turn) < 0.3) & ~crawler
        session = np.cumsum(fresh) - 1
        day = self._days(user[fresh])[session]
        day = np.where(crawler, np.minimum(day, DAYS - 1), day)  # the last day is the test's
        session = session - session[np.searchsorted(user, user)]
        advertised = (day >= CAMPAIGN[0]) & (day <= CAMPAIGN[1])
        advertised &= unit(self.seed, "follows", user, session) < CAMPAIGN_SHARE
        entity = self._entities(user, session, turn, crawler, advertised)
        liked = self._preferences(user, session, entity, advertised)
        target, words = self._targets(user, turn, day, entity, liked)
        said = self._mentions(user, turn, words)
        shown, chosen = self._choices(user, turn, day, entity, target, words, said, liked, crawler)
        return Requests2(user, day, crawler, words, said, shown, chosen)

    def _days(self, user: IntArray) -> IntArray:
        """(sessions,) days, rising inside a user."""
        busy = np.cumsum(_WEEK[np.arange(DAYS) % 7])
        nth = np.arange(len(user)) - np.searchsorted(user, user)
        drawn = np.searchsorted(busy, unit(self.seed, "day", user, nth) * busy[-1], side="right")
        rising: IntArray = drawn[np.lexsort((drawn, user))]
        return np.minimum(rising, DAYS - 1) + 1

    def _entities(
        self, user: IntArray, session: IntArray, turn: IntArray, crawler: BoolArray, advertised: BoolArray
    ) -> IntArray:
        """(R,) what each request is about; a third of a session's requests turn to another entity of the department."""
        second = (unit(self.seed, "department", user, session) > 0.8).astype(np.int64)
        weight = unit(self.seed, "department of", user, np.where(crawler, turn, second))
        somewhere = np.searchsorted(self._demand[:-1], weight, side="right") - 1
        department = np.where(advertised, self.campaign, self.lexicon.entity_department[somewhere])
        place = unit(self.seed, "entity", user, session)
        wander = unit(self.seed, "wander", user, turn) < 0.35
        return self._entity_at(department, np.where(wander, unit(self.seed, "wander to", user, turn), place))

    def _entity_at(self, department: IntArray, place: FloatArray) -> IntArray:
        low, high = self._demand[self._ends[department]], self._demand[self._ends[department + 1]]
        found = np.searchsorted(self._demand, low + place * (high - low), side="right") - 1
        entity: IntArray = np.clip(found, self._ends[department], self._ends[department + 1] - 1)
        return entity

    def _preferences(
        self, user: IntArray, session: IntArray, entity: IntArray, advertised: BoolArray
    ) -> dict[str, IntArray]:
        """Category → (R,) the word that each request's user likes now, as far as anything has it."""
        department = self.lexicon.entity_department[entity]
        liked = {}
        for name in TASTES:
            own = unit(self.seed, "keeps " + name, user, session) < KEPT
            drawn = unit(self.seed, "likes " + name, user, department, np.where(own, -1, session))
            if name == "brand":
                campaign = np.where(advertised, 2, zipf(drawn, self.lexicon.brands, 0.5))
                liked[name] = department * self.lexicon.brands + campaign
            elif name == "style":
                size = self.lexicon.size[name][department]
                liked[name] = self.lexicon.start[name][department] + (drawn * size).astype(np.int64)
            else:
                liked[name] = (drawn * len(self.lexicon.words[name])).astype(np.int64)
        return liked

    def _liking(self, liked: dict[str, IntArray], words: IntArray) -> FloatArray:
        """(R, n) how much each request's user likes items whose words are (R, n, 18), in nats."""
        each = [weight * (words[..., C[name]] == liked[name][:, None]) for name, weight in TASTES.items()]
        total: FloatArray = each[0] + each[1] + each[2] + each[3]
        return total

    def _sample(self, name: str, user: IntArray, turn: IntArray, entity: IntArray, count: int) -> IntArray:
        """(R, count) items of each request's entity, drawn by popularity; the first is one that never leaves."""
        start, end = self.lexicon.entity_start[entity], self.lexicon.entity_start[entity + 1]
        size = np.repeat((end - start)[:, None], count, axis=1)
        size[:, 0] = np.minimum(size[:, 0], STEADY)
        draws = unit(self.seed, name, user[:, None], turn[:, None], np.arange(count))
        return start[:, None] + zipf(draws, size, POPULARITY)

    def _there(self, items: IntArray, day: IntArray) -> BoolArray:
        arrives, leaves = self.products.days(items)
        return (arrives <= day[:, None]) & (day[:, None] < leaves)

    def _targets(
        self, user: IntArray, turn: IntArray, day: IntArray, entity: IntArray, liked: dict[str, IntArray]
    ) -> tuple[IntArray, IntArray]:
        pool = self._sample("pool", user, turn, entity, POOL)
        words = self.products.attributes(pool)
        noise = -log(-log(unit(self.seed, "whim", user[:, None], turn[:, None], np.arange(POOL)) + 1e-12))
        score = np.where(self._there(pool, day), self._liking(liked, words) + 0.7 * noise, -np.inf)
        best, row = np.argmax(score, axis=1), np.arange(len(user))
        return pool[row, best], words[row, best]

    def _mentions(self, user: IntArray, turn: IntArray, words: IntArray) -> BoolArray:
        """(R, 18) which words of the target the query names: the most telling first, few in all."""
        weights = np.array([_MENTIONS.get(name, 1e-9) for name in CATEGORIES])
        drawn = unit(self.seed, "mention", user[:, None], turn[:, None], np.arange(len(CATEGORIES)))
        score = np.where(words >= 0, log(weights) - log(-log(drawn + 1e-12)), -np.inf)
        score[:, C["entity"]] = -np.inf
        extra = np.searchsorted(_EXTRA, unit(self.seed, "extra", user, turn), side="right")
        nameless = unit(self.seed, "nameless", user, turn) < 0.05
        extra = np.where(nameless, np.maximum(extra, 2), extra)
        rank = np.argsort(np.argsort(-score, axis=1, kind="stable"), axis=1, kind="stable")
        said: BoolArray = (rank < extra[:, None]) & np.isfinite(score)
        said[:, C["entity"]] = ~nameless
        said[:, C["brand"]] |= nameless
        return said

    def _choices(
        self,
        user: IntArray,
        turn: IntArray,
        day: IntArray,
        entity: IntArray,
        target: IntArray,
        words: IntArray,
        said: BoolArray,
        liked: dict[str, IntArray],
        crawler: BoolArray,
    ) -> tuple[IntArray, IntArray]:
        """Choose what is shown, best first, and what is clicked (1) or ordered (2)."""
        shown = self._sample("shown", user, turn, entity, SHOWN)
        shown[:, 0] = target
        family = self.products.family(target)
        sibling = family + below(self.seed, "sibling", 4, user, turn)
        shown[:, -2] = np.where(sibling < self.lexicon.entity_start[entity + 1], sibling, target)
        stray = self._entity_at(self.lexicon.entity_department[entity], unit(self.seed, "stray", user, turn))
        shown[:, -1] = self._sample("stray item", user, turn, stray, 1)[:, 0]
        seen = self.products.attributes(shown)  # (R, S, 18)
        asked = said[:, None, :]
        fit = ((seen == words[:, None, :]) & asked).sum(axis=2) / asked.sum(axis=2)
        fit[:, -1] *= stray == entity
        liking = self._liking(liked, seen)
        keys = (user[:, None], turn[:, None], np.arange(SHOWN))
        score = 3.0 * fit + 0.2 * liking + unit(self.seed, "order noise", *keys)
        score[_repeated(shown) | ~self._there(shown, day)] = -np.inf
        order = np.argsort(-score, axis=1, kind="stable")
        shown, fit, liking = (np.take_along_axis(one, order, axis=1) for one in (shown, fit, liking))
        real = np.isfinite(np.take_along_axis(score, order, axis=1))
        looked = 1.0 / (1.0 + 0.3 * np.arange(SHOWN))
        pull = np.where(fit > 0.999, 0.02 + 0.1 * np.minimum(liking, 7.0), np.where(fit >= 0.5, 0.015, 0.003))
        clicked = real & (unit(self.seed, "click", *keys) < looked * pull)
        clicked &= np.cumsum(clicked, axis=1) <= 3
        ordered = clicked & (unit(self.seed, "buy", *keys) < 0.10 + 0.05 * liking)
        robotic = real & crawler[:, None] & (np.arange(SHOWN) % 4 == turn[:, None] % 4)
        clicked, ordered = np.where(crawler[:, None], robotic, clicked), ordered & ~crawler[:, None]
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
