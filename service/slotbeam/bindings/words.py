"""Bound words: canonical, visible, of one script, and not the twin of a word that another binding holds."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from slotbeam.bindings.binding import MAX_WORD_LENGTH, MAX_WORDS
from slotbeam.bindings.listing import Listing, word_taken
from slotbeam.errors import BindingError
from slotbeam.language.normalize import normalize

_TWINS = (
    ("аесорухіјѕһԁԛԝвкмтнӏьүѵ", "aecopyxijshdqwbkmthlbyv"),  # Cyrillic
    ("αορτικυχνεημβζγωϳ", "aoptikyxvehmbzywj"),  # Greek
    ("օոսհցզյ", "onuhgqj"),  # Armenian
    ("ıɑɡɩʟʀᴀᴄᴇᴏᴜ", "iagilraceou"),  # Latin that NFKC and casefold keep apart
)
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


def refuse_twins(listing: Listing, words: Sequence[str], own: str | None, now_ms: int) -> None:
    """Refuse a word that another binding (not `own`) holds, or that only looks like one. Raises `WordTaken`."""
    held = {word: owner for word, owner in listing.words.items() if owner != own}
    looks = {skeleton(word): word for word in held}
    for word in words:
        if word in held:
            raise word_taken(listing, word, held[word], now_ms)
        twin = looks.get(skeleton(word))
        if twin is not None:
            raise word_taken(listing, word, held[twin], now_ms, twin)


def skeleton(word: str) -> str:
    """Return what a word looks like: Cyrillic, Greek and Armenian letters as their Latin twins."""
    return word.translate(_SKELETON)
