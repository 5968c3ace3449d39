"""Active bindings → overlay: a mini-trie a binding and one matcher for all bound words.

Built off the event loop. Pieces whose binding did not change are taken from the previous overlay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.arrays import run_starts
from slotbeam.bindings.binding import Binding
from slotbeam.errors import BindingError
from slotbeam.kae.matcher import Matcher
from slotbeam.search.artifact import Artifact
from slotbeam.search.nearmiss import tokens
from slotbeam.search.snapshot import EMPTY_OVERLAY, PLACEMENTS, Overlay, Pinned, Placement
from slotbeam.trie.build import build_trie, sid_order
from slotbeam.types import Slot


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding placed on a slot, with its items: all that a compiled binding depends on.

    `words` are canonical; `item_ids` may name items the catalog does not hold (they are skipped and reported).
    """

    id: str
    slot: Slot
    words: tuple[str, ...]
    item_ids: tuple[str, ...]
    placement: str = "top"
    near_miss: bool = False

    @classmethod
    def of(cls, binding: Binding, slot: Slot, item_ids: tuple[str, ...]) -> Bound:
        """Return `binding` on `slot`: those of its fields that this class has."""
        said = {name: value for name, value in binding.values().items() if name in cls.__slots__}
        return cls(**said, id=binding.id, slot=slot, item_ids=item_ids)


def build_overlay(artifact: Artifact, bound: Sequence[Bound], previous: Overlay | None = None) -> Overlay:
    """Compile `bound`.

    Raises:
        BindingError: a binding is on a slot that is not reserved, has no word, or shares a slot or word with another.
    """
    known = {pinned.built_from: pinned for pinned in previous.pinned} if previous else {}
    ordered = sorted(bound, key=lambda b: b.slot)
    compiled = tuple(known.get(built_from(artifact, b)) or compile_binding(artifact, b) for b in ordered)
    slots: dict[Slot, str] = {}
    words: dict[str, int] = {}
    for i, pinned in enumerate(compiled):
        if pinned.slot in slots:
            raise BindingError(
                f"slot {pinned.slot} holds both {slots[pinned.slot]} and {pinned.id}; a slot holds one binding"
            )
        slots[pinned.slot] = pinned.id
        for word in pinned.words:
            if word in words:
                raise BindingError(
                    f"{word!r} is bound by both {compiled[words[word]].id} and {pinned.id}; a word has one binding"
                )
            words[word] = i
    if not compiled:
        return EMPTY_OVERLAY
    near = tuple((word, n) for n, (word, owner) in enumerate(words.items()) if compiled[owner].near_miss)
    parts = frozenset(token for word in words for token in tokens(word)) if near else frozenset()
    return Overlay(compiled, tuple(words), tuple(words.values()), near, parts, Matcher(list(words)))


def compile_binding(artifact: Artifact, bound: Bound) -> Pinned:
    """Build the mini-trie of one binding. Raises `BindingError`."""
    codebook = artifact.kae.codebook
    position = bound.slot.position
    if position >= len(codebook.sizes) or bound.slot.index not in codebook.reserved(position):
        raise BindingError(f"{bound.slot} is not a reserved slot of this codebook")
    if not bound.words or not all(bound.words):
        raise BindingError(f"binding {bound.id} has no word, or an empty one")
    if bound.placement not in PLACEMENTS:
        raise BindingError(f"placement {bound.placement!r} is unknown; allowed: {', '.join(PLACEMENTS)}")
    found, missing = artifact.catalog.rows_of(dict.fromkeys(bound.item_ids))
    rows = np.array(sorted(found), np.int64)  # row order is popularity order within a SID
    sids = artifact.catalog.sids[rows].astype(np.int64).reshape(len(rows), len(codebook.sizes))
    sids[:, position] = bound.slot.index
    order = sid_order(sids)
    rows, sids = rows[order], sids[order]
    return Pinned(
        id=bound.id,
        slot=bound.slot,
        words=bound.words,
        placement=Placement(bound.placement),
        trie=build_trie(sids),
        rows=rows,
        leaf_items=np.append(run_starts(sids), len(rows)),
        missing=tuple(missing),
        built_from=built_from(artifact, bound),
        near_miss=bound.near_miss,
    )


def built_from(artifact: Artifact, bound: Bound) -> object:
    """Return what a compiled binding depends on: what is built from an equal value need not be compiled again."""
    return (artifact, bound)  # an artifact compares by identity: a new one makes every piece new
