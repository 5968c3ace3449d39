"""The only normaliser: what a person wrote → canonical text, which the dictionary, the index and every query share."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

from slotbeam.errors import TextError
from slotbeam.language.characters import BLANK, POINTS, SAME
from slotbeam.language.numbers import canonical_numbers, has_sizes

VERSION = 2
"""Of this normaliser: what artifacts and stores name."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_INVISIBLE = ("Cc", "Cf")

# "´" alone is a space and a combining accent after NFKC: so it is in words that an earlier version made.
_ACCENT = re.compile("(?:^| )([\u0301\u0308\u030b\u0313\u0314])")
_ACCENTS = {"\u0301": "'", "\u0308": '"', "\u030b": '"', "\u0313": "'", "\u0314": "'"}
_LOOSE_PRIME = re.compile(r" (?<=\d )(?=[\"'](?!\w))")
_NO_PRIME = re.compile(r"'(?:(?<!\d')|(?=s(?![\w'])))")

_REFERENCE = re.compile(r"&(?:(?:amp|#0{0,4}38|#x0{0,4}26);)*((?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});)")
_LOOKS_LIKE_REFERENCE = re.compile(r"&(?=#?\w+;)")
_AND = re.compile(r" and (?<=\w and )(?=\w)")
_AMPERSAND = re.compile(r"(?<=\w) ?& ?(?=\w)")


def normalize(text: str) -> str:
    """Return the canonical form of `text`.

    NFKC and casefold to a fixpoint, white space collapsed and stripped, and one spelling for what people type in many
    ways: quotes, primes and dashes; apostrophes, which only feet keep ("Men’s" → "mens"); digits of any script;
    fractions and dimensions (`canonical_numbers`); "and" and "&" between words; HTML's character references. Dropped
    are invisible characters, trademark signs ("Core™" → "core"), tatweel, points of Hebrew and Arabic, the dot of "İ".
    Knows no language. Idempotent; the empty string stays empty.

    Raises:
        TextError: `text` holds a lone surrogate, which no UTF-8 text can.
    """
    if text.isascii():
        plain = " ".join(text.lower().split())
        if plain.isprintable() and not _is_ruled(plain):
            return plain
    elif lone := _SURROGATE.search(text):
        raise TextError(
            f"the text has a lone surrogate (U+{ord(lone[0]):04X}) at character {lone.start()}; send valid Unicode"
        )
    if "&" in text or "＆" in text or "﹠" in text:
        # Once, between two fixpoints: what a reference stands for may not become a part of another one.
        text = _REFERENCE.sub(_resolved, _settled(_characters, text))
    return _settled(_spellings, text)


def _is_ruled(text: str) -> bool:
    """Return whether a rule may change ASCII text in lower case. Most queries are told apart here."""
    return "'" in text or "`" in text or "&" in text or ' "' in text or " and " in text or has_sizes(text)


def _settled(change: Callable[[str], str], text: str) -> str:
    while (changed := change(text)) != text:
        text = changed
    return text


def _spellings(text: str) -> str:
    """Take one round of everything but references."""
    text = canonical_numbers(_characters(text))
    if " and " in text or "&" in text:
        text = _AMPERSAND.sub(" & ", _AND.sub(" & ", _LOOKS_LIKE_REFERENCE.sub("& ", text)))
    return " ".join(text.split())


def _characters(text: str) -> str:
    """Take one round of what can be told by a character and those beside it."""
    text = " ".join(text.split())
    if not text.isprintable():
        text = "".join(c for c in text if c == " " or not (unicodedata.category(c) in _INVISIBLE and not c.isspace()))
    if text.isascii():
        text = text.lower().replace("`", "'")
    else:
        text = unicodedata.normalize("NFKC", BLANK.sub("", text).translate(SAME)).casefold().translate(SAME)
        text = unicodedata.normalize("NFKC", text).replace("i\u0307", "i")
        text = POINTS.sub("", _ACCENT.sub(lambda found: _ACCENTS[found[1]], text))
    if "'" in text or '"' in text:
        text = _LOOSE_PRIME.sub("", text.replace("''", '"'))
        text = _NO_PRIME.sub("", text)
    return " ".join(text.split())


def _resolved(found: re.Match[str]) -> str:
    """Return what a character reference stands for; one that HTML does not know stays."""
    return html.unescape("&" + found[1])
