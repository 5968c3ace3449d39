"""The normaliser of version 1, word for word: what stored words of before version 2 were made by."""

from __future__ import annotations

import re
import unicodedata

from slotbeam.errors import TextError

_SURROGATE = re.compile("[\ud800-\udfff]")
_APOSTROPHE = str.maketrans(dict.fromkeys("‘’‚‛′ʹʻʼʽˈꞌ＇`´", "'") | dict.fromkeys("“”„‟″", '"'))
_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
_TWO_PRIMES = re.compile(r"''")
_INVISIBLE = ("Cc", "Cf")
_MARKS = dict.fromkeys(map(ord, "™℠®©"))
_BLANK = (
    *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065), (0x2800, 0x2800)),
    *((0xFE00, 0xFE0F), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF)),
)
"""Inclusive ranges of what is drawn as nothing and is no Cc or Cf: joiners, fillers, variation selectors, tags."""
_ZERO_WIDTH = frozenset(chr(code) for first, last in _BLANK for code in range(first, last + 1))


def normalize_v1(text: str) -> str:
    """Return the canonical form of `text`.

    NFKC and casefold to a fixpoint, invisible characters and trademark signs dropped ("Core™" → "core"), typographic
    quotes unified, apostrophes between letters deleted ("Men’s" → "mens"), white space collapsed and stripped.
    Idempotent; the empty string stays empty.

    Raises:
        TextError: `text` holds a lone surrogate, which no UTF-8 text can.
    """
    if lone := _SURROGATE.search(text):
        raise TextError(
            f"the text has a lone surrogate (U+{ord(lone[0]):04X}) at character {lone.start()}; send valid Unicode"
        )
    while True:
        folded = _pass(text)
        if folded == text:
            return folded
        text = folded


def _pass(text: str) -> str:
    """Take one round; `normalize_v1` repeats it until nothing changes."""
    text = " ".join(text.split())
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_MARKS)).translate(_APOSTROPHE).casefold()
        text = unicodedata.normalize("NFKC", text)
    else:
        text = text.lower().replace("`", "'")
    if not text.isprintable():
        text = "".join(c for c in text if c == " " or not (unicodedata.category(c) in _INVISIBLE and not c.isspace()))
    if not text.isascii():
        text = "".join(c for c in text if c not in _ZERO_WIDTH)
    if "'" in text:
        text = _TWO_PRIMES.sub('"', text)
        text = _BETWEEN_LETTERS.sub("", text)
    return " ".join(text.split())
