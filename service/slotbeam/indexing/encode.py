"""A block of records → columns: what a model says of each item, the same bytes whatever shares its block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from slotbeam.arrays import Strings, running_totals
from slotbeam.background import rest
from slotbeam.catalog.columns import Columns
from slotbeam.catalog.fields import Fields
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import id_hash
from slotbeam.catalog.terms import term_hash, terms_tell
from slotbeam.kae.absorbed import Carried, load_carried
from slotbeam.kae.categories import CATEGORY_INDEX
from slotbeam.kae.encode import Kae, concept_term
from slotbeam.language.fold import PLAIN, Folding
from slotbeam.language.normalize import normalize
from slotbeam.language.tokens import codes
from slotbeam.model.itemvectors import MAX_ITEM_TEXT, ItemVectors, bag_of
from slotbeam.model.textvectors import TextVectors
from slotbeam.model.tokenizer import MAX_CHARACTERS, MAX_TEXT, TOKENIZER, InputBuilder
from slotbeam.search.artifact import MODEL, Artifact
from slotbeam.types import FloatArray, Sid

_REMEMBERED = 2**17
"""Words and attribute values that are remembered: those of a catalog repeat."""

_NO_MEANING = np.empty(0)

Given = tuple[Item, bytes]
"""An item, and the row that it was made of."""


def given_columns(block: Sequence[Given]) -> dict[str, Any]:
    """Return the columns of items that no model has a say in, by name."""
    items = [item for item, _ in block]
    return {
        "ids": Strings.of([item.id for item in items]),
        "titles": Strings.of([item.title for item in items]),
        "sources": Strings.of_bytes([source for _, source in block]),
        "popularity": np.array([item.popularity for item in items], np.float64),
        "id_hashes": np.array([id_hash(item.id) for item in items], np.uint64),
        "fields": Fields.of([item.fields for item in items]),
    }


class ItemReading(NamedTuple):
    """What one item is to the index.

    Attributes:
        text: canonical, a line a part.
        sid: of the item.
        terms: hashes of its words and concepts, one for each occurrence.
        bag: ids that its vector is made of.
        meaning: (m,) that its text vector is made of, (0,) without a teacher.
    """

    text: str
    sid: Sid
    terms: list[int]
    bag: list[int]
    meaning: FloatArray


class ItemEncoder:
    """What a model needs to encode items. It remembers words and values, so each process has one of its own.

    Args:
        kae: the encoding.
        inputs: for the ids of texts and slots.
        vectors: the parameters of item vectors.
        carried: item id → the absorbed words that it carries.
        texts: for text vectors; None where the model had no teacher.
    """

    def __init__(
        self,
        kae: Kae,
        inputs: InputBuilder,
        vectors: ItemVectors,
        carried: Mapping[str, Sequence[Carried]],
        texts: TextVectors | None = None,
    ) -> None:
        self._texts = texts
        self._kae, self._inputs, self._vectors, self._carried = kae, inputs, vectors, carried
        self._folding = kae.folding or PLAIN
        remember = lru_cache(_REMEMBERED)
        self._value, self._word_ids, self._value_terms, self._hash = (
            remember(kae.value),
            remember(lambda word: inputs.text_ids(word, MAX_ITEM_TEXT)),
            remember(self._terms),
            remember(term_hash),
        )
        self._concept_term = remember(lambda concept: term_hash(concept_term(concept)))

    @classmethod
    def load(cls, model: Path, max_tokens: int, language: Path) -> ItemEncoder:
        """Read an artifact's `model/` and the folding of the catalog. Raises `ArtifactError`."""
        kae = Kae.load(model / "kae", Folding.load(language))
        inputs = InputBuilder.load(model / TOKENIZER, kae.codebook.sizes, max_tokens)
        return cls(kae, inputs, ItemVectors.load(model), load_carried(model / "kae", kae), TextVectors.load(model))

    @classmethod
    def of(cls, artifact: Artifact) -> ItemEncoder:
        """Return that of an artifact that is loaded, which it shares. Raises `ArtifactError`."""
        model, kae = artifact.directory / MODEL, artifact.kae
        return cls(kae, artifact.inputs, ItemVectors.load(model), load_carried(model / "kae", kae), artifact.texts)

    def columns(self, block: Sequence[Given]) -> Columns:
        """Return the columns of the items of a block, in their order."""
        readings = [self.read(item) for item, _ in block]
        width = self._texts.width if self._texts else 0
        meanings = np.array([reading.meaning for reading in readings]).reshape(len(block), width)
        text_vectors = self._texts.units(meanings) if self._texts else meanings.astype(np.int8)
        hashes = np.fromiter(chain.from_iterable(reading.terms for reading in readings), np.uint32)
        return Columns(
            **given_columns(block),
            texts=Strings.of([reading.text for reading in readings]),
            terms=Strings(hashes.view(np.uint8), running_totals([4 * len(reading.terms) for reading in readings])),
            sids=np.array([reading.sid for reading in readings], np.int32).reshape(len(block), len(self._kae.codebook)),
            vectors=self._vectors.encode([reading.bag for reading in readings]),
            text_vectors=text_vectors,
            text_lists=self._texts.lists_of(text_vectors) if self._texts else np.zeros(len(block), np.int32),
            reread=~np.array([terms_tell(reading.text) for reading in readings], np.bool_),
        )

    def read(self, item: Item) -> ItemReading:
        """Normalise, match and tokenise one item; each of its parts once."""
        rest()
        title, description = normalize(item.title), normalize(item.description)
        typed = [(kind, self._value(kind, value)) for kind, values in item.attributes.items() for value in values]
        texts = [value.text for _, value in typed]
        # Named in the order of the catalog, encoded in that of the categories, which decides between equals.
        values = [value for _, value in sorted(typed, key=lambda pair: CATEGORY_INDEX[pair[0]])]
        sid, concepts = self._kae.sid_and_concepts(title, values, description)
        if item.id in self._carried:
            for own in self._carried[item.id]:
                concepts.add(own.concept)
                sid = (*sid[: own.slot.position], own.slot.index, *sid[own.slot.position + 1 :])
        parts = [part for part in dict.fromkeys((title, *texts, description)) if part]
        hashes = [self._concept_term(concept) for concept in concepts]
        held = set(texts)
        for part in parts:  # a number and its unit, for one, are a term across a space
            terms = self._value_terms(part) if part in held else self._terms(part)
            hashes += terms if part != title else 2 * terms  # as in `columns_of`
        ids = [*self._ids(title, MAX_TEXT), *self._ids(" ".join(filter(None, texts)), MAX_ITEM_TEXT)]
        meaning = self._texts.of_item(title, (*texts, description)) if self._texts else _NO_MEANING
        return ItemReading("\n".join(parts), sid, hashes, bag_of(self._inputs.sid_ids(sid), ids), meaning)

    def _terms(self, text: str) -> list[int]:
        return list(map(self._hash, (*self._folding.terms(text), *codes(text))))

    def _ids(self, text: str, limit: int) -> list[int]:
        """Return `InputBuilder.text_ids` up to `MAX_ITEM_TEXT`, word by word: no token reaches across a space."""
        ids: list[int] = []
        for word in text[:MAX_CHARACTERS].split():
            ids += self._word_ids(word)
            if len(ids) >= limit:
                break
        return ids[:limit]
