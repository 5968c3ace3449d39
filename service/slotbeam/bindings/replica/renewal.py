"""Compiled bindings for the next version of a catalog: only those are made anew whose items changed. Pure.

What a binding is made of follows from the edited items alone: their rows go, and come where it names them or where,
its match being live, their texts hold one of its words. Which bindings these are is asked of all of them at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cached_property

import numpy as np

from slotbeam.bindings.binding import MAX_ITEMS
from slotbeam.bindings.replica.overlay import bound_of, compile_binding, pinned_of
from slotbeam.catalog.table import Catalog
from slotbeam.kae.matcher import Folded, Matcher
from slotbeam.language.boundaries import Boundaries
from slotbeam.language.fold import Folding
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Overlay, Pinned

Owners = list[set[int]]
"""Number of a word → the bindings that it finds."""


class LiveMatches:
    """The words of bindings whose match is live: one pass over a text tells which of the bindings it is an item's of.

    Args:
        folding: which spellings are one word.
        pinned: bindings, as an overlay has them; they are told by their numbers there.
    """

    def __init__(self, folding: Folding, pinned: Iterable[Pinned] = ()) -> None:
        self._folding = folding
        self._live = {number: one for number, one in enumerate(pinned) if bound_of(one).live}

    def holders(self, text: str) -> set[int]:
        """Return the bindings that have a word in a canonical text, as `Catalog.match` looks for it."""
        if not self._live:
            return set()
        (spelt, owners), (folded, alike), shared = self._automata
        found = set().union(*(owners[word] for _, _, word in spelt.find_all(text)))
        more = folded.find_all(text, Boundaries(text, self._folding.language))
        others = set().union(*(alike[word] for _, _, word in more)) - found
        return found | {number for number in others if number not in shared or self._is_in(text, self._live[number])}

    def _is_in(self, text: str, one: Pinned) -> bool:
        return bool(Matcher(one.words, self._folding).find_all(text))

    @cached_property
    def _automata(self) -> tuple[tuple[Matcher, Owners], tuple[Folded, Owners], set[int]]:
        """Of words as they are spelt, and of those that are found in other spellings, too; and who shares of these.

        Of words that share a spelling the second automaton finds the first alone: it stands for all of them.
        """
        spelt: dict[str, set[int]] = {}
        keyed: dict[str, set[int]] = {}
        for number, one in self._live.items():
            for word in one.words:
                spelt.setdefault(word, set()).add(number)
                for key in () if one.exact else self._folding.keys(word):
                    keyed.setdefault(key, set()).add(number)
        loose = list(dict.fromkeys(word for one in self._live.values() if not one.exact for word in one.words))
        alike = [set().union(*(keyed[key] for key in self._folding.keys(word))) for word in loose]
        shared = set().union(*(numbers for numbers in alike if len(numbers) > 1))
        as_spelt = Matcher(list(spelt), self._folding, spelt)
        return (as_spelt, list(spelt.values())), (Folded(loose, self._folding), alike), shared


def with_items(
    before: Artifact,
    artifact: Artifact,
    overlay: Overlay,
    live: LiveMatches,
    changed: Collection[str],
    limit: int = MAX_ITEMS,
) -> Overlay:
    """Return the overlay for another version of the catalog; a binding that it does not concern stays what it is.

    Args:
        before: that `overlay` was compiled against.
        artifact: with this version.
        live: of the overlay's bindings.
        changed: ids of items that were edited in between. Rows are numbered as before.
        limit: of the items of a binding that match.
    """
    if not overlay.pinned:
        return overlay
    old, new = _rows_of(before.catalog, changed), _rows_of(artifact.catalog, changed)
    moved = {item_id for item_id in changed if old.get(item_id) != new.get(item_id)}
    # Popularity moves no row, and yet it says which items are cut off.
    read = changed if any(one.cut for one in overlay.pinned) else moved
    found: dict[int, list[int]] = {}  # binding → rows that it finds; none where it found what is gone
    for row in (old[item_id] for item_id in read if item_id in old):
        found |= {number: [] for number in live.holders(before.catalog.texts[row])}
    for row in (new[item_id] for item_id in read if item_id in new):
        for number in live.holders(artifact.catalog.texts[row]):
            found.setdefault(number, []).append(row)
    gone = [old[item_id] for item_id in moved if item_id in old]
    came = {item_id: new[item_id] for item_id in moved if item_id in new}
    pinned = (
        one
        if number not in found and moved.isdisjoint(bound_of(one).item_ids)
        else _renewed(artifact, one, moved, gone, came, found.get(number, []), limit)
        for number, one in enumerate(overlay.pinned)
    )
    return replace(overlay, pinned=tuple(pinned))


def _renewed(
    artifact: Artifact,
    one: Pinned,
    moved: Collection[str],
    gone: list[int],
    came: dict[str, int],
    found: list[int],
    limit: int,
) -> Pinned:
    """Return a binding without the rows that are `gone`, and with those that it `found` or names of what `came`."""
    bound = bound_of(one)
    named = [item_id for item_id in bound.item_ids if item_id in moved]
    own = np.array([*found, *(came[item_id] for item_id in named if item_id in came)], np.int64)
    rows = np.union1d(np.setdiff1d(one.rows, gone), own)
    lacking = {*one.missing, *named} - came.keys()
    missing = (
        tuple(item_id for item_id in dict.fromkeys(bound.item_ids) if item_id in lacking) if named else one.missing
    )
    if bound.live and (one.cut or len(rows) + len(missing) > limit):
        return compile_binding(artifact, bound, limit)
    return pinned_of(artifact, bound, rows, missing)


def _rows_of(catalog: Catalog, item_ids: Collection[str]) -> dict[str, int]:
    found, missing = catalog.rows_of(item_ids)
    absent = set(missing)
    return dict(zip((item_id for item_id in item_ids if item_id not in absent), found, strict=True))
