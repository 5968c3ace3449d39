"""Which spellings of a bound word will match: those that people or the catalog use, else some that they may. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from slotbeam.kae.matcher import Matcher
from slotbeam.language.fold import Folding
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact

SHOWN = 12
TEXTS_READ = 200
"""Items whose text is read for spellings."""

_PLURALS: dict[str, tuple[tuple[str, str], ...]] = {
    "da": (("e", "er"), ("", "er"), ("", "e")),
    "de": (("e", "en"), ("", "e"), ("", "en"), ("", "s")),
    "el": (("ος", "οι"), ("ι", "ια"), ("ο", "α"), ("α", "ες")),
    "en": (("y", "ies"), ("s", "ses"), ("sh", "shes"), ("ch", "ches"), ("x", "xes"), ("", "s")),
    "es": (("z", "ces"), ("", "s"), ("", "es")),
    "fi": (("", "t"),),
    "fr": (("eau", "eaux"), ("", "s")),
    "hu": (("", "k"), ("", "ok"), ("", "ek")),
    "it": (("a", "e"), ("o", "i"), ("e", "i")),
    "nl": (("", "en"), ("", "s")),
    "no": (("e", "er"), ("", "er")),
    "pl": (("a", "y"), ("", "y"), ("", "i")),
    "pt": (("", "s"), ("", "es")),
    "ru": (("а", "ы"), ("а", "и"), ("", "ы"), ("", "и")),
    "sv": (("a", "or"), ("", "ar"), ("", "er")),
    "tr": (("", "lar"), ("", "ler")),
}
"""Language → what a word ends in, and its plural: the first that is a spelling of the word is shown."""


class OtherSpelling(NamedTuple):
    """Another spelling that matches; `seen` is `queries`, `catalog`, `dictionary`, or None where nobody used it yet."""

    text: str
    seen: str | None


def spellings_of(
    word: str, artifact: Artifact, queries: Sequence[str], matches: Callable[[str], bool], limit: int = SHOWN
) -> list[OtherSpelling]:
    """Return other spellings of a word that match, at most `limit`: what is used goes before what may be.

    Args:
        word: canonical.
        artifact: whose dictionary, items and language are looked at.
        queries: canonical ones that people asked.
        matches: whether a text of its own would trigger the binding of the word.
    """
    folding = artifact.folding
    rows = artifact.catalog.match([word])[:TEXTS_READ]
    used: list[tuple[str | None, Iterable[str]]] = [
        ("queries", queries),
        ("catalog", (artifact.catalog.texts[int(row)] for row in rows)),
        ("dictionary", [word_ for word_ in artifact.kae.dictionary.surfaces if folding.same(word_, word)]),
    ]
    matcher, found = Matcher([word], folding), {word: OtherSpelling(word, None)}
    for seen, texts in used:
        for text in texts:
            for start, end, _ in matcher.find(text):
                found.setdefault(text[start:end], OtherSpelling(text[start:end], seen))
    for text in variants(word, folding):
        found.setdefault(text, OtherSpelling(text, None))
    del found[word]
    return list(islice((one for one in found.values() if matches(one.text)), limit))


def variants(word: str, folding: Folding) -> Iterator[str]:
    """Yield spellings that a canonical word may have: joined and apart, without accents, in the plural."""
    plain = unicodedata.normalize("NFC", "".join(c for c in unicodedata.normalize("NFD", word) if not _is_mark(c)))
    forms = [plain, *(word.replace(a, b) for a, b in ((" ", "-"), ("-", " "), ("-", "")))]
    pairs = ((one, many) for one, many in _PLURALS.get(folding.language, ()) if word.endswith(one))
    plurals = (f"{word[: len(word) - len(one)]}{many}" for one, many in pairs)
    forms += islice((text for text in plurals if folding.same(text, word)), 1)
    yield from dict.fromkeys(text for text in map(normalize, forms) if text not in ("", word))


def unneeded(words: Sequence[str], folding: Folding) -> dict[str, str]:
    """Return word → another of `words` in all whose spellings it is found, for each that can be left out."""
    keys = {word: set(folding.keys(word)) for word in words}
    dropped: dict[str, str] = {}
    for word in reversed(words):
        others = (other for other in words if other != word and other not in dropped and keys[word] <= keys[other])
        if keys[word] and (other := next(others, None)):
            dropped[word] = other
    return {word: dropped[word] for word in words if word in dropped}


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) == "Mn"
