"""Words in scripts that write no spaces between them: where one may begin or end inside a run of such characters.

Thai, Lao, Khmer and Burmese are cut by ICU's dictionaries. Japanese is cut by ICU where kanji and hiragana stand, and
at the ends of a run of katakana, never inside it. A Hangul word begins where its run does and ends there or before
particles. Between Chinese characters every place is an edge: the matcher's longest word decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from slotbeam.language import icu
from slotbeam.language.particles import stem, stem_ends

Span = tuple[int, int]
"""(start, end): character offsets, end exclusive."""

_THAI = "\u0e01-\u0e3a\u0e40-\u0e4e"
_LAO = "\u0e80-\u0ecf\u0edc-\u0eff"
_BURMESE = "\u1000-\u103f\u1050-\u108f\u109a-\u109d\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa76\uaa7a-\uaa7f"
_KHMER = "\u1780-\u17d3\u17d7\u17dc\u17dd"
_HIRAGANA = "\u3041-\u309a\u309d-\u309f"
_KATAKANA = "\u30a1-\u30f4\u30f7-\u30fa\u30fd-\u30ff\u31f0-\u31ff"
_LONG = "\u3099\u309a\u30fc"  # marks and ー, which go on with what stands before
_HAN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u30f5\u30f6"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
_ALONE = "\u3105-\u312f\u31a0-\u31bf\U00020000-\U000323af"  # Bopomofo; Han that ICU counts as two characters
_HANGUL = "\u1100-\u11ff\u3131-\u318f\uac00-\ud7af"
SPACELESS = "".join((_THAI, _LAO, _BURMESE, _KHMER, _HIRAGANA, _KATAKANA, _LONG, _HAN, _ALONE, _HANGUL))
"""Characters of these scripts, as the inside of a class of a regular expression."""

_RUN = re.compile(
    rf"(?P<icu>[{_THAI}]+|[{_LAO}]+|[{_BURMESE}]+|[{_KHMER}]+)"
    rf"|(?P<hangul>[{_HANGUL}]+)|(?P<mixed>[{_HIRAGANA}{_KATAKANA}{_LONG}{_HAN}]+)|[{_ALONE}]+"
)
_ICU = re.compile(f"[{_THAI}{_LAO}{_BURMESE}{_KHMER}]")
_SPACELESS = re.compile(f"[{SPACELESS}]")
_TORN = re.compile(rf"[{SPACELESS}][^\w{SPACELESS}]+[{SPACELESS}]")
_KANA = re.compile(f"[{_HIRAGANA}{_KATAKANA}]")
_HANGUL_RUN = re.compile(f"[{_HANGUL}]")
_LEAST_LONG = 4
"""Characters: プリンター is プリンタ, but バター is no バタ."""
_KATAKANA_RUN = re.compile(f"[{_KATAKANA}][{_KATAKANA}{_LONG}]*")


def is_spaceless(text: str) -> bool:
    """Return whether a character of the text is of a script that writes no spaces between words."""
    return not text.isascii() and _SPACELESS.search(text) is not None


def explains(text: str, start: int, end: int) -> bool:
    """Return whether a run of Thai, Lao, Khmer or Burmese reads better with a word at `text[start:end]`."""
    if end - start < icu.LEAST or not _ICU.match(text, start):
        return False
    first, last = next(run.span() for run in _RUN.finditer(text) if run.end() > start)
    return end <= last and icu.explains(text[first:last], start - first, end - first)


def is_torn(text: str, start: int, end: int) -> bool:
    """Return whether a span has a gap between spaceless characters and cuts a run at one of its ends.

    The characters beside a gap are of two words ("左手 机械" has no 手机), but where all pieces are whole runs.
    """
    return (
        not text.isascii()
        and _TORN.search(text, start, end) is not None
        and is_spaceless(text[max(start - 1, 0) : start] + text[end : end + 1])
    )


def inner_edges(text: str, language: str) -> tuple[set[int], set[int]]:
    """Return the offsets at which a word may begin, and those at which one may end: all that a spaceless run has.

    Args:
        text: canonical.
        language: of the catalog. Chinese characters are read as Japanese ones if it is "ja", or if it is not "zh" and
            the text has kana.
    """
    begins: set[int] = set()
    ends: set[int] = set()
    if text.isascii():
        return begins, ends
    japanese = language == "ja" or (language != "zh" and _KANA.search(text) is not None)
    for run in _RUN.finditer(text):
        first, last = run.span()
        inner = [first + at for at in _edges(run[0], run.lastgroup, japanese)]
        ends.update((first, last), inner)
        begins.add(last)
        if run.lastgroup != "hangul":
            begins.update(inner)
        # After a digit one syllable says what is counted.
        counting = run.lastgroup == "hangul" or (run.lastgroup == "mixed" and japanese)
        if not (counting and text[first - 1 : first].isdigit() and min(inner, default=last) == first + 1):
            begins.add(first)
    return begins, ends


def pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the terms of a stretch of spaceless characters: what lexical overlap compares.

    ICU's segments; a run of katakana; hiragana as ICU cuts them; Chinese characters one by one; Hangul without its
    particles.
    """
    for run in _RUN.finditer(text, start, end):
        first, last = run.span()
        edges = _edges(run[0], run.lastgroup, False)
        if run.lastgroup == "hangul":
            yield first, first + min(edges, default=last - first)
        else:
            for begin, stop in pairwise((0, *edges, last - first)):
                yield first + begin, first + stop


def key(piece: str) -> str:
    """Return what spellings of a piece share: Hangul without particles, katakana without the ー at its end."""
    if piece[-1] == "\u30fc" and len(piece) >= _LEAST_LONG:
        return piece[:-1]
    return stem(piece) if _HANGUL_RUN.match(piece) else piece


def _edges(run: str, kind: str | None, japanese: bool) -> tuple[int, ...]:
    """Return the edges inside of a run; those of Hangul are ends."""
    if kind == "icu":
        return icu.edges(run)
    if kind == "hangul":
        return tuple(stem_ends(run))
    if kind is None or not (japanese or _KANA.search(run)):
        return tuple(range(1, len(run)))
    return _mixed_edges(run, japanese)


@lru_cache(2**12)
def _mixed_edges(run: str, japanese: bool) -> tuple[int, ...]:
    """Return the edges inside of a run of kana and Chinese characters."""
    found = set(icu.cuts(run))
    if not japanese:
        found.update(at for at in range(1, len(run)) if not (_is_kana(run[at - 1]) and _is_kana(run[at])))
    found.difference_update(mark.start() for mark in re.finditer(f"[{_LONG}]", run))
    for katakana in _KATAKANA_RUN.finditer(run):
        first, last = katakana.span()
        found.difference_update(range(first + 1, last))
        found.update((first, last))
    return tuple(sorted(found - {0, len(run)}))


def _is_kana(char: str) -> bool:
    return "\u3041" <= char <= "\u30ff" or "\u31f0" <= char <= "\u31ff"
