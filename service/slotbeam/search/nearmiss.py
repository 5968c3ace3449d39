"""Near misses: a query word one edit away from a bound word (opt-in per binding), taken for a slip of the finger.

What reads as meant is no slip: digits are typed as they are meant (`rtx4070` is not `rtx4080`), and so is a word that
somebody knows (`press` is not `dress`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import takewhile

from slotbeam.language.fold import Folding

MIN_LETTERS = 5
"""Shorter bound words have too many neighbours that mean something else."""

IsWord = Callable[[str, str], bool]
"""(token, bound word) → whether the token is a word in its own right, and no other form of the bound one."""

_TOKEN = re.compile(r"[^\W_]+")


def tokens(canonical: str) -> list[str]:
    """Return the runs of letters and digits of a canonical text."""
    return _TOKEN.findall(canonical)


def one_edit_apart(a: str, b: str) -> bool:
    """Return whether one insertion, deletion, substitution or swap of neighbours turns `a` into another text, `b`."""
    if len(a) > len(b):
        a, b = b, a
    if len(b) - len(a) > 1 or a == b:
        return False
    first = _shared(a, b)
    if len(a) < len(b):
        return a[first:] == b[first + 1 :]
    if a[first + 1 :] == b[first + 1 :]:
        return True
    swapped = a[:first] + a[first + 1 : first + 2] + a[first : first + 1] + a[first + 2 :]
    return swapped == b


def touches_digit(a: str, b: str) -> bool:
    """Return whether the edit between two texts one edit apart is of a digit or beside one, wherever it may have been.

    A letter doubled or halved may be either of the two: each such place counts.
    """
    start, stop = _shared(a, b), _shared(a[::-1], b[::-1])
    low = max(0, min(start, len(a) - stop, len(b) - stop) - 1)
    return any(character.isdigit() for text in (a, b) for character in text[low : max(start, len(text) - stop) + 1])


class NearMisses:
    """Bound words that forgive a slip; immutable, safe to share between threads.

    Words are compared as they are typed and by what their spellings share: "snaekers" is a slip of "sneaker", too.

    Args:
        words: `(canonical word, its number)` of the bindings that opted in.
        bound: every bound word: none of their tokens is a misspelling, nor any spelling of them.
        folding: which spellings are one word.
    """

    def __init__(self, words: Iterable[tuple[str, int]], bound: Collection[str], folding: Folding) -> None:
        self._folding = folding
        self._tokens = frozenset(token for word in bound for token in tokens(word))
        self._keys = frozenset(map(self._key, {*self._tokens, *(word for word in bound if " " not in word)}))
        self._forms: dict[str, list[tuple[str, str, int]]] = {}
        for word, number in words:
            for form in {word} if " " in word else {word, self._key(word)}:
                if len(form) >= MIN_LETTERS:
                    for shorter in _shortened(form):
                        self._forms.setdefault(shorter, []).append((form, word, number))

    def find(self, canonical: str, is_word: IsWord) -> Iterator[tuple[int, int, int]]:
        """Yield `(start, end, word number)` for query tokens that miss a bound word by one edit.

        Args:
            canonical: the query.
            is_word: whether dictionary or catalog know a token as another word than the bound one; asked only of those
                that are one edit away.
        """
        for token in _TOKEN.finditer(canonical):
            text, key = token[0], self._key(token[0])
            if text in self._tokens or key in self._keys:
                continue
            missed = {(number, word) for form in {text, key} for number, word in self._missed(form)}
            for number, word in sorted(missed):
                if not is_word(text, word):
                    yield token.start(), token.end(), number
                    break

    def _missed(self, form: str) -> Iterator[tuple[int, str]]:
        for shorter in _shortened(form):
            for meant, word, number in self._forms.get(shorter, ()):
                if one_edit_apart(form, meant) and not touches_digit(form, meant):
                    yield number, word

    def _key(self, text: str) -> str:
        return "".join(token.key for token in self._folding.readings(text)[0])


def _shortened(text: str) -> set[str]:
    """Return `text` and what is left of it without any one character: two texts one edit apart share one of these."""
    return {text, *(text[:at] + text[at + 1 :] for at in range(len(text)))}


def _shared(a: str, b: str) -> int:
    """Return the length of the longest common beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
