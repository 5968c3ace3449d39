"""Placed bindings → an overlay: a mini-trie a binding, and one matcher for all bound words. Pure.

Built off the event loop. Pieces whose binding did not change are taken from the previous overlay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from slotbeam.arrays import run_starts
from slotbeam.bindings.binding import MAX_ITEMS, Binding
from slotbeam.bindings.spec import NO_JSON, Json, json_of
from slotbeam.bindings.words import read_again
from slotbeam.errors import BindingError
from slotbeam.kae.matcher import Matcher
from slotbeam.search.artifact import Artifact
from slotbeam.search.nearmiss import NearMisses
from slotbeam.search.rules.matching import Trip
from slotbeam.search.rules.rule import Trigger
from slotbeam.search.snapshot import EMPTY_OVERLAY, PLACEMENTS, Overlay, Pinned, Placement
from slotbeam.trie.build import build_trie, sid_order
from slotbeam.types import IntArray, Slot


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding placed on a slot, with its items: all that a compiled binding depends on.

    `words` are as they are stored; `item_ids` may name items the catalog does not hold (they are skipped and reported);
    every item whose text holds a word is one, too, where it is `live`; `created_at` (unix ms) tells which of two
    bindings is the older. `binding` is what it was made of.
    """

    id: str
    slot: Slot
    words: tuple[str, ...]
    item_ids: tuple[str, ...]
    placement: str = Placement.TOP
    near_miss: bool = False
    exact: bool = False
    live: bool = False
    created_at: int = 0
    trigger: str = Trigger.CONTAINS
    unless: tuple[str, ...] = ()
    when: Json = NO_JSON
    binding: Binding | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, binding: Binding, slot: Slot, item_ids: tuple[str, ...], before: Bound | None = None) -> Bound:
        """Return `binding` on `slot`: those of its fields that this class has.

        Of thousands nearly all are the very ones that were there `before` an edit.
        """
        if before is not None and before.binding is binding and before.item_ids is item_ids and before.slot == slot:
            return before
        said = {name: value for name, value in binding.values().items() if name in cls.__slots__}
        said |= {"live": binding.is_live, "created_at": binding.created_at}
        return cls(**said, id=binding.id, slot=slot, item_ids=item_ids, binding=binding)


def build_overlay(artifact: Artifact, bound: Sequence[Bound], previous: Overlay | None = None) -> Overlay:
    """Compile `bound`.

    Raises:
        BindingError: a binding is on a slot that is not reserved, has no word, or shares a slot or a stored word.
    """
    known = {pinned.id: pinned for pinned in previous.pinned} if previous else {}
    ordered = sorted(bound, key=lambda b: (b.slot.position, b.slot.index))
    compiled = tuple(_compiled(artifact, b, known.get(b.id)) for b in ordered)
    _refuse_shared(ordered)
    if not compiled:
        return EMPTY_OVERLAY
    words = _words_of(ordered, compiled)
    # Of thousands of bindings few are exact, or found by a near miss.
    exacts = {number for number, one in enumerate(compiled) if one.exact}
    nears = {number for number, one in enumerate(compiled) if one.near_miss} - exacts
    exact = {word for word, owners in words.items() if exacts.issuperset(owners)} if exacts else ()
    near = (
        [(word, n) for n, (word, owners) in enumerate(words.items()) if not nears.isdisjoint(owners)] if nears else ()
    )
    return Overlay(
        pinned=compiled,
        words=tuple(words),
        owners=tuple(words.values()),
        near=NearMisses(near, words, artifact.folding) if near else None,
        matcher=Matcher(list(words), artifact.folding, exact),
    )


def _refuse_shared(bound: Sequence[Bound]) -> None:
    """Refuse what the store's checks rule out: one slot, or one word as it is stored, in two bindings."""
    stored = list(chain.from_iterable(one.words for one in bound))
    if len({one.slot for one in bound}) == len(bound) and len(set(stored)) == len(stored):
        return
    slots: dict[Slot, str] = {}
    words: dict[str, str] = {}
    for one in bound:
        if one.slot in slots:
            raise BindingError(f"slot {one.slot} holds both {slots[one.slot]} and {one.id}; a slot holds one binding")
        slots[one.slot] = one.id
        for word in one.words:
            if word in words:
                raise BindingError(f"{word!r} is bound by both {words[word]} and {one.id}; a word has one binding")
            words[word] = one.id


def _words_of(bound: Sequence[Bound], compiled: Sequence[Pinned]) -> dict[str, tuple[int, ...]]:
    """Return each word as it is read and the bindings that hold it, first the one that goes first; oldest words first.

    Words that older rules kept apart may read the same: all their bindings are served. The one whose stored word is
    what a query says goes first, then the older.
    """
    words: dict[str, tuple[int, ...]] = {}
    for _, _, n in sorted((one.created_at, one.id, n) for n, one in enumerate(bound)):
        for word in compiled[n].words:
            words[word] = (*words.get(word, ()), n)
    return {word: held if len(held) == 1 else _in_turn(word, held, bound) for word, held in words.items()}


def _in_turn(word: str, held: Sequence[int], bound: Sequence[Bound]) -> tuple[int, ...]:
    return tuple(sorted(held, key=lambda n: word not in bound[n].words))


def _compiled(artifact: Artifact, bound: Bound, known: Pinned | None) -> Pinned:
    """Return a binding compiled; the one that is known, where it is built from the same."""
    if known is not None and known.built_from == built_from(artifact, bound):
        return known
    return compile_binding(artifact, bound)


def compile_binding(artifact: Artifact, bound: Bound, limit: int = MAX_ITEMS) -> Pinned:
    """Build the mini-trie of one binding, of at most `limit` items where they match. Raises `BindingError`."""
    codebook = artifact.kae.codebook
    position = bound.slot.position
    if position >= len(codebook.sizes) or bound.slot.index not in codebook.bindable(position):
        raise BindingError(f"{bound.slot} is not a reserved slot of this codebook")
    if not bound.words or not all(bound.words):
        raise BindingError(f"binding {bound.id} has no word, or an empty one")
    if bound.placement not in PLACEMENTS:
        raise BindingError(f"placement {bound.placement!r} is unknown; allowed: {', '.join(PLACEMENTS)}")
    found, missing = artifact.catalog.rows_of(dict.fromkeys(bound.item_ids))
    rows: IntArray = np.array(sorted(found), np.int64)
    cut = 0
    if bound.live:
        rows, cut = _with_matching(artifact, bound, rows, limit - len(missing))
    return pinned_of(artifact, bound, rows, missing, cut)


def _with_matching(artifact: Artifact, bound: Bound, named: IntArray, limit: int) -> tuple[IntArray, int]:
    """Return `named` rows with those that match, `limit` in all where they are not more; and how many are left out.

    The most popular go first, then as their ids do: the same ones in every replica, whatever their rows are.
    """
    catalog = artifact.catalog
    more = np.setdiff1d(catalog.match(read_again(bound.words), bound.exact), named)
    cut = max(0, len(more) - max(0, limit - len(named)))
    if cut:
        more = more[np.lexsort((catalog.id_order(more), -catalog.prior.take(more)))][: len(more) - cut]
    return np.union1d(named, more), cut


def pinned_of(artifact: Artifact, bound: Bound, rows: IntArray, missing: Sequence[str], cut: int = 0) -> Pinned:
    """Return a binding that is compiled of its items.

    Args:
        rows: (M,) int64, rising: row order is popularity order within a SID.
        missing: ids that it names and the catalog does not hold.
        cut: see `Pinned`.
    """
    sids = artifact.catalog.sids[rows].astype(np.int64).reshape(len(rows), len(artifact.kae.codebook.sizes))
    sids[:, bound.slot.position] = artifact.kae.codebook.decoded_as(bound.slot)
    order = sid_order(sids)
    rows, sids = rows[order], sids[order]
    return Pinned(
        id=bound.id,
        slot=bound.slot,
        words=read_again(bound.words),
        placement=Placement(bound.placement),
        trie=build_trie(sids),
        rows=rows,
        leaf_items=np.append(run_starts(sids), len(rows)),
        missing=tuple(missing),
        built_from=built_from(artifact, bound),
        near_miss=bound.near_miss,
        exact=bound.exact,
        cut=cut,
        trip=Trip.of(bound.trigger, read_again(bound.unless), artifact.folding),
        when=json_of(bound.when),
    )


def built_from(artifact: Artifact, bound: Bound) -> object:
    """Return what a compiled binding depends on: what is built from an equal value need not be compiled again."""
    # A trie compares by identity: a new index makes every piece new. Live items do not, see `renewal.py`.
    return (artifact.trie, bound)


def bound_of(pinned: Pinned) -> Bound:
    """Return what a binding was compiled from."""
    bound: Bound = pinned.built_from[1]  # type: ignore[index]
    return bound


Build = Callable[..., Overlay]
"""As `build_overlay`."""
