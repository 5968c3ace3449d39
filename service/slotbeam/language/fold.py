"""Which spellings are one word: the second key of a text, beside its exact spelling.

A text is read into tokens, and each token has a key that its other spellings share: without accents and endings, in
any of the forms that hyphens and spaces allow. What a key cannot tell, a second reading of the text does.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import orjson
from icu4py._version import icu_version

from slotbeam.arrays import load_strings, save_strings
from slotbeam.errors import ArtifactError
from slotbeam.language import segments
from slotbeam.language.compounds import Compounds
from slotbeam.language.normalize import VERSION
from slotbeam.language.stems import stemmer
from slotbeam.language.tokens import NUMBER, SEGMENT, WORD, Joiner, Piece, name_of_series, scan
from slotbeam.language.units import Measures

UNDETERMINED = "und"
"""The language of a catalog that is of none, or of many: nothing is stemmed."""

_REMEMBERED, _RECENT = 2**16, 2**6


class Versions(NamedTuple):
    """What texts are read by: another version may read one otherwise."""

    normalizer: int
    icu: str


RUNNING = Versions(VERSION, icu_version)
"""Of this process."""


class FoldToken(NamedTuple):
    """A word of a text: its key, and where it stands in the canonical text."""

    key: str
    start: int
    end: int


Reading = list[FoldToken]


class Folding:
    """The folds of one language; immutable, safe to share between threads.

    Args:
        language: ISO 639-1, or `UNDETERMINED`.
        parts: canonical words of the catalog that longer ones may be made of.
        made_by: what read the catalog.
    """

    def __init__(self, language: str = UNDETERMINED, parts: Collection[str] = (), made_by: Versions = RUNNING) -> None:
        self.language = language
        self.made_by = made_by
        self.parts = frozenset(parts)
        self._measures = Measures(language)
        self._joiner = Joiner(language)
        stem = stemmer(language)
        self._compounds = Compounds(language, self.parts, stem)
        self._word = lru_cache(_REMEMBERED)(stem)
        self._number = lru_cache(_REMEMBERED)(self._measures.plain)
        # One text is read by several: by the matchers, and for its terms.
        self._recent = lru_cache(_RECENT)(self._read)
        # Each edit asks it of every bound word.
        self._keys = lru_cache(_REMEMBERED)(self._word_keys)

    def readings(self, text: str) -> list[Reading]:
        """Return the ways to read a canonical text that differ, one to three.

        Its pieces as they stand; numbers with their units, and words that hyphens or spaces took apart, as one; and
        these with compounds taken apart.
        """
        return self._recent(text)

    def _read(self, text: str) -> list[Reading]:
        found = scan(text)
        readings = [self._reading(text, found)]
        joined = self._joiner.join(text, self._measures.read(text, found))
        if joined is not found:
            readings.append(self._reading(text, joined))
        if self._compounds and (parted := self._parted(joined, readings[-1])):
            readings.append(parted)
        return readings

    def keys(self, word: str) -> list[str]:
        """Return the keys of a canonical word, one a reading: texts that hold one of them hold a spelling of it."""
        return list(self._keys(word))

    def terms(self, text: str) -> list[str]:
        """Return what lexical overlap compares of a canonical text, in order."""
        readings = self.readings(text)
        if len(readings) == 1:
            return [token.key for token in readings[0]]
        # What two readings have in common is one occurrence.
        return [token.key for token in dict.fromkeys(chain.from_iterable(readings))]

    def same(self, one: str, other: str) -> bool:
        """Return whether two canonical words are one word but for their spelling."""
        return not set(self.keys(one)).isdisjoint(self.keys(other))

    def reads_as(self, other: Folding) -> bool:
        """Return whether every text is read by both as the same words."""
        return (self.language, self.made_by, self.parts) == (other.language, other.made_by, other.parts)

    def save(self, directory: Path) -> None:
        """Write `folding.json` and `parts.*.npy`."""
        directory.mkdir(parents=True, exist_ok=True)
        facts = {"language": self.language, **self.made_by._asdict()}
        (directory / "folding.json").write_bytes(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS) + b"\n")
        save_strings(directory / "parts", sorted(self.parts))

    @classmethod
    def load(cls, directory: Path) -> Folding:
        """Read what `save` wrote. Raises `ArtifactError`."""
        path = directory / "folding.json"
        try:
            facts = orjson.loads(path.read_bytes())
            language, made_by = str(facts["language"]), Versions(int(facts["normalizer"]), str(facts["icu"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{path} cannot be read: {error}; make the index again", file=path.name) from error
        return cls(language, load_strings(directory / "parts"), made_by)

    def _word_keys(self, word: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(joined_keys(reading) for reading in self.readings(word) if reading))

    def _reading(self, text: str, found: list[Piece]) -> Reading:
        word = self._word
        if all(piece.kind == WORD for piece in found):  # as most queries are
            return [FoldToken(word(piece.text), piece.start, piece.end) for piece in found]
        return [FoldToken(self._key(piece), *name_of_series(text, piece)) for piece in found]

    def _key(self, piece: Piece) -> str:
        if piece.kind == WORD:
            return self._word(piece.text)
        if piece.kind == NUMBER:
            return self._number(piece.text)
        return segments.key(piece.text) if piece.kind == SEGMENT else piece.text

    def _parted(self, found: list[Piece], reading: Reading) -> Reading | None:
        """Return a reading of `found` with its compounds taken apart; None where it holds none."""
        split = self._compounds.split
        parts = [split(piece.text) if piece.kind == WORD else () for piece in found]
        if not any(parts):
            return None
        tokens: Reading = []
        for piece, own, whole in zip(found, parts, reading, strict=True):
            # All parts start where the compound does: what ends with it is its head.
            for word, length in own:
                end = piece.places[length - 1] + 1 if piece.places else piece.start + length
                tokens.append(FoldToken(self._word(word), piece.start, end))
            if not own:
                tokens.append(whole)
        return tokens


def joined_keys(reading: Reading) -> str:
    """Return the keys of a reading as one text, in which those of any part of it are found whole."""
    return "".join(f" {token.key} " for token in reading)


PLAIN = Folding()
"""Of no language."""
