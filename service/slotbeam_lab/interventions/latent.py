"""What the bound set allows at best in world 1: an order that knows what was meant.

Of a query with an injected word it knows the latent meaning of every other word, and of every item what it truly is.
Items that fit what is left equally well come in random order, or the more popular first: the target is one that a user
took, while the word's other items are any of its department. That bounds the first ranks alone: the few that users took
although they fit badly come last here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np

from slotbeam.language.normalize import normalize
from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.interventions.editable import Editable
from slotbeam_lab.interventions.injections import Injection
from slotbeam_lab.world.attributes import POPULARITY, Products
from slotbeam_lab.world.lexicon import CATEGORIES, C, Lexicon
from slotbeam_lab.world.options import DAYS, WorldOptions, generator_hash
from slotbeam_lab.world.portable import log
from slotbeam_lab.world.texts import item_id, model_name
from slotbeam_lab.world.traffic import Traffic
from slotbeam_lab.world.typist import Typist

FIT, ORACLE = "oracle: fit alone", "oracle: fit and popularity"
MISFIT = 5.0
"""How much likelier, in nats, an item is taken for each word of the query that it has and another lacks."""

TEST = "test.jsonl"

Part = tuple[str, int]
"""What one part of a query means: a category (or `head` or `kind`, of an entity) and its word's number."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One request of the test day: the words of the item that it was made for, and which of them are named, (18,)."""

    words: IntArray
    said: IntArray


class LatentModel:
    """A world 1 by what its texts do not tell: what queries mean and what items are.

    Args:
        options: the world's parameters.
    """

    def __init__(self, options: WorldOptions) -> None:
        self.lexicon = Lexicon(options.seed, options.items)
        self.products = Products(self.lexicon)
        self._meant = self._requests(options)

    @classmethod
    def of(cls, directory: Path) -> LatentModel | None:
        """Return the model of the world in a directory; None where there is none, or one of another generator."""
        file = directory / "world.json"
        facts = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        if facts.get("generator") != generator_hash():
            return None
        return cls(WorldOptions(**facts["parameters"]))

    def left(self, injection: Injection) -> list[Part]:
        """Return the parts of an injection's query that the injected word has not replaced."""
        meant = self._meant[injection.original, injection.target_id]
        parts = self._parts(meant)
        tokens, asked = injection.original.split(" "), injection.query.split(" ")
        of = [self._part_of(token, parts) for token in tokens]
        kept = {part for part, token, now in zip(of, tokens, asked, strict=True) if token == now}
        return [part for part in parts if part in kept]

    def misfits(self, parts: Sequence[Part], items: IntArray) -> IntArray:
        """Return how many of the parts each item lacks.

        Args:
            parts: of a query. items: (n,) internal numbers.

        Returns:
            (n,) int64.
        """
        words = self.products.attributes(items)
        entity = words[:, C["entity"]]
        own = {"head": self.lexicon.entity_head[entity], "kind": self.lexicon.entity_kind[entity]}
        lacks = [(own[name] if name in own else words[:, C[name]]) != value for name, value in parts]
        return np.sum(lacks, axis=0, dtype=np.int64) if lacks else np.zeros(len(items), np.int64)

    def prior(self, items: IntArray) -> FloatArray:
        """Return the log of how often each item (n,) is wanted, up to a constant."""
        entity = self.products.entity(items)
        rank = (items - self.lexicon.entity_start[entity] + 1).astype(np.float64)
        size = np.diff(self.lexicon.entity_start)[entity].astype(np.float64)
        wanted: FloatArray = log(self.lexicon.demand[entity]) - POPULARITY * log(rank) - (1 - POPULARITY) * log(size)
        return wanted

    def _requests(self, options: WorldOptions) -> dict[tuple[str, str], Intent]:
        """Return (canonical query, item id) → what was meant, of every click and order of the test day."""
        traffic, typist = Traffic(self.products), Typist(self.lexicon, options.vocabulary_gap)
        meant: dict[tuple[str, str], Intent] = {}
        requests, block = round(options.items * options.requests_per_item), 0
        while requests > 0:
            made = traffic.block(block)
            turn = np.arange(len(made.user)) - np.searchsorted(made.user, made.user)
            rows = np.flatnonzero((made.day == DAYS) & (np.arange(len(made.user)) < requests))
            queries = typist.queries(made.user[rows], turn[rows], made.words[rows], made.said[rows])
            public = self.products.public(made.shown[rows])
            for at, query, shown in zip(rows.tolist(), map(normalize, queries), public.tolist(), strict=True):
                one = Intent(made.words[at], made.said[at].astype(np.int64))
                for place in np.flatnonzero(made.chosen[at]).tolist():
                    meant.setdefault((query, item_id(shown[place])), one)
            requests, block = requests - len(made.user), block + 1
        return meant

    def _parts(self, meant: Intent) -> dict[Part, list[str]]:
        """Return what a query means → the words that may stand for it in the text."""
        parts: dict[Part, list[str]] = {}
        for column in np.flatnonzero(meant.said).tolist():
            name, value = CATEGORIES[column], int(meant.words[column])
            if name == "entity":
                head, kind = int(self.lexicon.entity_head[value]), int(self.lexicon.entity_kind[value])
                parts["head", head] = _words(self.lexicon.heads[head], *self.lexicon.terms["head"][head])
                if kind >= 0:
                    parts["kind", kind] = _words(self.lexicon.kinds[kind], *self.lexicon.terms["kind"][kind])
            elif name == "model":
                text = model_name(self.lexicon, value)
                parts[name, value] = _words(text, text.replace("-", ""))
            else:
                parts[name, value] = _words(self.lexicon.words[name][value], *self.lexicon.terms[name][value])
        return parts

    def _part_of(self, token: str, parts: dict[Part, list[str]]) -> Part:
        """Return the part that a token of the query stands for: the one with its word, or with the one most alike."""

        def alike(part: Part) -> float:
            return max(SequenceMatcher(None, token, word).ratio() for word in parts[part])

        return max(parts, key=alike)


def _words(*texts: str) -> list[str]:
    return [word for text in texts for word in normalize(text).split(" ")]


class Latent:
    """The best order of a word's items, as a system that can be told a word; it answers those items alone.

    Args:
        model: the world's.
        popular: of items that fit equally well the more popular goes first, and popularity may outweigh a misfit.
    """

    def __init__(self, model: LatentModel, popular: bool) -> None:
        self._model, self._popular = model, popular
        self._bound: dict[str, Injection] = {}

    def bind(self, injections: Sequence[Injection]) -> None:
        self._bound = {one.query: one for one in injections}

    def search(self, query: str, k: int) -> list[str]:
        one = self._bound[query]
        public = np.array([int(item[1:]) for item in one.item_ids])
        items = self._model.products.internal(public)
        score = -MISFIT * self._model.misfits(self._model.left(one), items)
        if self._popular:
            score = score + self._model.prior(items)
        chance = np.random.default_rng(list(query.encode())).random(len(items))
        return [one.item_ids[at] for at in np.lexsort((chance, -score))[:k].tolist()]


def latent_systems(log: Path) -> dict[str, Editable]:
    """Return label → order that knows the latent model, where `log` is the test day of a world 1; else nothing."""
    model = LatentModel.of(log.parent) if log.name == TEST else None
    return {FIT: Latent(model, popular=False), ORACLE: Latent(model, popular=True)} if model else {}
