"""A binding placed under another category because the position of its own is full: what can be known of that. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from slotbeam.bindings.binding import Binding
from slotbeam.bindings.edits.plan import Edit
from slotbeam.bindings.listing import Listing, first_free
from slotbeam.bindings.words import read_again
from slotbeam.errors import NoFreeSlot
from slotbeam.search.artifact import Artifact
from slotbeam.suggestions.guess import Guesser

SURE = 0.5
"""A guessed category is named where it is likelier than all others together."""
MOST_GUESSED = 3
"""Words of a binding that are looked for in item texts."""


def misplaced(
    artifact: Artifact, listing: Listing, edit: Edit, guesser: Callable[[], Guesser] | None = None
) -> list[str]:
    """Warn where an edit puts a binding into a position while that of its words' own category is full.

    A word's own category is what the dictionary says or, where it does not know the word, a guess from the items whose
    text holds it. Of a word that no text holds nothing can be known, and nothing is said.

    Args:
        listing: before or after the edit: it is about another position than the one that is full.
        edit: only one that places a binding, new or until now a draft, is warned of.
        guesser: None warns by the dictionary alone.
    """
    binding = edit.after
    if binding is None or edit.slot is None or (edit.before is not None and not edit.before.draft):
        return []
    full = dict(_full_positions(artifact, listing))
    full.pop(edit.slot.position, None)
    if not full:
        return []
    for category, why in _own_categories(artifact, binding, guesser):
        problem = full.get(artifact.kae.codebook.position_of(category))
        if problem:
            group = artifact.kae.codebook.group_name(edit.slot.position)
            return [
                f"{why}, and {problem}. On a slot of {group} it stands in for what a query says of {group}: its items "
                "still come first, but that word of the query no longer orders them"
            ]
    return []


def _full_positions(artifact: Artifact, listing: Listing) -> Iterator[tuple[int, str]]:
    """Yield each position without a free slot, and what the bind there would be refused with."""
    codebook = artifact.kae.codebook
    for position in range(len(codebook)):
        bindable = codebook.bindable(position)
        if len(listing.taken.get(position, ())) < len(bindable):
            continue  # of the rows of a file each asks
        try:
            first_free(listing, position, bindable, codebook.group_name(position))
        except NoFreeSlot as error:
            yield position, str(error)


def _own_categories(
    artifact: Artifact, binding: Binding, guesser: Callable[[], Guesser] | None
) -> Iterator[tuple[str, str]]:
    """Yield the categories of a binding's words, and how each is known: what is certain first."""
    dictionary = artifact.kae.dictionary
    words = read_again(binding.words)
    known = {word: number for word in words if (number := dictionary.concept_of(word)) is not None}
    for word, number in known.items():
        category = dictionary[number].category
        yield category, f'"{word}" has the category {category} in the dictionary'
    if known or guesser is None:
        return
    for word in words[:MOST_GUESSED]:
        rows = artifact.catalog.match([word])
        if len(rows):
            best = guesser().guess(word, rows.tolist())[0]
            if best.share >= SURE:
                yield best.category, f'"{word}" looks like the category {best.category} ({best.why})'
