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
MAY_BE_FRACTION = re.compile(r"/(?<=\d/)\d")
"""Is found in far fewer texts than "/", and faster than `FRACTION`."""
FRACTION_REACH = 16
"""No fraction is longer, what it looks at beside itself included."""

# 1½ is 11⁄2 after NFKC. No shop writes eleven halves, and with this sign least of all.
_VULGAR = re.compile(r"(?<=\d)(1⁄(?:10|[2-9])|2⁄[35]|3⁄[458]|4⁄5|5⁄[68]|7⁄8)(?!\d)")
# What a pattern begins with is a digit, where it can be: what stands before is looked at afterwards.
_SPACED = re.compile(rf"\d(?<![\w.,/:'-]\d)\d{{0,2}} (?={_REDUCED}{_ALONE})")
_THOUSANDS = re.compile(r"\d(?<![\w.,']\d)\d{0,2}(?:'\d{3})+(?![\d'])")
_FEET = re.compile(r"(?<=\d)' (?=\d+(?:[./-]\d+)*\")")

_TIMES = "x×*х"
_REST = r"(?>\d*(?:[.,]\d+)*(?:-?\d+/\d+|/\d+)?)"
_LENGTH = "(?:mm|cm|dm|m|in|inch|inches|ft|px|p|мм|см|м)"
_CONTENT = "(?:ml|cl|dl|l|mg|g|gr|kg|oz|lbs?|[kmgt]b|[kmg]?bps|[kmg]hz|hz|m?w|m?v|mah|wh|мл|л|г|кг|克|毫升|升)"
_DIMENSIONS = re.compile(
    rf"(\d(?<![\w.,/:'×*-]\d)(?!\.0 x \d(?!\d|[.,]\d)){_REST}(?: ?[{_TIMES}] ?\d{_REST})+)"
    rf"(?:(?P<content> ?{_CONTENT})(?!\w)|(?=-?{_LENGTH}(?!\w)|(?![\w/]|-[^\W\d])))"
)
_WITH_UNITS = re.compile(
    rf"(\d(?<![^\Wx×*х_]\d)\d*(?:[.,]\d+)*(?:[\"']| ?(?:mm|cm|dm|m|in|ft|мм|см|м))) ?[{_TIMES}] ?(?=\d)"
)
_ENDS = "[\\d\"'mntм]"
_MAY_BE_DIMENSION = re.compile(
    "|".join(
        rf"[{_TIMES}]{behind}\d(?<={_ENDS}{before}[{_TIMES}]{behind}\d)" for before in ("", " ") for behind in ("", " ")
    )
)
_MAY_BE_MIXED = re.compile(r"\d \d+/")
_SIGN = re.compile(rf" ?[{_TIMES}] ?")
_ON_ONE_SIDE = re.compile(rf" [{_TIMES}](?! )|(?<! )[{_TIMES}] ")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)×(?=\d)")
_BETWEEN_WORDS = re.compile(r"(?<=\w)×(?=\w)")


def has_sizes(text: str) -> bool:
    """Return whether `canonical_numbers` may change a text of ASCII without apostrophes."""
    if "/" in text and _MAY_BE_MIXED.search(text):
        return True
    return ("x" in text or "*" in text) and _MAY_BE_DIMENSION.search(text) is not None


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
        text = _SPACED.sub(lambda found: f"{found[0][:-1]}-", text)
    if "'" in text:
        text = _THOUSANDS.sub(lambda found: found[0].replace("'", ""), _FEET.sub("'", text))
    if _MAY_BE_DIMENSION.search(text):
        text = _DIMENSIONS.sub(_dimensions, _WITH_UNITS.sub(lambda found: f"{found[1]} x ", text))
    if "×" in text:
        text = _BETWEEN_WORDS.sub(" x ", _BETWEEN_DIGITS.sub("x", text)).replace("×", "x")
    return text


def _dimensions(found: re.Match[str]) -> str:
    numbers = _SIGN.split(found[1])
    if found["content"] or (len(numbers) == 2 and numbers[0] == "1"):
        return " x ".join(numbers) + (found["content"] or "")
    # "16x 25 pieces", "pcie 2.0 x16": so how many are written, not how large.
    return found[0] if _ON_ONE_SIDE.search(found[1]) else "x".join(numbers)
