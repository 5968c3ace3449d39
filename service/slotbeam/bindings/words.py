"""Bound words: canonical, visible, of one script; and how those are read that were stored by older rules."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from slotbeam.bindings.binding import MAX_WORD_LENGTH, MAX_WORDS
from slotbeam.errors import BindingError
from slotbeam.language.normalize import normalize

_TWINS = (
    ("аесорухіјѕһԁԛԝвкмтнӏьүѵ", "aecopyxijshdqwbkmthlbyv"),  # Cyrillic
    ("αορτικυχνεημβζγωϳ", "aoptikyxvehmbzywj"),  # Greek
    ("օոսհցզյ", "onuhgqj"),  # Armenian
    ("ıɑɡɩʟʀᴀᴄᴇᴏᴜ", "iagilraceou"),  # Latin that NFKC and casefold keep apart
)
_REMEMBERED = 2**16
_BESIDE_LATIN = frozenset(("CYRILLIC", "ARMENIAN", "CHEROKEE"))
_SKELETON = str.maketrans({c: plain for looks, like in _TWINS for c, plain in zip(looks, like, strict=True)})


MAX_RAW_WORD = 20 * MAX_WORD_LENGTH
"""Characters of a word as it was sent; what becomes of it is checked after normalisation."""


def canonical_words(raw: Sequence[str]) -> tuple[str, ...]:
    """Return the canonical words, each once, in the order given.

    Raises:
        BindingError: none, too many, an empty or over-long one, one that mixes Latin letters and ones that look alike.
        TextError: a lone surrogate.
    """
    if len(raw) > MAX_WORDS:
        raise BindingError(f"{len(raw)} words were given; a binding takes 1 to {MAX_WORDS}")
    words: list[str] = []
    for text in raw:
        if len(text) > MAX_RAW_WORD:
            raise BindingError(
                f"a word has {len(text)} characters; at most {MAX_RAW_WORD} are allowed, "
                f"{MAX_WORD_LENGTH} in canonical form"
            )
        word = normalize(text)
        if not word:
            raise BindingError(f"word {text[:32]!r} has no visible character; a query could never contain it")
        if not any(map(_says_something, word)):
            raise BindingError(
                f"word {text[:32]!r} has no letter, digit or symbol of Unicode {unicodedata.unidata_version}; "
                "punctuation alone stands in queries of any meaning: give a word with one of them",
            )
        if len(word) > MAX_WORD_LENGTH:
            raise BindingError(
                f'word "{word[:32]}…" has {len(word)} characters in canonical form; '
                f"at most {MAX_WORD_LENGTH} are allowed"
            )
        other = mixes_scripts(word)
        if other:
            raise BindingError(
                f'word "{word}" mixes {other} and Latin letters that look alike; write it in one script', word=word
            )
        if word not in words:
            words.append(word)
    if not words:
        raise BindingError(f"no word was given; a binding takes 1 to {MAX_WORDS}")
    return tuple(words)


def _says_something(character: str) -> bool:
    """Return whether a word may stand on `character` alone: a letter, a digit, a symbol that ASCII lacks."""
    return character.isalnum() or (not character.isascii() and unicodedata.category(character)[0] == "S")


def mixes_scripts(word: str) -> str | None:
    """Name the script, of those that look Latin, which one run of letters holds together with Latin ones.

    Greek may stand beside Latin ("5μm"): `skeleton` alone tells such words from bound ones.
    """
    scripts: set[str] = set()
    for character in word:
        if not character.isalpha():
            scripts.clear()
            continue
        scripts.add(unicodedata.name(character, "").split(" ")[0])
        if "LATIN" in scripts and scripts & _BESIDE_LATIN:
            return min(scripts & _BESIDE_LATIN).capitalize()
    return None


def read_again(stored: Sequence[str]) -> tuple[str, ...]:
    """Return stored words as today's normaliser reads them, each once; one that it would empty stays as it is."""
    return tuple(dict.fromkeys(map(reading_of, stored)))


@lru_cache(_REMEMBERED)
def reading_of(stored: str) -> str:
    """Return one stored word as `read_again` does: what a query has to hold to find it."""
    return normalize(stored) or stored


def skeleton(word: str) -> str:
    """Return what a word looks like: Cyrillic, Greek and Armenian letters as their Latin twins."""
    return word.translate(_SKELETON)
