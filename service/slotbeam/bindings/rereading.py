"""What a store holds that today's normaliser reads otherwise: for people, who decide what becomes of it. Pure code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from slotbeam.bindings.binding import Binding
from slotbeam.bindings.held import Held, HeldWords, Likeness
from slotbeam.bindings.words import canonical_words, read_again, reading_of
from slotbeam.errors import SlotbeamError
from slotbeam.language.fold import Folding


class Reread(NamedTuple):
    """A stored word that reads otherwise today.

    Attributes:
        problem: why it could not be bound today; None of one that could.
    """

    binding: Binding
    stored: str
    reading: str
    problem: str | None = None


class Clash(NamedTuple):
    """A word of a binding that is one word with what an older binding holds; both are served."""

    binding: Binding
    word: str
    likeness: Likeness
    older: Held


def reread(bindings: Iterable[Binding]) -> Iterator[Reread]:
    """Yield every stored word that reads otherwise, or could not be bound any more."""
    for binding in bindings:
        for stored in binding.words:
            reading, problem = reading_of(stored), _problem(stored)
            if reading != stored or problem:
                yield Reread(binding, stored, reading, problem)


def clashes(folding: Folding, bindings: Iterable[Binding]) -> Iterator[Clash]:
    """Yield every word that an older binding holds, too, as the words are read today."""
    held = HeldWords(folding)
    for binding in sorted(bindings, key=lambda one: (one.created_at, one.id)):
        if not binding.holds_words:
            continue
        for word in read_again(binding.words):
            if found := held.find(word, binding.id, binding.exact):
                yield Clash(binding, word, found[1], found[0])
        held.add(binding.words, binding.id, binding.exact)


def _problem(stored: str) -> str | None:
    try:
        canonical_words([stored])
    except SlotbeamError as error:
        return str(error)
    return None
