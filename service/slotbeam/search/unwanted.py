"""Items of what a query excludes: they carry it, and do not say of themselves that they are without it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from slotbeam.arrays import among
from slotbeam.catalog.table import Catalog
from slotbeam.catalog.wholewords import rows_holding
from slotbeam.kae.encode import concept_term
from slotbeam.language.shapewords import FREE_OF, NONE_OF, NOT, WITHOUT, of_language
from slotbeam.search.artifact import Artifact
from slotbeam.types import BoolArray, IntArray

_SAMPLE = 64
"""Items that carry all words of a phrase, of which some have to say it."""
_SAYING = 2
_READ = 1024
"""Texts that are read at most, to see whether an item says that it is without a thing."""


def says(catalog: Catalog, phrase: str) -> bool:
    """Return whether items say a canonical phrase as it stands: of those that carry its words at least two of 64."""
    places, all_known = catalog.terms.known(phrase)
    if not all_known or not len(places):
        return False
    rows = catalog.terms.postings.carrying_all(places)
    sample = rows[:: max(1, len(rows) // _SAMPLE)][:_SAMPLE]
    return len(rows_holding(phrase, catalog.texts, sample)) >= _SAYING


def unwanted(artifact: Artifact, excluded: Sequence[str], rows: IntArray) -> BoolArray:
    """Return (n,) which of the catalog `rows` (n,) are items of what is excluded.

    Args:
        artifact: of the items.
        excluded: canonical texts: an item is one of it that carries all its words in any spelling, or a concept that it
            names.
        rows: (n,) of the catalog.
    """
    out = np.zeros(len(rows), np.bool_)
    for text in excluded:
        carrying = np.flatnonzero(_carrying(artifact, text, rows))
        out[carrying[~_denying(artifact, text, rows[carrying])]] = True
    return out


def _carrying(artifact: Artifact, text: str, rows: IntArray) -> BoolArray:
    """Return (n,) which rows carry a canonical text."""
    index = artifact.catalog.terms
    carrying = np.zeros(len(rows), np.bool_)
    for terms in _ways(artifact, text):
        places = index.read("", terms).known
        if len(places) == len(terms):
            carrying |= among(index.postings.carrying_all(places), rows)
    return carrying


def _ways(artifact: Artifact, text: str) -> Iterator[set[str]]:
    """Yield sets of terms: an item carries the text that carries all of one."""
    for reading in artifact.folding.readings(text):
        if reading:
            yield {token.key for token in reading}
    for start, end, word in artifact.kae.matcher.find_all(text):
        if end - start == len(text):
            yield {concept_term(int(artifact.kae.dictionary.surface_concept[word]))}


def _denying(artifact: Artifact, text: str, rows: IntArray) -> BoolArray:
    """Return (n,) which of the rows, which carry a text, say that they are without it."""
    out = np.zeros(len(rows), np.bool_)
    words = [*_without(artifact.folding.language), *FREE_OF, *NONE_OF]
    index = artifact.catalog.terms
    # The first word of each is enough, and `de` of `pas de` is in every item.
    places = index.read(" ".join(word.split()[0] for word in words if word[0].isalpha() and "/" not in word)).known
    saying = [np.flatnonzero(among(index.postings.of_term(place)[0], rows)) for place in places.tolist()]
    # Only items that hold such a word somewhere are read, and of very many some.
    for at in np.unique(np.concatenate([np.empty(0, np.int64), *saying]))[:_READ].tolist():
        out[at] = _denial(text, artifact.folding.language).search(artifact.catalog.texts[int(rows[at])]) is not None
    return out


def _without(language: str) -> list[str]:
    return [*of_language(WITHOUT, language, "en"), *of_language(NOT, language, "en")]


def _denial(text: str, language: str) -> re.Pattern[str]:
    """Return what finds that an item is without a thing, in its canonical text: `without red`, `red-free`."""
    before, behind = "|".join(map(re.escape, [*_without(language), *NONE_OF])), "|".join(FREE_OF)
    stem = re.escape(text[: max(3, len(text) - 2)])
    return re.compile(rf"(?<!\w)(?:{before})(?: \w+)? {stem}|{stem}\w{{0,3}}[ -]?(?:{behind})(?!\w)")
