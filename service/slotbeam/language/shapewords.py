"""The words by which a query says what it does not want: one small table a language.

Words stand here as the normaliser leaves them. A catalog's language decides which of them count: `sin` is Spanish for
without, and no such word in an English catalog.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping

from slotbeam.language.fold import UNDETERMINED

Words = Mapping[str, tuple[str, ...]]
"""Language → words."""

WITHOUT: Words = {
    "cs": ("bez",),
    "da": ("uden",),
    "de": ("ohne", "kein", "keine", "keinen"),
    "en": ("without", "w/o"),
    "es": ("sin",),
    "fi": ("ilman",),
    "fr": ("sans", "pas de"),
    "it": ("senza",),
    "nb": ("uten",),
    "nl": ("zonder", "geen"),
    "no": ("uten",),
    "pl": ("bez",),
    "pt": ("sem",),
    "ro": ("fără",),
    "ru": ("без",),
    "sv": ("utan",),
}
"""What stands before a thing: as many words as name it are not wanted."""
NOT: Words = {
    "da": ("ikke",),
    "de": ("nicht",),
    "en": ("not",),
    "it": ("non",),
    "nb": ("ikke",),
    "nl": ("niet",),
    "no": ("ikke",),
    "pt": ("não",),
    "sv": ("inte",),
}
"""What stands before one property. `no` and French `pas` do not: `no pull`, `no 5`, `pas cher` name qualities."""
UNMISTAKABLE = frozenset(
    {"without", "w/o", "ohne", "zonder", "senza", "uten", "uden", "utan", "без", "ilman", "nicht", "keine", "keinen"}
)
"""Those that mean nothing else in any language, so that they count in every catalog."""
OR = ("or", "nor", "oder", "noch", "ou", "ni", "o", "né", "of", "eller", "lub", "ani", "nebo", "или", "sau", "tai")
"""What lets an exclusion go on."""
ARTICLES = (
    *("a", "an", "any", "the", "der", "die", "das", "den", "dem", "ein", "eine", "einen", "le", "la", "les", "du"),
    *("de", "des", "un", "une", "una", "el", "los", "las", "il", "lo", "gli", "o", "os", "as", "um", "uma", "het"),
    *("een",),
)
"""What may stand between the word and what it excludes."""
VERBS_BEFORE_NOT = frozenset(
    {
        *("am", "are", "be", "can", "could", "did", "do", "does", "had", "has", "have", "if", "is", "may"),
        *("might", "must", "or", "shall", "should", "was", "were", "why", "will", "would", "ist", "sind", "war"),
        *("kann", "darf", "muss", "soll", "è", "sono", "é", "são", "er", "är"),
    }
)
"""After these, `not` denies a sentence: a title, and no property."""
FREE_OF = ("free", "frei", "less", "los", "vrij", "fri", "fritt", "mentes")
"""What behind a thing says that it is not in it."""
NONE_OF = ("no", "non", "zero", "0%", "0 %")
"""Likewise, before it."""


def of_language(table: Words, language: str, more: str = "", always: Collection[str] = ()) -> list[str]:
    """Return the words of a table that count in a catalog, with and without accents, longest first.

    Args:
        table: language → words.
        language: of the catalog; `UNDETERMINED`, of none or of many: the words of all languages count.
        more: a language whose words count, too.
        always: words that count in every catalog.
    """
    chosen = {
        word
        for name, words in table.items()
        for word in words
        if language == UNDETERMINED or name in (language, more) or word in always
    }
    return sorted(chosen | set(map(unaccented, chosen)), key=lambda word: (-len(word), word))


def unaccented(word: str) -> str:
    """Return a word as those type it whose keyboard has no accents; Cyrillic and Greek keep theirs."""
    plain = "".join(c for c in unicodedata.normalize("NFD", word) if unicodedata.category(c) != "Mn")
    return plain if plain.isascii() else word
