"""Which spellings are one word: the second key of a text, beside its exact spelling.

A text is read into tokens, and each token has a key that its other spellings share: without accents and endings, in
any of the forms that hyphens and spaces allow. What a key cannot tell, a second reading of the text does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import orjson
import Stemmer
from icu4py._version import icu_version

from slotbeam.arrays import load_strings, save_strings
from slotbeam.errors import ArtifactError
from slotbeam.language.normalize import VERSION
from slotbeam.language.particles import stem
from slotbeam.language.segments import SPACELESS, is_spaceless, pieces

UNDETERMINED = "und"
"""The language of a catalog that is of none, or of many: nothing is stemmed."""

_SNOWBALL = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
_REMEMBERED = 2**16
_TOKEN = re.compile(rf"\d+(?:[.,]\d+)*|([{SPACELESS}]+)|[^\W\d_{SPACELESS}]+")
_JOINED = re.compile(r"(?<=[^\W_])-(?=[^\W_])")


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
        algorithm = _SNOWBALL.get(language)
        self._stemmer = Stemmer.Stemmer(algorithm) if algorithm in Stemmer.algorithms() else None
        self._key = lru_cache(_REMEMBERED)(self._fold)
        # Each edit asks it of every bound word.
        self._keys = lru_cache(_REMEMBERED)(self._word_keys)

    def readings(self, text: str) -> list[Reading]:
        """Return the ways to read a canonical text: its tokens, then, where that differs, with hyphens joined."""
        split = self._tokens(text)
        hyphens = [hyphen.start() for hyphen in _JOINED.finditer(text)] if "-" in text else ()
        if not hyphens:
            return [split]
        places = list(range(len(text)))  # of what is left, in the text
        for hyphen in reversed(hyphens):
            del places[hyphen]
        tokens = self._tokens(_JOINED.sub("", text))
        return [split, [FoldToken(key, places[start], places[end - 1] + 1) for key, start, end in tokens]]

    def keys(self, word: str) -> list[str]:
        """Return the keys of a canonical word, one a reading: texts that hold one of them hold a spelling of it."""
        return list(self._keys(word))

    def terms(self, text: str) -> list[str]:
        """Return what lexical overlap compares of a canonical text, in order."""
        # What two readings have in common is one occurrence.
        return [token.key for token in dict.fromkeys(token for reading in self.readings(text) for token in reading)]

    def same(self, one: str, other: str) -> bool:
        """Return whether two canonical words are one word but for their spelling."""
        return not set(self.keys(one)).isdisjoint(self.keys(other))

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

    def _tokens(self, text: str) -> Reading:
        key = self._key
        if text.isascii():  # as most texts are, and items have many
            return [FoldToken(key(match[0]), match.start(), match.end()) for match in _TOKEN.finditer(text)]
        tokens: Reading = []
        for match in _TOKEN.finditer(text):
            spans = [match.span()] if match[1] is None else pieces(text, *match.span())
            tokens += [FoldToken(key(text[start:end]), start, end) for start, end in spans]
        return tokens

    def _word_keys(self, word: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(joined_keys(reading) for reading in self.readings(word) if reading))

    def _fold(self, token: str) -> str:
        if is_spaceless(token):  # whose marks are letters
            return stem(token)
        if not token.isascii():
            plain = unicodedata.normalize("NFD", token)
            token = unicodedata.normalize("NFC", "".join(c for c in plain if unicodedata.category(c) != "Mn")) or token
        # One stemmer at a time is safe: the interpreter holds its lock while it runs.
        return str(self._stemmer.stemWord(token)) if self._stemmer and not token[0].isdigit() else token


def joined_keys(reading: Reading) -> str:
    """Return the keys of a reading as one text, in which those of any part of it are found whole."""
    return "".join(f" {token.key} " for token in reading)


PLAIN = Folding()
"""Of no language."""
