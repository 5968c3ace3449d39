"""The whole build, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.catalog.item import Item
from slotbeam.errors import InputError
from slotbeam.kae.codebook import Codebook
from slotbeam.kae.dictionary import Dictionary
from slotbeam.kae.encode import Kae
from slotbeam.kae.grouping import Grouping, group_categories
from slotbeam.types import FloatArray, Progress
from slotbeam_train.lexicon.absorb import Absorbed, carrying_docs
from slotbeam_train.lexicon.behaviour import learn_aliases
from slotbeam_train.lexicon.capacity import assign, capacity
from slotbeam_train.lexicon.corpus import read_docs
from slotbeam_train.lexicon.counting import Counted, common_categories, count, presence
from slotbeam_train.lexicon.heads import learn_importance
from slotbeam_train.lexicon.mine import mine
from slotbeam_train.lexicon.options import KaeOptions
from slotbeam_train.lexicon.vectors import word_vectors

STEPS = ("read", "mine", "aliases", "count", "cluster", "heads")


@dataclass(frozen=True, slots=True)
class GroupedKae:
    """An encoding, and how its positions came about (for the plot of the loss curve)."""

    kae: Kae
    grouping: Grouping


def build_kae(
    items: Sequence[Item],
    queries: Mapping[str, int] | None = None,
    options: KaeOptions | None = None,
    progress: Progress | None = None,
    clicks: Iterable[tuple[str, str]] | None = None,
    absorb: Sequence[Absorbed] = (),
    vectors: FloatArray | None = None,
) -> Kae:
    """Build dictionary, codebook and importance table from a catalog; see `build_with_grouping`."""
    return build_with_grouping(items, queries, options, progress, clicks, absorb, vectors).kae


def build_with_grouping(
    items: Sequence[Item],
    queries: Mapping[str, int] | None = None,
    options: KaeOptions | None = None,
    progress: Progress | None = None,
    clicks: Iterable[tuple[str, str]] | None = None,
    absorb: Sequence[Absorbed] = (),
    vectors: FloatArray | None = None,
) -> GroupedKae:
    """Build dictionary, codebook and importance table from a catalog.

    Args:
        items: the catalog, at least one item.
        queries: canonical query → how often it was asked (training days only); None where no log exists.
        options: settings; the defaults suit catalogs of 10³ to 10⁶ items.
        progress: called with (step, done, total).
        clicks: (canonical query, item id) of the training days; they teach what unknown query words stand for.
        absorb: bindings whose first words become concepts with a solo slot; each needs an item of the catalog.
        vectors: (n, w) unit vectors of the items by a teacher, zeros where it read none; None where there is none. They
            tell what is sold where an item does not say so.

    Deterministic on one processor with one number of threads (k-means and an SVD sum in float): the same input gives
    the same bytes.
    """
    options = options or KaeOptions()
    asked = dict(sorted((queries or {}).items()))
    if not items:
        raise InputError("the catalog is empty; a dictionary needs at least one item")

    def tell(step: str) -> None:
        if progress is not None:
            progress(step, STEPS.index(step), len(STEPS))

    tell("read")
    docs = read_docs(items)
    tell("mine")
    drafts = mine(docs, asked, options, absorb)
    docs = carrying_docs(docs, [item.id for item in items], absorb)
    tell("aliases")
    drafts = learn_aliases(drafts, docs, [item.id for item in items], asked, clicks or (), options)
    tell("count")
    always = frozenset(one.word for one in absorb)
    counted = count(drafts, docs, asked, options.max_words, always)
    dictionary = Dictionary(counted.concepts)
    common = common_categories(counted.concepts, counted.items, options.common)
    grouping = group_categories(presence(counted.concepts, counted.texts), options.groups, common)
    tell("cluster")
    sure = frozenset(n for n in map(dictionary.concept_of, always) if n is not None)
    codebook = number_slots(dictionary, grouping, counted, options, sure)
    tell("heads")
    importance = learn_importance(dictionary, codebook, docs, vectors)
    return GroupedKae(Kae(dictionary, codebook, importance), grouping)


def number_slots(
    dictionary: Dictionary,
    grouping: Grouping,
    counted: Counted,
    options: KaeOptions,
    sure: frozenset[int] = frozenset(),
) -> Codebook:
    """Size every position, cluster its tail and number its slots; the concepts `sure` are solo."""
    vectors = word_vectors([c.word for c in dictionary], counted.texts, seed=options.seed)
    index = np.zeros(len(dictionary), dtype=np.int32)
    members = [[n for n, c in enumerate(dictionary) if c.category in group] for group in grouping.groups]
    counts = [[dictionary[n].count for n in own] for own in members]
    alone = [frozenset(place for place, n in enumerate(own) if n in sure) for own in members]
    rooms = []
    for group, dense, numbers, forced in zip(grouping.groups, grouping.dense, counts, alone, strict=True):
        coverage = options.entity_coverage if "entity" in group else options.coverage
        cap = options.dense_cap if dense else options.light_cap
        rooms.append(capacity(numbers, coverage, cap, options.solo_items, options.floor, len(forced)))
    if options.uniform:
        size = max(2, sum(room.clusters + room.solo for room in rooms) // len(rooms))
        rooms = [capacity(c, 0, size, options.solo_items, size, len(a)) for c, a in zip(counts, alone, strict=True)]
    clusters, solos = [], []
    for own, numbers, forced, room in zip(members, counts, alone, rooms, strict=True):
        words = [dictionary[n].word for n in own]
        slots, used = assign(words, numbers, vectors[own], room, options.seed, forced)
        index[own] = slots
        clusters.append(used)
        solos.append(room.solo)
    reserved = (options.reserved,) * len(grouping.groups)
    return Codebook(grouping.groups, tuple(clusters), tuple(solos), reserved, index, dictionary)
