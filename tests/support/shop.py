"""A small shop in memory: a hand-made dictionary, random items, a random model. No file outlives the test."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from slotbeam.catalog.inmemory import write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog
from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.codebook import Codebook
from slotbeam.kae.dictionary import Concept, Dictionary
from slotbeam.kae.encode import Kae
from slotbeam.kae.importance import Importance
from slotbeam.search.artifact import Artifact
from slotbeam.search.options import SearchOptions
from slotbeam.trie.build import build_trie
from support.lexical import ENGLISH
from support.models import VECTOR, PrefixModel

ENTITIES = ("mug", "lamp", "chair", "rug", "usb c")
BRANDS = ("acme", "bolt", "cobalt")
COLORS = ("red", "green", "blue")
GROUPS = (("entity",), ("brand",), tuple(c for c in CATEGORIES if c not in ("entity", "brand")))
RESERVED = 4


class SidInputs:
    """Input rows that are the SID and nothing else."""

    def build(self, text: str, sid: Any, recent_queries: Any = (), recent_sids: Any = ()) -> Any:
        return np.array([*sid, *(code for recent in recent_sids for code in recent)], np.int64)


def make_kae(reserved: int = RESERVED) -> Kae:
    named = (("entity", ENTITIES), ("brand", BRANDS), ("color", COLORS))
    dictionary = Dictionary([Concept(word, category, count=1) for category, words in named for word in words])
    index = np.array([i + 1 for _, words in named for i in range(len(words))], np.int32)
    counts = tuple(len(words) for _, words in named)
    codebook = Codebook(GROUPS, (0, 0, 0), counts, (reserved,) * 3, index, dictionary)
    n = len(dictionary)
    importance = Importance(np.ones(n, np.float32), np.empty((0, 2), np.int32), np.full(n, -1, np.int32))
    return Kae(dictionary, codebook, importance, ENGLISH)


def make_items(n: int, seed: int = 0) -> list[Item]:
    rng = np.random.default_rng(seed)
    items = []
    for i in range(n):
        entity, brand, color = (str(rng.choice(words)) for words in (ENTITIES, BRANDS, COLORS))
        words = [w for w, p in ((color, 0.8), (brand, 0.7), (entity, 0.95)) if rng.random() < p]
        items.append(
            Item(
                id=f"i{i:03d}",
                title=" ".join(words) or "thing",
                description=f"number {i}",
                fields={"department": str(rng.choice(["home", "toys"])), "price": float(rng.integers(1, 100))},
                popularity=float(rng.integers(0, 20)),
            )
        )
    return items


def make_shop(
    directory: Path, n: int = 60, seed: int = 0, coarse: bool = False, extra: Sequence[Item] = (), **options: Any
) -> Artifact:
    kae, items = make_kae(), [*make_items(n, seed), *extra]
    sids = np.array([kae.encode_item(item).sid for item in items]).reshape(len(items), 3)
    vectors = np.random.default_rng(seed).integers(-127, 128, (len(items), VECTOR)).astype(np.int8)
    kinds = write_catalog(directory, items, sids, vectors=vectors, folding=ENGLISH)
    return Artifact(
        directory=directory,
        manifest={"name": "shop", "index": {"fields": kinds}},
        kae=kae,
        inputs=SidInputs(),  # type: ignore[arg-type]  # only `build` is ever asked
        model=PrefixModel(kae.codebook.sizes, seed, coarse),
        trie=build_trie(sids),
        catalog=Catalog.load(directory, kinds, ENGLISH),
        options=SearchOptions(**options),
        folding=ENGLISH,
    )


def without_overflow(shop: Artifact) -> Artifact:
    """The same shop, whose positions are full once their reserved slots are."""
    kae = copy(shop.kae)
    kae.codebook = copy(kae.codebook)
    kae.codebook.overflow = 0
    return replace(shop, kae=kae)
