"""The importance table: what is sold when two entities are named, and what a name without an entity stands for."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from slotbeam.kae.codebook import Codebook
from slotbeam.kae.dictionary import Dictionary
from slotbeam.kae.encode import Encoded, Kae, Match
from slotbeam.kae.importance import Importance
from slotbeam.types import FloatArray
from slotbeam_train.lexicon.corpus import Doc
from slotbeam_train.lexicon.sold import votes

SMOOTHING = 30.0  # pseudo-words of the background in every entity's word distribution
PLACE = 1.5  # nats in favour of the head by grammar, and of what all items of like meaning sell
TEMPER = 0.7  # words are not independent: their evidence is scaled down
PAIR_SHARE, PAIR_ITEMS = 0.6, 2.0
IMPLIED = {"series": (0.8, 4), "model": (0.8, 4), "brand": (0.8, 4), "modifier": (0.9, 8), "specifications": (0.9, 8)}
"""Category → share of a word's items that must sell one entity, and how many items it takes."""
LIKELY = 0.5
"""Share of an item's neighbours that must sell one entity for an item that names none to count as selling it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One item as the head learner sees it.

    `entities` are those of the title, distinct, `grammar` the one that word order alone would choose;
    `typed` is the entity that structured data names, `words` all other concepts. `likely`, where the item itself
    does not say what it sells, is what items of like meaning sell: entity → share in 0..1.
    """

    entities: tuple[int, ...]
    grammar: int
    typed: int | None
    words: frozenset[int]
    likely: Mapping[int, float] = field(default_factory=dict)

    @property
    def sold(self) -> int | None:
        """The entity that is certainly sold: typed, or the only one named."""
        return self.typed if self.typed is not None else self.entities[0] if len(self.entities) == 1 else None


def learn_importance(
    dictionary: Dictionary, codebook: Codebook, docs: Sequence[Doc], vectors: FloatArray | None = None
) -> Importance:
    """Weights, head pairs and implied entities of all concepts.

    Args:
        dictionary, codebook: what the docs are read by.
        docs: n items.
        vectors: (n, w) their unit vectors by a teacher, zeros where it read none; None where there is no teacher.
    """
    weight = np.asarray([c.importance for c in dictionary], dtype=np.float32)
    nothing = np.full(len(dictionary), -1, np.int32)
    plain = Kae(dictionary, codebook, Importance(weight, np.zeros((0, 2), np.int32), nothing))
    values: dict[str, Encoded] = {}
    readings = [read(plain, doc, values) for doc in docs]
    if vectors is not None:
        for row, likely in votes(vectors, [one.sold for one in readings]).items():
            readings[row] = replace(readings[row], likely=likely)
    background, words = word_counts(readings)
    pairs = learn_pairs(readings, background, words, specialisations(dictionary))
    heads = np.asarray(pairs, dtype=np.int32).reshape(-1, 2)
    implied = learn_implied(dictionary, readings, frozenset(pairs))
    return Importance(weight, heads, implied)


def read(kae: Kae, doc: Doc, known: dict[str, Encoded]) -> Reading:
    """Match one item with the plain (unlearned) encoding; `known` keeps typed values, which repeat."""
    title = kae.encode(doc.title)
    described = kae.encode(doc.description).matches if doc.description else ()
    named = list(dict.fromkeys(m.concept for m in title.matches if kae.dictionary[m.concept].category == "entity"))
    grammar = title.chosen[0]
    typed: int | None = None
    values: list[Match] = []
    for category, value in doc.values:
        own = known[value] if value in known else known.setdefault(value, kae.encode(value))
        values += own.matches
        if category == "entity" and own.chosen[0] is not None:
            typed = own.chosen[0].concept
    others = {m.concept for m in (*title.matches, *described, *values)} - set(named)
    if grammar is None or kae.dictionary[grammar.concept].category != "entity":
        return Reading((), -1, typed, frozenset(others))
    return Reading(tuple(named), grammar.concept, typed, frozenset(others))


def word_counts(readings: Sequence[Reading]) -> tuple[Counter[int], dict[int, Counter[int]]]:
    """Words of all items, and of the items that certainly sell one entity (typed, or the only one named)."""
    background: Counter[int] = Counter()
    words: dict[int, Counter[int]] = defaultdict(Counter)
    for one in readings:
        background.update(one.words)
        if one.sold is not None:
            words[one.sold].update(one.words - {one.sold})
    return background, words


def specialisations(dictionary: Dictionary) -> frozenset[tuple[int, int]]:
    """Return (special, general) entities: the first's name ends in the second's, as "phone case" in "case"."""
    pairs: set[tuple[int, int]] = set()
    for number, concept in enumerate(dictionary):
        if concept.category == "entity":
            for surface in concept.surfaces:
                for at in (at for at, char in enumerate(surface) if char == " "):
                    general = dictionary.concept_of(surface[at + 1 :])
                    if general is not None and general != number and dictionary[general].category == "entity":
                        pairs.add((number, general))
    return frozenset(pairs)


def learn_pairs(
    readings: Sequence[Reading],
    background: Counter[int],
    words: Mapping[int, Counter[int]],
    special: frozenset[tuple[int, int]] = frozenset(),
) -> list[tuple[int, int]]:
    """Return (head, other) of entities that occur together; the items' other words decide against or for grammar.

    A special name always wins over its general one: what is a "phone case" is also called a "case" or a "cover".
    """
    total = max(1, sum(background.values()))
    sizes = {entity: sum(own.values()) for entity, own in words.items()}
    named = Counter(entity for reading in readings for entity in reading.entities)
    first = Counter(reading.grammar for reading in readings)
    wins: dict[tuple[int, int], float] = defaultdict(float)
    for reading in readings:
        if len(reading.entities) < 2:
            continue
        scores = {}
        for entity in reading.entities:
            own, size = words.get(entity, Counter()), sizes.get(entity, 0)
            score = math.log((first[entity] + 0.5) / (named[entity] + 1.0))
            score += PLACE if entity == reading.grammar else 0.0
            score += PLACE * reading.likely.get(entity, 0.0)
            if entity == reading.typed or (entity, reading.typed) in special:
                score += 2 * PLACE
            if size:
                ratio = sum(
                    math.log((own[w] * total / background[w] + SMOOTHING) / (size + SMOOTHING)) for w in reading.words
                )
                score += TEMPER * ratio
            scores[entity] = score
        best = max(reading.entities, key=lambda entity: (scores[entity], entity == reading.grammar, -entity))
        for other in reading.entities:
            if other != best:
                wins[best, other] += 1.0 / (1.0 + math.exp(scores[other] - scores[best]))
                wins[other, best] += 1.0 / (1.0 + math.exp(scores[best] - scores[other]))
    learned = {
        (a, b)
        for (a, b), won in wins.items()
        if won + wins[b, a] >= PAIR_ITEMS and won >= PAIR_SHARE * (won + wins[b, a])
    }
    return sorted((learned - {(general, narrow) for narrow, general in special}) | special)


def learn_implied(dictionary: Dictionary, readings: Sequence[Reading], pairs: frozenset[tuple[int, int]]) -> np.ndarray:
    """Return (N,) the entity that nearly all items with a word sell; −1 where there is none."""
    seen: dict[int, Counter[int]] = defaultdict(Counter)
    for reading in readings:
        sold = reading.typed if reading.typed is not None else reading.grammar
        for rival in reading.entities:
            if (rival, sold) in pairs:
                sold = rival
        if sold < 0 and reading.likely:
            likely, share = max(reading.likely.items(), key=lambda pair: (pair[1], -pair[0]))
            sold = likely if share >= LIKELY else sold
        if sold >= 0:
            for word in reading.words:
                seen[word][sold] += 1
    implied = np.full(len(dictionary), -1, np.int32)
    for word, entities in seen.items():
        if dictionary[word].category in IMPLIED:
            share, least = IMPLIED[dictionary[word].category]
            entity, count = min(entities.items(), key=lambda pair: (-pair[1], pair[0]))
            if entities.total() >= least and count >= share * entities.total():
                implied[word] = entity
    return implied
