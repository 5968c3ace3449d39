"""The whole build, step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from slotbeam.catalog.item import Item
from slotbeam.errors import InputError
from slotbeam.kae.categories import CATEGORIES, CATEGORY_INDEX
from slotbeam.kae.codebook import Codebook
from slotbeam.kae.dictionary import Concept, Dictionary
from slotbeam.kae.encode import Kae
from slotbeam.kae.grouping import Grouping, group_categories
from slotbeam.kae.importance import Importance
from slotbeam.kae.matcher import Matcher
from slotbeam.train.lexicon.capacity import assign, capacity
from slotbeam.train.lexicon.corpus import Doc, Progress, read_docs
from slotbeam.train.lexicon.heads import learn_importance
from slotbeam.train.lexicon.mine import mine
from slotbeam.train.lexicon.options import KaeOptions
from slotbeam.train.lexicon.vectors import word_vectors


def build_kae(
    items: Sequence[Item],
    queries: Mapping[str, int] | None = None,
    options: KaeOptions | None = None,
    progress: Progress | None = None,
) -> Kae:
    """Build dictionary, codebook and importance table from a catalog.

    Args:
        items: the catalog, at least one item.
        queries: canonical query → how often it was asked (training days only); None where no log exists.
        options: settings; the defaults suit catalogs of 10³ to 10⁶ items.
        progress: called with (step, done, total).

    Deterministic: the same input gives the same bytes.
    """
    options = options or KaeOptions()
    queries = dict(sorted((queries or {}).items()))
    if not items:
        raise InputError("the catalog is empty; a dictionary needs at least one item")
    tell = progress or (lambda step, done, total: None)
    docs = read_docs(items, progress)
    tell("mine", 0, 1)
    drafts = mine(docs, queries, options)
    tell("count", 0, 1)
    concepts, texts = count_concepts(drafts, docs, queries, options)
    dictionary = Dictionary(concepts)
    grouping = group_categories(presence(dictionary, texts), options.groups)
    tell("cluster", 0, 1)
    codebook = number_slots(dictionary, grouping, texts, options)
    tell("heads", 0, 1)
    importance = learn_importance(dictionary, codebook, docs, queries)
    tell("done", 1, 1)
    return Kae(dictionary, codebook, importance)


def count_concepts(
    drafts: Sequence[Concept], docs: Sequence[Doc], queries: Mapping[str, int], options: KaeOptions
) -> tuple[list[Concept], list[list[int]]]:
    """Match every text once: counts in items, importance, and the distinct concepts of every text.

    A text is a title (with typed values), a description or a query. Concepts no item carries are dropped.
    """
    owner = [n for n, concept in enumerate(drafts) for _ in concept.surfaces]
    matcher = Matcher([surface for concept in drafts for surface in concept.surfaces])

    def found(text: str) -> set[int]:
        return {owner[word] for _, _, word in matcher.find(text)}

    count: Counter[int] = Counter()
    behaviour: Counter[int] = Counter()
    texts: list[set[int]] = []
    for doc in docs:
        title = found(doc.title)
        described = found(doc.description) if doc.description else set()
        typed = set().union(*(found(value) for _, value in doc.values)) if doc.values else set()
        texts.append(title)
        if described:
            texts.append(described)
        for n in title | typed | described:
            count[n] += 1
        for n in title:
            behaviour[n] += 1
    for query, times in queries.items():
        own = found(query)
        if own:
            texts.append(own)
        for n in own:
            behaviour[n] += times
    kept = _keep(drafts, count, options)
    number = {old: new for new, old in enumerate(kept)}
    concepts = [
        Concept(c.word, c.category, c.aliases, count[n], float(np.log1p(behaviour[n])))
        for n, c in ((n, drafts[n]) for n in kept)
    ]
    return concepts, [sorted(number[n] for n in own if n in number) for own in texts]


def _keep(drafts: Sequence[Concept], count: Counter[int], options: KaeOptions) -> list[int]:
    kept: list[int] = []
    for category in CATEGORIES:
        own = [n for n, c in enumerate(drafts) if c.category == category and count[n] > 0]
        own.sort(key=lambda n: (-count[n], drafts[n].word))
        kept += own[: options.max_words]
    return kept


def presence(dictionary: Dictionary, texts: Sequence[Sequence[int]]) -> np.ndarray:
    """(N, 18) bool: does text n carry a word of each category?"""
    category = [CATEGORY_INDEX[c.category] for c in dictionary]
    table = np.zeros((len(texts), len(CATEGORIES)), dtype=np.bool_)
    for row, own in enumerate(texts):
        for n in own:
            table[row, category[n]] = True
    return table


def number_slots(
    dictionary: Dictionary, grouping: Grouping, texts: Sequence[Sequence[int]], options: KaeOptions
) -> Codebook:
    """Size every position, cluster its tail and number its slots."""
    vectors = word_vectors([c.word for c in dictionary], texts, seed=options.seed)
    index = np.zeros(len(dictionary), dtype=np.int32)
    clusters, solos = [], []
    for categories, dense in zip(grouping.groups, grouping.dense, strict=True):
        own = [n for n, c in enumerate(dictionary) if c.category in categories]
        counts = [dictionary[n].count for n in own]
        room = capacity(counts, options.coverage, options.dense_cap if dense else options.light_cap)
        slots, used = assign([dictionary[n].word for n in own], counts, vectors[own], room, options.seed)
        index[own] = slots
        clusters.append(used)
        solos.append(room.solo)
    reserved = (options.reserved,) * len(grouping.groups)
    return Codebook(grouping.groups, tuple(clusters), tuple(solos), reserved, index, dictionary)


def empty_importance(dictionary: Dictionary) -> Importance:
    """Importance without learning: the concepts' own weights."""
    weight = np.asarray([c.importance for c in dictionary], dtype=np.float32)
    return Importance(weight, np.zeros((0, 2), np.int32), np.full(len(dictionary), -1, np.int32))
