"""Invented words: pronounceable, unique in one world, and never one edit from another planted or known word."""

from __future__ import annotations

from collections.abc import Iterable

from slotbeam_lab.world.hashing import Draws


def _sounds(text: str, silent: int = 0) -> tuple[str, ...]:
    return (*text.split(), *[""] * silent)


_ONSETS = _sounds("b br c ch cl d dr f fl fr g gl h j k l m n p pl pr qu r s sh sl sn st t tr tw v w y z")
_PLAIN = _sounds("b c d f g k l m n p r s t v w z")
_VOWELS = _sounds("a a e e i i o o u ai ea oo")
_CODAS = _sounds("l m n r s", silent=4)
_ENDS = {
    "brand": _sounds("a o ex in ora ix ler en ia um"),
    "place": _sounds("ia burg ona mere vale stad ora holm esti"),
    "slang": _sounds("er le y ie ock o up een it ump elle"),
    "planted": _sounds("u i o abu ozi iri umo ela aqi"),
}


class Inventor:
    """Makes words that nothing else in the world uses.

    Args:
        seed: the world's seed.
        taken: words that must not come out.
    """

    def __init__(self, seed: int, taken: Iterable[str]) -> None:
        self._seed = seed
        self.taken = set(taken)
        self._draws: dict[str, Draws] = {}

    def word(self, sort: str, syllables: int = 2, apart: bool = False) -> str:
        """Invent a word of one sort (`brand`, `place`, `slang`, `planted`); `apart`: no known word within one edit."""
        draws = self._draws.setdefault(sort, Draws(self._seed, "invent " + sort))
        while True:
            parts: list[str] = []
            for _ in range(syllables - 1):
                onsets = _PLAIN if parts else _ONSETS
                parts += [onsets[draws.below(len(onsets))], _VOWELS[draws.below(len(_VOWELS))]]
                parts.append(_CODAS[draws.below(len(_CODAS))])
            parts += [_PLAIN[draws.below(len(_PLAIN))], _ENDS[sort][draws.below(len(_ENDS[sort]))]]
            made = "".join(parts)
            if not 5 <= len(made) <= 10 or made in self.taken:
                continue
            if apart and any(near(made, known) for known in self.taken):
                continue
            self.taken.add(made)
            return made


def near(word: str, other: str) -> bool:
    """Whether one insertion, deletion, replacement or swap of neighbours turns `word` into `other`."""
    if abs(len(word) - len(other)) > 1:
        return False
    if word == other:
        return True
    start = 0
    while start < min(len(word), len(other)) and word[start] == other[start]:
        start += 1
    left, right = word[start:], other[start:]
    if len(left) == len(right):
        return left[1:] == right[1:] or (left[:2] == right[1::-1] and left[2:] == right[2:])
    return left[1:] == right if len(left) > len(right) else left == right[1:]


def shorten(word: str) -> str:
    """Abbreviate: the first letter and consonants of one word, the first three letters of each of many."""
    parts = word.replace("-", " ").split()
    if len(parts) > 1:
        return " ".join(part[:3] for part in parts)
    return word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou")[:4]


def misspell(word: str, draws: Draws) -> str:
    """One edit that people make: a swap, a lost letter, a doubled letter or another vowel; never the word itself."""
    if len(word) < 4:
        return word + word[-1]
    while True:
        at = 1 + draws.below(len(word) - 2)
        kind = draws.below(4)
        if kind == 0:
            made = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        elif kind == 1:
            made = word[:at] + word[at + 1 :]
        elif kind == 2:
            made = word[:at] + word[at] + word[at:]
        elif word[at] in "aeiou":
            made = word[:at] + "aeiou"[draws.below(5)] + word[at + 1 :]
        else:
            continue
        if made != word and " " not in made[at - 1 : at + 2]:
            return made
