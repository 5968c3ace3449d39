"""Everything that training reads, as arrays: tokenised once, encoded once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.arrays import ranges
from slotbeam.catalog.item import Interaction, Item
from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.encode import Encoded, Kae
from slotbeam.language.normalize import normalize
from slotbeam.model.itemvectors import MAX_ITEM_TEXT
from slotbeam.model.tokenizer import MAX_HISTORY, MAX_TEXT, PAD, TITLE, InputBuilder
from slotbeam.types import FloatArray, IntArray
from slotbeam_train.lexicon import Absorbed, carry
from slotbeam_train.stages.pseudo import PseudoOptions, absorbed_queries, pseudo_queries
from slotbeam_train.stages.ragged import Ragged
from slotbeam_train.stages.routing import invented_words

ORDER_WEIGHT = 3.0
"""Draws of an order for one draw of a click."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """P (query, item) pairs to draw from.

    Attributes:
        query, item: (P,) numbers of a query and an item of the corpus.
        cumulative: (P,) running sum of the draw weights.
        recent, seen: (P, MAX_HISTORY) queries and items that came before, newest first, -1 beyond; None: no history.
    """

    query: IntArray
    item: IntArray
    cumulative: IntArray
    recent: IntArray | None = None
    seen: IntArray | None = None

    def __len__(self) -> int:
        return len(self.query)

    def draw(self, rng: np.random.Generator, n: int) -> IntArray:
        """Draw (n,) pair numbers by weight."""
        drawn: IntArray = np.searchsorted(self.cumulative, rng.random(n) * self.cumulative[-1], side="right")
        return drawn


@dataclass(frozen=True, eq=False)
class Corpus:
    """N items, Q queries, W dictionary words, in ids of `inputs`.

    Attributes:
        item_sids: (N, L); query_sids: (Q, L).
        titles: N lists, at most MAX_TEXT ids.
        item_texts: N lists, at most MAX_ITEM_TEXT distinct ids of title and attribute values; priors: (N,) float32.
        departments: (N,) number in `department_names`, -1 for none.
        queries: Q lists; query_spans: (Q, L, 2) token range of the word that represents each position, (0, 0) for none.
        words: W lists; word_facts: (W, 3) category, position, code.
        reserved: the reserved codes of each position.
        invented: lists of ids of words that do not exist, for self-routing.
        log: pairs of clicks and orders, None without a log; pseudo: pairs made from the catalog.
    """

    inputs: InputBuilder
    item_sids: IntArray
    titles: Ragged
    item_texts: Ragged
    priors: FloatArray
    departments: IntArray
    department_names: tuple[str, ...]
    queries: Ragged
    query_sids: IntArray
    query_spans: IntArray
    words: Ragged
    word_facts: IntArray
    reserved: tuple[range, ...]
    invented: Ragged
    log: Pairs | None
    pseudo: Pairs | None


def item_sids_of(kae: Kae, items: Sequence[Item], absorbed: Sequence[Absorbed] = ()) -> tuple[IntArray, list[Encoded]]:
    """Encode every item: SIDs (N, L) int32, and what was matched. The items of `absorbed` carry its words."""
    encoded = carry(kae, items, kae.encode_items(items), absorbed)
    return np.asarray([one.sid for one in encoded], np.int32).reshape(len(items), -1), encoded


def item_texts_of(items: Sequence[Item], inputs: InputBuilder) -> Ragged:
    """Distinct text ids of each item, those of its title first."""
    titles = inputs.texts_ids([normalize(item.title) for item in items])
    values = [" ".join(filter(None, (normalize(v) for own in item.attributes.values() for v in own))) for item in items]
    both = zip(titles, inputs.texts_ids(values, MAX_ITEM_TEXT), strict=True)
    return Ragged.of([list(dict.fromkeys(title + value))[:MAX_ITEM_TEXT] for title, value in both])


def item_bags(inputs: InputBuilder, sids: IntArray, texts: Ragged) -> IntArray:
    """(N, K) int32, padded with PAD: the slots and text ids that each item vector is made of."""
    width = sids.shape[1]
    lengths = np.diff(texts.offsets)
    bags = np.full((len(sids), width + int(lengths.max(initial=1))), PAD, np.int32)
    offsets = np.asarray(inputs.layout.slot_offsets)
    bags[:, :width] = np.where(sids > 0, sids + offsets, PAD)
    bags[ranges(width, lengths)] = texts.flat
    bags[(bags == PAD).all(axis=1), 0] = TITLE  # an item that says nothing still has a vector
    return bags


def corpus_texts(items: Sequence[Item], kae: Kae, queries: Iterable[str]) -> Iterable[str]:
    """Yield the canonical texts that the tokenizer learns from; queries count as often as they are given."""
    for item in items:
        yield normalize(item.title)
    for concept in kae.dictionary:
        yield from concept.surfaces
    yield from queries


class _Queries:
    """Numbers canonical queries as they come."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def _log_pairs(log: Iterable[Interaction], rows: Mapping[str, int], number: _Queries) -> Pairs | None:
    query: list[int] = []
    item: list[int] = []
    weight: list[float] = []
    recent: list[list[int]] = []
    seen: list[list[int]] = []
    canonical: dict[str, str] = {}

    def clean(text: str) -> str:
        found = canonical.get(text)
        if found is None:
            found = canonical[text] = normalize(text)
        return found

    for one in log:
        row, text = rows.get(one.item_id), clean(one.query)
        if row is None or not text:
            continue
        query.append(number(text))
        item.append(row)
        weight.append(ORDER_WEIGHT if one.kind == "order" else 1.0)
        before = [number(clean(q)) for q in one.recent_queries[: -MAX_HISTORY - 1 : -1] if clean(q)]
        bought = [rows[i] for i in one.recent_item_ids[: -MAX_HISTORY - 1 : -1] if i in rows]
        recent.append(before + [-1] * (MAX_HISTORY - len(before)))
        seen.append(bought + [-1] * (MAX_HISTORY - len(bought)))
    if not query:
        return None
    arrays = [np.asarray(one, np.int32) for one in (query, item, recent, seen)]
    return Pairs(arrays[0], arrays[1], np.cumsum(weight), arrays[2], arrays[3])


def _spans(encoded: Encoded, offsets: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Token range of each position's chosen match; (0, 0) where it has none or was cut off."""
    spans: list[tuple[int, int]] = []
    for match in encoded.chosen:
        hit = [] if match is None else [i for i, (a, b) in enumerate(offsets) if a < match.end and b > match.start]
        spans.append((hit[0], hit[-1] + 1) if hit else (0, 0))
    return spans


def build_corpus(
    items: Sequence[Item],
    encoded: Sequence[Encoded],
    log: Iterable[Interaction],
    kae: Kae,
    inputs: InputBuilder,
    pseudo: PseudoOptions,
    seed: int,
    absorbed: Sequence[Absorbed] = (),
) -> Corpus:
    """Turn a catalog and a log into arrays.

    Args:
        items: what training may read.
        encoded: of the same items.
        log: interactions of the training days; may be empty.
        pseudo: how many queries to make from the catalog.
        seed: of the pseudo-queries and invented words.
        absorbed: bindings that became words; further queries are made for them.
    """
    number = _Queries()
    log_pairs = _log_pairs(log, {item.id: row for row, item in enumerate(items)}, number)
    made = pseudo_queries(items, encoded, kae, pseudo, np.random.default_rng([seed, 1]))
    made += absorbed_queries(items, encoded, kae, absorbed, pseudo, np.random.default_rng([seed, 3]))
    pairs = [(number(text), row) for text, rows in made for row in rows]
    pseudo_pairs = None
    if pairs:
        query, item = np.asarray(pairs, np.int32).T
        pseudo_pairs = Pairs(query, item, np.arange(1, len(pairs) + 1))

    texts = list(number.numbers)
    facts = [kae.encode(text) for text in texts]
    tokens = inputs.texts_tokens(texts, MAX_TEXT)
    names = sorted({str(item.fields["department"]) for item in items if "department" in item.fields})
    place = {name: index for index, name in enumerate(names)}
    surfaces = kae.dictionary.surfaces
    owners = kae.dictionary.surface_concept.tolist()
    slots = [kae.codebook.slot_of(owner) for owner in owners]
    category = {name: index for index, name in enumerate(CATEGORIES)}
    positions = len(kae.codebook.sizes)
    rng = np.random.default_rng([seed, 2])
    return Corpus(
        inputs=inputs,
        item_sids=np.asarray([one.sid for one in encoded], np.int64).reshape(len(items), positions),
        titles=Ragged.of(inputs.texts_ids([normalize(item.title) for item in items])),
        item_texts=item_texts_of(items, inputs),
        priors=np.log1p(np.asarray([item.popularity for item in items], np.float32)),
        departments=np.asarray([place.get(str(item.fields.get("department")), -1) for item in items], np.int64),
        department_names=tuple(names),
        queries=Ragged.of(ids for ids, _ in tokens),
        query_sids=np.asarray([one.sid for one in facts], np.int64).reshape(len(texts), positions),
        query_spans=np.asarray(
            [_spans(one, offsets) for one, (_, offsets) in zip(facts, tokens, strict=True)], np.uint8
        ).reshape(len(texts), positions, 2),
        words=Ragged.of(inputs.texts_ids(surfaces)),
        word_facts=np.asarray(
            [
                (category[kae.dictionary[owner].category], slot.position, slot.index)
                for owner, slot in zip(owners, slots, strict=True)
            ],
            np.int64,
        ).reshape(len(surfaces), 3),
        reserved=tuple(kae.codebook.reserved(position) for position in range(positions)),
        invented=Ragged.of(inputs.texts_ids(invented_words(surfaces, 4096, rng), 6)),
        log=log_pairs,
        pseudo=pseudo_pairs,
    )
