"""What world 2 allows at best, and what histories are worth in it: a ranker that knows the latent model.

The oracle knows what every word of a query means, what every item truly is and how users choose; it does not know the
user. With the history it infers what the user keeps (brand, price range, style, color) and which department is meant.
`python -m slotbeam_lab.measures.oracle --items 100000` prints its figures on the clicks of the test day.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.measures.run import bootstrap_ratio
from slotbeam_lab.world.hashing import bits
from slotbeam_lab.world.options import DAYS
from slotbeam_lab.world.portable import exp, log
from slotbeam_lab.world2.lexicon import C, Lexicon2
from slotbeam_lab.world2.make import RECENT_ITEMS, first
from slotbeam_lab.world2.options import World2Options
from slotbeam_lab.world2.products import POPULARITY, Products2
from slotbeam_lab.world2.traffic import TASTES, Traffic2
from slotbeam_lab.world2.typist import KIND_SAID, Typist2

KS = (10, 100, 350)
_MISFIT = -12.0
"""Log-probability of an item that lacks a word of the query."""
_SEEN = {"brand": 2.0, "price": 1.1, "style": 1.2, "color": 1.0}
"""How much likelier (in nats) a chosen item makes it that its word is the user's own."""


@dataclass(frozen=True, slots=True)
class Meant:
    """One click: `head` is the term that named the product, `kind` whether its kind was said; (18,) words and said."""

    head: str
    kind: bool
    words: IntArray
    said: IntArray
    recent: tuple[int, ...]
    clicked: int


def clicks_of(traffic: Traffic2, typist: Typist2, requests: int, day: int = DAYS) -> Iterator[Meant]:
    """Yield the clicks of one day, crawlers' aside, in the order of users."""
    block = 0
    while requests > 0:
        made = first(traffic.block(block), requests)
        block, requests = block + 1, requests - len(made.user)
        turn = np.arange(len(made.user)) - np.searchsorted(made.user, made.user)
        mood = bits(traffic.seed, "mood", made.user, turn)
        kind = (mood >> np.uint64(24) & np.uint64(255)).astype(np.float64) < KIND_SAID * 256
        heads = [head for _, head in typist.queries(made.user, turn, made.words, made.said)]
        last, recent = -1, list[int]()
        for row, user in enumerate(made.user.tolist()):
            if user != last:
                last, recent = user, []
            chosen = made.shown[row][made.chosen[row] > 0].tolist()
            if made.day[row] == day and not made.crawler[row]:
                for item, how in zip(chosen, made.chosen[row][made.chosen[row] > 0].tolist(), strict=True):
                    if how == 1:
                        history = tuple(recent[-RECENT_ITEMS:])
                        yield Meant(heads[row], bool(kind[row]), made.words[row], made.said[row], history, item)
            recent += chosen


class Oracle:
    """Ranks the items of a world by how likely a click is.

    Args:
        products: of the world; their attributes are all held, (N, 18) int32.
    """

    def __init__(self, products: Products2) -> None:
        lexicon = products.lexicon
        self.products, self.lexicon = products, lexicon
        numbers = np.arange(products.items)
        self.table = products.attributes(numbers).astype(np.int32)
        entity = self.table[:, C["entity"]]
        self.department = lexicon.entity_department[entity]
        rank = (numbers - lexicon.entity_start[entity] + 1).astype(np.float64)
        arrives, leaves = products.days(numbers)
        self.there = (arrives <= DAYS) & (leaves > DAYS)
        size = np.diff(lexicon.entity_start)[entity].astype(np.float64)
        self.prior: FloatArray = log(lexicon.demand[entity]) - POPULARITY * log(rank) - (1 - POPULARITY) * log(size)
        self.heads = _heads(lexicon)

    def candidates(self, meant: Meant) -> IntArray:
        """Return the items that the query's head may mean; without a head, those of its brand."""
        if not meant.head:
            return np.flatnonzero(self.there & (self.table[:, C["brand"]] == meant.words[C["brand"]]))
        entities = np.flatnonzero(np.isin(self.lexicon.entity_head, self.heads[meant.head]))
        spans = [np.arange(*self.lexicon.entity_start[one : one + 2].tolist()) for one in entities.tolist()]
        items: IntArray = np.concatenate(spans)
        there: IntArray = items[self.there[items]]
        return there

    def rank(self, meant: Meant, recent: Sequence[int]) -> IntArray:
        """Return internal numbers, best first; equal ones in internal order."""
        items = self.candidates(meant)
        said = np.flatnonzero(meant.said & (np.arange(len(meant.said)) != C["entity"]))
        rows = self.table[items]
        score = self.prior[items] + _MISFIT * (rows[:, said] != meant.words[said]).sum(axis=1)
        if meant.head and meant.kind:
            kinds = self.lexicon.entity_kind[rows[:, C["entity"]]]
            score += _MISFIT * (kinds != self.lexicon.entity_kind[meant.words[C["entity"]]])
        seen = np.array(recent, dtype=np.int64)
        for name, weight in TASTES.items():
            score += self._taste(name, weight, items, rows[:, C[name]], seen)
        if len(seen):
            shares = np.bincount(self.department[seen], minlength=len(self.lexicon.departments)) / len(seen)
            score += log(shares[self.department[items]] + 0.1)
        ranked: IntArray = items[np.argsort(-score, kind="stable")]
        return ranked

    def _taste(self, name: str, weight: float, items: IntArray, words: IntArray, seen: IntArray) -> FloatArray:
        """(n,) log of how much likelier a choice is because the user may like the item's word."""
        department = self.department[items]
        if name == "brand":
            nth = np.arange(1, self.lexicon.brands + 1, dtype=np.float64)
            usual = exp(-0.5 * log(nth))
            liked = np.where(words >= 0, (usual / usual.sum())[words % self.lexicon.brands], 0.0)
        elif name == "style":
            liked = np.where(words >= 0, 1.0 / self.lexicon.size[name][department], 0.0)
        else:
            liked = np.where(words >= 0, 1.0 / len(self.lexicon.words[name]), 0.0)
        if not len(seen):
            return log(1.0 + (np.exp(weight) - 1.0) * liked)
        chosen, where = self.table[seen, C[name]], self.department[seen]
        same = (chosen[None, :] == words[:, None]) & (where[None, :] == department[:, None])
        near = (where[None, :] == department[:, None]).sum(axis=1)
        odds = liked * np.exp(_SEEN[name] * same.sum(axis=1))
        others = (1.0 - liked) * np.exp(_SEEN[name] * 0.5 * (near - same.sum(axis=1)))
        return log(1.0 + (np.exp(weight) - 1.0) * odds / (odds + others))


def measure(options: World2Options, queries: int) -> dict[str, FloatArray]:
    """Return system and metric → one value a query, and `history` → whether it has one, of clicks spread over users."""
    products = Products2(Lexicon2(options.seed, options.items))
    traffic, typist = Traffic2(products), Typist2(products.lexicon, options.vocabulary_gap)
    asked = list(clicks_of(traffic, typist, round(options.items * options.requests_per_item)))
    asked = asked[:: max(1, len(asked) // queries)][:queries]
    oracle = Oracle(products)
    values: dict[str, list[float]] = {"history": [float(bool(one.recent)) for one in asked]}
    for one in asked:
        for system, recent in (("without", ()), ("with", one.recent)):
            found = np.flatnonzero(oracle.rank(one, recent)[: max(KS)] == one.clicked)
            place = int(found[0]) + 1 if len(found) else 0
            for k in KS:
                values.setdefault(f"{system} HR@{k}", []).append(float(0 < place <= k))
            values.setdefault(f"{system} MRR@{max(KS)}", []).append(1.0 / place if place else 0.0)
    return {name: np.array(each) for name, each in values.items()}


def _heads(lexicon: Lexicon2) -> dict[str, list[int]]:
    """Return what people type → the heads that it may mean."""
    found: dict[str, list[int]] = {}
    for number, head in enumerate(lexicon.heads):
        for text in {head.word, *(text for text, _ in lexicon.terms["head"][number]), *head.foreign}:
            found.setdefault(text, []).append(number)
    return found


def main() -> None:
    """Print the oracle's figures and what histories are worth."""
    usual = World2Options()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=usual.items)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--gap", type=float, default=usual.vocabulary_gap)
    parser.add_argument("--requests-per-item", type=float, default=usual.requests_per_item)
    parser.add_argument("--queries", type=int, default=2000)
    given = parser.parse_args()
    options = World2Options(given.items, given.seed, given.gap, given.requests_per_item)
    values = measure(options, given.queries)
    told = values["history"] > 0
    print(f"{len(told)} clicks, {told.mean():.3f} with a history")
    for name, each in values.items():
        print(f"{name}: {each.mean():.3f}, with a history {each[told].mean():.3f}")
    metric = f"MRR@{max(KS)}"
    gain = bootstrap_ratio(values["with " + metric][told], values["without " + metric][told])
    print("gain of histories, {}: {:.3f} ({:.3f}-{:.3f})".format(metric, *gain))


if __name__ == "__main__":
    main()
