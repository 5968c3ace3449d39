"""The language of a catalog: told by its titles, and the words that its longer ones are made of."""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from slotbeam.catalog.item import Item
from slotbeam.errors import InputError
from slotbeam.language.compounds import COMPOUNDING, parts_of
from slotbeam.language.fold import UNDETERMINED, Folding
from slotbeam.language.normalize import normalize

_CODES = (
    "ar bg bn ca cs da de el en es et eu fa fi fr ga he hi hr hu hy id it ja km ko lo lt lv my nl no pl pt ro ru sk sl "
    "sr sv ta th tr uk ur vi zh"
)
LANGUAGES = tuple(_CODES.split())
"""What a catalog's language may be, ISO 639-1. Of more, a dialect would be found where a language is."""
_WORD = re.compile(r"[^\W\d_]+")
_SAMPLE = 1024
"""Titles that are looked at."""
_TOGETHER = 8
"""Titles, of which one is too short to tell its language by."""
_LEAST = 0.5
"""Of the titles, that have to be of one language; where there are few, more of them."""
_DOUBT = 0.75
"""Groups of titles of no language that are taken to be there, too: three brand names are no language."""


def folding_of(items: Iterable[Item], language: str | None = None) -> Folding:
    """Return the folding of a catalog, in whatever order its items come.

    Args:
        items: all of it, or a sample.
        language: one of `LANGUAGES`, or `UNDETERMINED`; None: the language of most titles.

    Raises:
        InputError: the language is none of these.
    """
    check_language(language)
    titles = [item.title for item in items]
    language = language or language_of(titles)
    if language not in COMPOUNDING:
        return Folding(language)
    carried = Counter(word for title in titles for word in set(_WORD.findall(normalize(title))))
    return Folding(language, parts_of(carried))


def check_language(language: str | None) -> None:
    """Refuse what is no language that a catalog may have. Raises `InputError`."""
    if language not in (None, UNDETERMINED, *LANGUAGES):
        raise InputError(
            f"language {language!r} is unknown; allowed: {', '.join(LANGUAGES)}, or {UNDETERMINED} for none or many"
        )


def language_of(texts: Iterable[str]) -> str:
    """Return the language of most of the texts, one of `LANGUAGES`, or `UNDETERMINED`."""
    sample = sorted(set(texts), key=lambda text: (zlib.crc32(text.encode("utf-8", "replace")), text))[:_SAMPLE]
    groups = [" ".join(map(normalize, sample[at : at + _TOGETHER])) for at in range(0, len(sample), _TOGETHER)]
    likely: dict[str, float] = defaultdict(float)
    for group in groups:
        for language, likelihood in _identifier().rank(group):
            likely[language] += likelihood
    best = max(likely, key=likely.__getitem__, default=UNDETERMINED)
    return best if likely[best] > _LEAST * (len(groups) + _DOUBT) else UNDETERMINED


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
