"""The language of a catalog: told by its titles, and the words that its longer ones are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from py3langid import classify

from slotbeam.catalog.item import Item
from slotbeam.language.fold import UNDETERMINED, Folding
from slotbeam.language.normalize import normalize

_SHARE = 0.6
"""Of the titles, that have to be of one language."""
_TOGETHER = 16


def folding_of(items: Sequence[Item], language: str | None = None) -> Folding:
    """Return the folding of a catalog.

    Args:
        items: a sample of it.
        language: ISO 639-1; None: the language of most titles, `UNDETERMINED` where no language has most.
    """
    return Folding(language_of([normalize(item.title) for item in items]) if language is None else language)


def language_of(texts: Sequence[str]) -> str:
    """Return the language of most of the canonical texts, ISO 639-1, or `UNDETERMINED`."""
    # Several at a time: one title is too short to tell its language by.
    found = Counter(classify(" ".join(texts[at : at + _TOGETHER]))[0] for at in range(0, len(texts), _TOGETHER))
    language, count = max(found.items(), key=lambda pair: pair[1], default=(UNDETERMINED, 0))
    return language if count >= _SHARE * found.total() else UNDETERMINED
