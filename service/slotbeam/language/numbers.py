"""Numbers as people write sizes: fractions, mixed numbers, feet and inches, dimensions; digits and points stay."""

from __future__ import annotations

import re

_REDUCED = (
    r"(?:1/(?:2|3|4|8|16|32|64)|2/3|3/4|[357]/8|(?:[3579]|1[135])/16|(?:[3579]|[12][13579]|31)/32"
    r"|(?:[3579]|[1-5][13579]|6[13])/64)(?!\d)"
)
"""Fractions that sizes are given in: below 1, in lowest terms. "4/8 gb", "12/13", "16/9" and "24/7" are others."""
_ALONE = r"(?![/:]?\d|[.,]\d|/)"
FRACTION = re.compile(
    r"(?:(?<![\w.,/:-])(?P<whole>\d{1,3})-(?=\d+/)|(?:(?<![\w.,/:])|(?<=\dx)))"
    rf"(?P<part>{_REDUCED}|1/\d{{1,3}}(?:\.\d{{1,2}})?){_ALONE}"
)
"""A fraction in canonical text, with the whole number before it where it is mixed: `1/2`, `8-1/2`, `1/2.8`."""
FRACTION_REACH = 16
"""No fraction is longer, what it looks at beside itself included."""

# 1½ is 11⁄2 after NFKC. No shop writes eleven halves, and with this sign least of all.
_VULGAR = re.compile(r"(?<=\d)(1⁄(?:10|[2-9])|2⁄[35]|3⁄[458]|4⁄5|5⁄[68]|7⁄8)(?!\d)")
_SPACED = re.compile(rf"(?<![\w.,/:'-])(\d{{1,3}}) (?={_REDUCED}{_ALONE})")
_THOUSANDS = re.compile(r"(?<![\w.,'])\d{1,3}(?:'\d{3})+(?![\d'])")
_FEET = re.compile(r"(?<=\d)' (?=\d+(?:[./-]\d+)*\")")

_TIMES = "x×*х"
_NUMBER = r"\d+(?:[.,]\d+)*(?:-?\d+/\d+|/\d+)?"
_DIMENSIONS = re.compile(
    rf"(?<![\w.,/:'×*-])({_NUMBER}(?: ?[{_TIMES}] ?{_NUMBER})+)"
    r"(?:(?P<content> ?(?:ml|cl|dl|l|mg|g|gr|kg|oz|lbs?|[kmgt]b|мл|л|г|кг|克|毫升|升))(?!\w)"
    r"|(?=(?:mm|cm|dm|m|in|inch|ft|px|p|мм|см|м)?(?!\w)))"
)
_WITH_UNITS = re.compile(
    rf"(?<![^\Wx×*х_])(\d+(?:[.,]\d+)*(?:[\"']| ?(?:mm|cm|dm|m|in|ft|мм|см|м))) ?[{_TIMES}] ?(?=\d)"
)
_MAY_BE_DIMENSION = re.compile(rf"[{_TIMES}] ?\d")
_SIGN = re.compile(rf" ?[{_TIMES}] ?")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)×(?=\d)")
_BETWEEN_WORDS = re.compile(r"(?<=\w)×(?=\w)")


def canonical_numbers(text: str) -> str:
    """Return `text`, which is in lower case and NFKC, with one spelling for each of the ways to write a size.

    `1½`, `1 1/2` → `1-1/2`; `10 × 15`, `10*15` → `10x15`; `6x330 ml` → `6 x 330 ml`, for what a pack holds is a size of
    its own; `5' 10"` → `5'10"`; `1'000` → `1000`.
    """
    if "⁄" in text:
        text = _VULGAR.sub(r"-\1", text).replace("⁄", "/")
    if "∕" in text:
        text = text.replace("∕", "/")
    if "/" in text:
        text = _SPACED.sub(r"\1-", text)
    if "'" in text:
        text = _THOUSANDS.sub(lambda found: found[0].replace("'", ""), _FEET.sub("'", text))
    if _MAY_BE_DIMENSION.search(text):
        text = _DIMENSIONS.sub(_dimensions, _WITH_UNITS.sub(r"\1 x ", text))
    if "×" in text:
        text = _BETWEEN_WORDS.sub(" x ", _BETWEEN_DIGITS.sub("x", text)).replace("×", "x")
    return text


def _dimensions(found: re.Match[str]) -> str:
    return _SIGN.sub(" x " if found["content"] else "x", found[1]) + (found["content"] or "")
