"""What a query says it does not want: `-red`, `without red`, `not red`, and how far that reaches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from slotbeam.language.boundaries import Span, is_cjk
from slotbeam.language.shapewords import ARTICLES, NOT, OR, UNMISTAKABLE, VERBS_BEFORE_NOT, WITHOUT, of_language

MAX_EXCLUDED = 8
"""Of one query; what it says beyond is read as words."""
_PHRASE = 3
"""Words that an exclusion reaches over at most, where no dictionary says more."""
_TOKEN = re.compile(r"[^\W_]+(?:[-'.&][^\W_]+)*")


class KnownWords(Protocol):
    """What is asked about words while a query is read; spans are those of the canonical query."""

    def spans(self, text: str) -> list[Span]:
        """Return where words of the dictionary and bound words stand, overlapping ones included."""

    def says(self, phrase: str) -> bool:
        """Return whether items say this canonical phrase of themselves."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One thing that is not wanted.

    Attributes:
        text: canonical, of the thing.
        span: what says so, the thing included.
        thing: where the thing itself stands, its quotes included.
        is_quality: whether items say the whole of themselves (`sans sucre`): then it describes what is wanted, too.
    """

    text: str
    span: Span
    thing: Span
    is_quality: bool = False


def find_exclusions(text: str, language: str, known: KnownWords) -> list[Exclusion]:
    """Return what a canonical query excludes, in order.

    Args:
        text: the query.
        language: of the catalog: which words exclude.
        known: asked only where there seems to be an exclusion.
    """
    signs = _signs(language)
    if not signs.search(text):
        return []
    spans = known.spans(text)
    found: list[Exclusion] = []
    for sign in signs.finditer(text):
        if found and sign.start() < found[-1].span[1]:
            continue
        if sign["minus"] is None and _is_no_sign(text, sign, spans):
            continue
        found += _excluded_by(text, sign, spans, known)
    return found[:MAX_EXCLUDED]


@lru_cache(64)
def _signs(language: str) -> re.Pattern[str]:
    """Return what finds the beginning of an exclusion: a minus before a letter, or a word and where its thing begins.

    A minus before a digit is a number's, one within a word a hyphen, one between spaces a dash.
    """
    without = "|".join(map(re.escape, of_language(WITHOUT, language, "", UNMISTAKABLE)))
    no = "|".join(map(re.escape, of_language(NOT, language, "", UNMISTAKABLE)))
    articles = "|".join(ARTICLES)
    words = f"(?P<without>{without})" + (f"|(?P<not>{no})" if no else "")
    return re.compile(rf'(?<!\S)(?:(?P<minus>-)(?=[^\W\d_]|")|(?:{words})(?: (?:{articles}))? (?=\d*[^\W\d_]|"))')


_OR = re.compile(rf" (?:{'|'.join(OR)}) (?=[^\W\d_])")


def _is_no_sign(text: str, sign: re.Match[str], spans: list[Span]) -> bool:
    """Return whether a word does not exclude here: a longer word holds it, or it denies a sentence."""
    word = sign.span("without") if sign["without"] else sign.span("not")
    if any(start <= word[0] and word[1] <= end and end - start > word[1] - word[0] for start, end in spans):
        return True
    before = text[: sign.start()].split()
    return sign["not"] is not None and bool(before) and before[-1] in VERBS_BEFORE_NOT


def _excluded_by(text: str, sign: re.Match[str], spans: list[Span], known: KnownWords) -> Iterator[Exclusion]:
    """Yield the thing behind a sign, and further ones that `or` joins to it."""
    begin, at = sign.span()
    reach = _reach_of(sign, text, spans, known)
    while (end := reach(at)) is not None:
        thing = text[at:end].strip('"').strip()
        if not thing:
            return
        quality = sign["minus"] is None and known.says(text[sign.start() : sign.end()] + thing)
        yield Exclusion(thing, (begin, end), (at, end), quality)
        more = _OR.match(text, end) if sign["minus"] is None else None
        if more is None:
            return
        begin, at = more.span()


def _reach_of(sign: re.Match[str], text: str, spans: list[Span], known: KnownWords) -> Callable[[int], int | None]:
    """Return what tells where a thing that begins at a place ends; None for no thing."""

    def reach(at: int) -> int | None:
        if text[at] == '"':
            closing = text.find('"', at + 1)
            return closing + 1 if closing > at + 1 else None
        token = _TOKEN.match(text, at)
        if token is None or (token.end() - at < 2 and not is_cjk(text[at])):
            return None
        if sign["minus"] is not None:
            return token.end()
        end = max([token.end(), *(end for start, end in spans if start == at)])
        return max(end, _phrase_end(text, at, known)) if sign["without"] else end

    return reach


def _phrase_end(text: str, at: int, known: KnownWords) -> int:
    """Return the end of the longest phrase of several words from `at` on that items say; `at` without one."""
    ends: list[int] = []
    begin = at
    while len(ends) < _PHRASE and (token := _TOKEN.match(text, begin)):
        ends.append(token.end())
        if text[token.end() : token.end() + 1] != " ":
            break
        begin = token.end() + 1
    return next((end for end in reversed(ends[1:]) if known.says(text[at:end])), at)
