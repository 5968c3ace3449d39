"""Who holds which word: in the spelling that is bound, or in any other that is the same word. Pure code."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from slotbeam.bindings.binding import Binding
from slotbeam.bindings.listing import Listing, word_taken
from slotbeam.bindings.spec import BindingSpec
from slotbeam.bindings.words import read_again, reading_of, skeleton
from slotbeam.errors import WordTaken
from slotbeam.language.fold import Folding

_REMEMBERED = 2**16


class Likeness(StrEnum):
    """Why a word is one that is held already; the value joins the two in a message."""

    SAME = "is"
    LOOKS = "looks like"
    SPELT = "is another spelling of"


class Held(NamedTuple):
    """A word that is held: as it is read, by whom, and whether in this spelling only."""

    word: str
    holder: str
    exact: bool = False


class HeldWords:
    """The words of many bindings on slots, by all that makes another text the same word. A rule holds no word.

    Args:
        folding: which spellings are one word.
        bindings: whose words are held; drafts hold none.
        asked: the only words that `find` will be asked for; None for any.
    """

    def __init__(
        self, folding: Folding, bindings: Iterable[Binding] = (), asked: Collection[str] | None = None
    ) -> None:
        self._folding = folding
        self._asked = None if asked is None else {mark for word in asked for mark in marks_of(folding, word)}
        self._known: dict[str, list[Held]] = {}
        for binding in bindings:
            if binding.holds_words:
                self.add(binding.words, binding.id, binding.exact)

    def add(self, words: Iterable[str], holder: str, exact: bool) -> None:
        """Hold `words` from now on."""
        for stored in words:
            marks = marks_of(self._folding, stored)
            if self._asked is None or not self._asked.isdisjoint(marks):
                held = Held(reading_of(stored), holder, exact)
                for mark in marks:
                    self._known.setdefault(mark, []).append(held)

    def find(self, word: str, own: str | None, exact: bool) -> tuple[Held, Likeness] | None:
        """Return what another binding than `own` holds and `word` is the same as; its very spelling goes first.

        Two that ask for their exact spelling only may each hold a spelling of one word.
        """
        for mark, like in marks_of(self._folding, word).items():
            for held in self._known.get(mark, ()):
                if held.holder != own and not (like is Likeness.SPELT and exact and held.exact):
                    return held, like
        return None

    def holders(self, words: Iterable[str]) -> set[str]:
        """Return who holds one of `words` in this very spelling."""
        return {held.holder for word in words for held in self._known.get(f"={word}", ())}


@lru_cache(_REMEMBERED)
def marks_of(folding: Folding, stored: str) -> Mapping[str, Likeness]:
    """Return what another word has in common with a stored one that is the same, and why it is: likest first."""
    word = reading_of(stored)
    keys = dict.fromkeys(folding.keys(word), Likeness.SPELT)
    return {f"={word}": Likeness.SAME, f"~{skeleton(word)}": Likeness.LOOKS, **keys}  # keys begin with a blank


def refuse_twins(folding: Folding, listing: Listing, wanted: BindingSpec, before: Binding | None, now_ms: int) -> None:
    """Refuse a word that another binding holds, in any spelling, or that only looks like one. Raises `WordTaken`."""
    words, own = new_words(wanted, before), before.id if before else None
    held = HeldWords(folding, listing.bindings.values() if words else (), words)
    for word in words:
        if found := held.find(word, own, wanted.exact):
            raise taken(listing, word, *found, now_ms)


def new_words(wanted: BindingSpec, before: Binding | None) -> Sequence[str]:
    """Return the words of `wanted` that its binding does not hold yet: what it holds is no edit's to refuse."""
    if before is None or before.draft or (before.exact and not wanted.exact):
        return wanted.words
    held = read_again(before.words)
    return [word for word in read_again(wanted.words) if word not in held]


def found_by(folding: Folding, bindings: Iterable[Binding]) -> set[str]:
    """Return all that `spelt` has to say of a text for one of the bindings, drafts included, to be found by it.

    A rule that reads its words otherwise knows them, too; one that hides, orders or weighs does not.
    """
    return {
        mark
        for binding in bindings
        if not binding.is_rule or binding.alias or binding.replace or binding.filter
        for word in read_again(binding.words)
        for mark in ((word,) if binding.exact else spelt(folding, word))
    }


def spelt(folding: Folding, word: str) -> tuple[str, ...]:
    """Return a word as it is spelt, and its keys: blanks around them tell these from words."""
    return word, *folding.keys(word)


def as_stored(listing: Listing, words: Sequence[str], before: Binding) -> tuple[str, ...]:
    """Return `words`, each that `before` holds as it is stored where another binding holds what it reads today."""
    stored = {reading_of(word): word for word in before.words}
    kept = {word for word in stored if listing.words.get(word, before.id) != before.id}
    return tuple(stored[word] if word in kept else word for word in words)


def taken(listing: Listing, word: str, held: Held, like: Likeness, now_ms: int) -> WordTaken:
    """Make the error that says who holds a word."""
    return word_taken(listing, word, held.holder, now_ms, *(() if like is Likeness.SAME else (like.value, held.word)))
