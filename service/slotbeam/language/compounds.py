"""Compounds by the catalog's own words: `winterjacke` is a `jacke`, and `winter jacke` in one word."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

_LINKS = {
    "de": ("", "s", "n", "en", "es", "er", "e"),
    "nl": ("", "s", "en", "e", "n"),
    "sv": ("", "s"),
    "da": ("", "s", "e"),
    "no": ("", "s", "e"),
    "nb": ("", "s", "e"),
    "fi": ("", "n"),
    "hu": ("",),
    "et": ("", "e", "i"),
}
"""Languages that write compounds as one word, and what they put between the parts."""
_ELIDED = {
    "fr": re.compile(r"(?:l|d|qu)(?=[aeiouyhàâéèêëîïôûœ]\w\w)"),
    "it": re.compile(r"(?:l|d|un|dell|all|nell|sull|dall)(?=[aeiouhàèéìòù]\w\w)"),
    "ca": re.compile(r"(?:l|d)(?=[aeiouhàèéíòóú]\w\w)"),
}
"""Little words that an apostrophe set apart, which canonical text has not."""
COMPOUNDING = frozenset([*_LINKS, *_ELIDED])
"""Languages whose words are taken apart."""
_LEAST, _LEAST_HEAD, _LEAST_WORD = 3, 4, 6
_REMEMBERED = 2**16

WHOLE = {
    "de": frozenset(
        "leinwand gewand handschuh handschuhe handschuhen kreis eimer busen hochzeit schokolade marmelade "  # noqa: SIM905
        "kartoffel tomate erdbeere erdbeeren johannisbeere brombeere himbeere heidelbeere meerrettich "
        "bauernhof augenblick jahrzehnt frühstück weihnachten zitrone orange ananas rosine "
        "maultasche maultaschen muskatnuss muskat seelachs eisbein eisberg eisbergsalat leberkäse "
        "fleischkäse erdnuss erdnüsse erdapfel granatapfel granatäpfel ohrfeige stachelschwein meerschweinchen "
        "walnuss walnüsse haselnuss haselnüsse kokosnuss paranuss schildkröte fledermaus maulwurf wasserfall".split()
    ),
    "nl": frozenset("handschoen handschoenen aardappel aardappelen aardappels pindakaas".split()),  # noqa: SIM905
    "sv": frozenset("jordgubbe jordgubbar potatis smörgås".split()),  # noqa: SIM905
}
"""Words that are no kind of what their last part is."""


class Part(NamedTuple):
    """A word of a compound, without what links it to the next, and where that begins in the compound."""

    word: str
    end: int


class Compounds:
    """Takes words of one language apart; immutable.

    Args:
        language: ISO 639-1; of most, compounds are several words and nothing is taken apart.
        parts: canonical words that others may be made of.
        stem: what two forms of a word share.
    """

    def __init__(self, language: str, parts: Collection[str], stem: Callable[[str], str]) -> None:
        self._links = _LINKS.get(language, ())
        self._elided = _ELIDED.get(language)
        self._stem = stem
        self._words = frozenset(parts) if self._links or self._elided else frozenset()
        self._stems = frozenset(map(stem, self._words))
        self._whole = WHOLE.get(language, frozenset())
        self.split = lru_cache(_REMEMBERED)(self._split) if self._words else _nothing

    def __bool__(self) -> bool:
        return bool(self._words)

    def _split(self, word: str) -> tuple[Part, ...]:
        """Return the parts of a compound, its head last; nothing where it is none."""
        if self._elided:
            found = self._elided.match(word)
            rest = word[found.end() :] if found else ""
            return (
                (Part(word[: -len(rest)], len(word) - len(rest)), Part(rest, len(word))) if self._is_word(rest) else ()
            )
        if len(word) < _LEAST_WORD or word in self._whole:
            return ()
        for cut in range(_LEAST, len(word) - _LEAST + 1):
            if cut > _LEAST or len(word) - cut >= _LEAST_HEAD:
                head = word[cut:]
                if self._is_word(head) and (before := self._modifier(word[:cut])):
                    inner = self._split(head) or (Part(head, len(head)),)
                    return (*before, *(Part(part, cut + end) for part, end in inner))
        return ()

    def _is_word(self, text: str) -> bool:
        return text in self._words or (len(text) > _LEAST and self._stem(text) in self._stems)

    def _modifier(self, text: str) -> tuple[Part, ...]:
        """Return the parts of what stands before a head: a word, or a compound itself, and a linking element."""
        for link in self._links:
            word = text[: len(text) - len(link)]
            if text.endswith(link) and len(word) >= _LEAST and word in self._words:
                inner = self._split(word) or (Part(word, len(word)),)
                return (*inner[:-1], Part(inner[-1].word, len(text)))
        return self._split(text) if len(text) >= _LEAST_WORD else ()


def _nothing(word: str) -> tuple[Part, ...]:
    return ()


def parts_of(counts: Mapping[str, int], least: int = 3) -> set[str]:
    """Return the words of a catalog that compounds may be made of.

    Args:
        counts: canonical word → how many items carry it.
        least: of these.
    """
    return {word for word, count in counts.items() if count >= least and len(word) >= _LEAST and word.isalpha()}
