"""The stem of a word: what its forms share. Accents are taken off first, so that it matters not who types them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import Stemmer

from slotbeam.language.endings import ENDINGS

Change = Callable[[str], str]

_RICH = (
    "ca:catalan el:greek et:estonian eu:basque fi:finnish ga:irish hi:hindi hu:hungarian hy:armenian id:indonesian "
    "lt:lithuanian pl:polish ro:romanian ru:russian sr:serbian ta:tamil yi:yiddish"
)
_SNOWBALL = dict(pair.split(":") for pair in _RICH.split())
"""Languages of rich inflection: no short list of endings would do."""
_LEAST_STEMMED, _LEAST_STEM = 4, 3
_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "n", "ə": "e"}
)
_ACCENTS = re.compile("(?<=[a-zα-ω])[\u0300-\u036f]+|[\u0653-\u0655]")
_ARABIC = str.maketrans({"ة": "ه", "ٱ": "ا", "ء": ""})
_ARABIC_FORMS = re.compile(r"^(?:[وفبك]?ال|لل)(?=\w{3})|(?<=\w{3})(?:ات|ون|ين|ه)$")
# Written out where a keyboard has no umlaut: "ae" is "ä" but at an end ("aloe") and after what makes it a diphthong.
_UMLAUTS = {
    "de": re.compile(r"(?<![aeq])([aou])e(?=[^\W\d_])"),
    "da": re.compile(r"([ao])e(?=[^\W\d_])|(a)a"),
    "no": re.compile(r"([ao])e(?=[^\W\d_])|(a)a"),
}
_UMLAUTS["nb"] = _UMLAUTS["no"]
_TOLD_APART = {
    "de": "kueche:küche,küchen,kueche,kuechen schoen:schön,schöne,schönen,schöner,schönes,schoen,schoene "
    "baer:bär,bären,baer,baeren gebaeck:gebäck,gebaeck"
}
"""Words that nothing but their umlaut tells from another one, as they are typed in full."""


def unaccented(word: str, language: str) -> str:
    """Return a canonical word in plain letters: as people type it whose keyboard has no others.

    Marks of Latin and Greek letters and the hamza are dropped; those of other scripts are letters ("й").
    """
    if not word.isascii():
        word = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", word.translate(_LETTERS))))
        word = word.translate(_ARABIC) or word
    umlauts = _UMLAUTS.get(language)
    return umlauts.sub(lambda found: "".join(filter(None, found.groups())), word) if umlauts else word


def stemmer(language: str) -> Change:
    """Return what takes a canonical word of letters to its stem; without a language, to the word without accents."""
    classes = [own.split(":") for own in _TOLD_APART.get(language, "").split()]
    own = {word: stem for stem, words in classes for word in words.split(",")}
    uninflected = _uninflected(language)

    def stem(word: str) -> str:
        return own.get(word) or uninflected(unaccented(word, language))

    return stem


def _uninflected(language: str) -> Change:
    if language in ENDINGS:
        return _Inflection(language).strip
    if language == "ar":
        return lambda word: _ARABIC_FORMS.sub("", word)
    if _SNOWBALL.get(language) not in Stemmer.algorithms():
        return lambda word: word
    # One stemmer at a time is safe: the interpreter holds its lock while it runs.
    snowball = Stemmer.Stemmer(_SNOWBALL[language])

    def strip(word: str) -> str:
        stem = str(snowball.stemWord(word)) if len(word) >= _LEAST_STEMMED else word
        return stem if len(stem) >= _LEAST_STEM else word

    return strip


class _Inflection:
    """The endings of one language, read from their table."""

    def __init__(self, language: str) -> None:
        table = ENDINGS[language]
        self._words = {form: stem or form for form, _, stem in (word.partition(">") for word in table.words.split())}
        self._endings: dict[str, tuple[str, int]] = {}
        for rule in table.of.split():
            ending, _, rest = rule.partition(">")
            left, _, least = rest.partition(":")
            self._endings[ending] = left, int(least or (0 if left == ending else _LEAST_STEM))
        self._longest = max(map(len, self._endings))

    def strip(self, word: str) -> str:
        """Return a word without accents without its ending."""
        if word in self._words:
            return self._words[word]
        for length in range(min(self._longest, len(word)), 0, -1):
            left, least = self._endings.get(word[-length:], ("", len(word)))
            if len(word) - length >= least:
                stem = word[:-length]
                return _closed(stem) if left == "+" else stem + left
        return word


_OPEN = re.compile(r"(?<![aeiouy])([aou])([bcdfgklmnprstvz])$")
_DOUBLED = re.compile(r"([bdfgklmnprst])\1$")
_SOFT = {"z": "s", "v": "f"}


def _closed(stem: str) -> str:
    """Return a Dutch stem as it is written without a vowel behind it."""
    if _DOUBLED.search(stem):
        return stem[:-1]
    stem = _OPEN.sub(r"\1\1\2", stem)
    return stem[:-1] + _SOFT.get(stem[-1:], stem[-1:])
