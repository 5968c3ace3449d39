"""Characters that are another spelling of one character, or of none."""

from __future__ import annotations

import re

_APOSTROPHES = "‘’‚‛′‵ʹʻʼʽʾʿˈꞌ＇`´΄᾽᾿՚׳"
_QUOTES = "“”„‟〝〞〟ʺˮ˝¨״"
"""Double ones. People type an acute or a diaeresis where their keyboard has it and the sign for feet or inches not."""
_DASHES = "֊־᐀᠆‐‑‒–—―⸗⸚⸺⸻⹀⹝〜〰゠︱︲﹘﹣－𐺭−"
"""Category Pd and the minus sign."""
_ZEROS = (
    *(0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20),
    *(0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0),
    *(0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0),
    *(0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0),
    *(0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0),
)
"""Where the ten digits of a script begin (category Nd)."""

SAME = str.maketrans(
    dict.fromkeys("™℠®©ـ", "")
    | dict.fromkeys(_APOSTROPHES, "'")
    | dict.fromkeys(_QUOTES, '"')
    | dict.fromkeys("″‶", "''")
    | dict.fromkeys(_DASHES, "-")
    | {chr(zero + digit): str(digit) for zero in _ZEROS for digit in range(10)}
    | dict.fromkeys("✕✖⨯", "×")
    | dict(zip("٫٬،؛؟٪∕", ".,,;?%/", strict=True))
    | dict.fromkeys("یى", "ي")
    | dict.fromkeys("کڪ", "ك")
    | {"ё": "е"}
)
"""For `str.translate`: one character for each that people type in its place; no tatweel, no trademark signs."""

BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\ufe00-\ufe0f\ufff0-\ufff8\U000e0000-\U000e0fff]+"
)
"""What is drawn as nothing and is no Cc or Cf: joiners, fillers, variation selectors, tags."""

POINTS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0898-\u089f\u08ca-\u08e1"
    "\u08e3-\u08ff]+"
)
"""Marks that readers of Hebrew and Arabic do without: points, accents, vowels."""
