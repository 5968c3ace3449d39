"""BM25 with the alias dictionary that slotbeam has: what a synonym filter in Elasticsearch or SMUI makes of it.

Every surface of a concept is one more term that all of them share, in items and in queries alike; the words themselves
stay. Of the ways that were tried (docs/log-2026-11.md) this one holds on both kinds of catalog.
"""

from __future__ import annotations

from slotbeam.catalog.loaders import load_catalog
from slotbeam.kae.encode import Kae
from slotbeam.kae.normalize import normalize
from slotbeam_lab.baselines.bm25 import Bm25
from slotbeam_lab.baselines.registry import Built, Setup
from slotbeam_lab.baselines.vocabulary import dictionary_of


class Aliases:
    """Rewrites a text: behind it comes one term for each concept that the dictionary finds in it."""

    def __init__(self, kae: Kae) -> None:
        self._matcher = kae.matcher
        self._concept: list[int] = kae.dictionary.surface_concept.tolist()

    def __call__(self, text: str) -> str:
        """A concept's term is `concept` and its number in one word, so no stemmer joins two of them."""
        canonical = normalize(text)
        found = self._matcher.find(canonical)
        return " ".join([canonical, *(f"concept{self._concept[word]}" for _, _, word in found)])


def build(setup: Setup) -> Built:
    """BM25 with the dictionary that slotbeam learns from the same catalog and log."""
    kae = dictionary_of(setup)
    index = Bm25(load_catalog(setup.catalog), rewrite=Aliases(kae))
    facts = {"concepts": len(kae.dictionary), "surfaces": len(kae.dictionary.surfaces)}
    return Built(lambda asked, k: index.search(asked.query, k), facts=facts)
