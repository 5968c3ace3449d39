"""A listing → what is served of it: an overlay with a mini-trie a binding and one matcher for all bound words. Pure.

Built off the event loop. Pieces whose binding did not change are taken from the previous overlay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from slotbeam.arrays import run_starts
from slotbeam.bindings.binding import Binding, ItemLists, Lifecycle, active_digest, next_boundary
from slotbeam.bindings.listing import Listing
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
    placement: str = Placement.TOP
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
    owners: dict[str, int] = {}
    for i, pinned in enumerate(compiled):
        if pinned.slot in slots:
            raise BindingError(
                f"slot {pinned.slot} holds both {slots[pinned.slot]} and {pinned.id}; a slot holds one binding"
            )
        slots[pinned.slot] = pinned.id
        for word in pinned.words:
            if word in owners:
                raise BindingError(
                    f"{word!r} is bound by both {compiled[owners[word]].id} and {pinned.id}; a word has one binding"
                )
            owners[word] = i
    if not compiled:
        return EMPTY_OVERLAY
    near = tuple((word, n) for n, (word, owner) in enumerate(owners.items()) if compiled[owner].near_miss)
    parts = frozenset(token for word in owners for token in tokens(word)) if near else frozenset()
    return Overlay(compiled, tuple(owners), tuple(owners.values()), near, parts, Matcher(list(owners)))


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
    item_rows = np.array(sorted(found), np.int64)  # row order is popularity order within a SID
    sids = artifact.catalog.sids[item_rows].astype(np.int64).reshape(len(item_rows), len(codebook.sizes))
    sids[:, position] = bound.slot.index
    order = sid_order(sids)
    item_rows, sids = item_rows[order], sids[order]
    return Pinned(
        id=bound.id,
        slot=bound.slot,
        words=bound.words,
        placement=Placement(bound.placement),
        trie=build_trie(sids),
        rows=item_rows,
        leaf_items=np.append(run_starts(sids), len(item_rows)),
        missing=tuple(missing),
        built_from=built_from(artifact, bound),
        near_miss=bound.near_miss,
    )


def built_from(artifact: Artifact, bound: Bound) -> object:
    """Return what a compiled binding depends on: what is built from an equal value need not be compiled again."""
    return (artifact, bound)  # an artifact compares by identity: a new one makes every piece new


Build = Callable[..., Overlay]
"""As `build_overlay`."""


@dataclass(frozen=True, eq=False)
class Compiled:
    """A listing, ready to serve at one clock value.

    Attributes:
        overlay: of the active bindings.
        every: of the scheduled ones, too: its pieces make the next boundary cheap.
        active: active binding id → slot.
        digest: active digest, hex.
        failed: binding id → `NACK:…`, why it is not served.
        boundary: the next `starts_at`/`ends_at` in unix ms.
    """

    overlay: Overlay
    every: Overlay
    active: Mapping[str, Slot]
    digest: str
    failed: Mapping[str, str] = field(default_factory=dict)
    boundary: int | None = None


def compile_listing(
    artifact: Artifact,
    listing: Listing,
    items: ItemLists,
    now_ms: int,
    previous: Overlay | None = None,
    lost: Mapping[str, str] | None = None,
    build: Build = build_overlay,
    blamed: Mapping[str, str] | None = None,
) -> Compiled:
    """Compile what `listing` says is active at `now_ms`; a binding that does not build is left out and reported.

    A binding without a slot whose words the artifact absorbed is left out, too, and is no failure.

    Args:
        items: hash → item ids, for every record's list that could be read.
        previous: an overlay whose unchanged pieces are reused.
        lost: item list hash → why it could not be read.
        blamed: binding id → why it must not be built (see `crashguard.py`).
    """
    failed = {binding_id: f"NACK:RECORD {why}" for binding_id, why in listing.malformed.items()}
    bounds: dict[str, Bound] = {}
    live: dict[str, Binding] = {}
    for binding_id, binding in sorted(listing.bindings.items(), key=lambda pair: (pair[1].revision, pair[0])):
        if binding.lifecycle(now_ms) in (Lifecycle.DRAFT, Lifecycle.EXPIRED):
            continue
        slot = listing.placed.get(binding_id)
        if slot is None and is_absorbed(artifact, binding):
            continue
        if slot is None:
            failed[binding_id] = f"NACK:MODEL codebook {artifact.codebook_sha[:12]}… has no slot for it"
        elif blamed and binding_id in blamed:
            failed[binding_id] = blamed[binding_id]
        elif binding.items not in items:
            failed[binding_id] = f"NACK:ITEMS {(lost or {}).get(binding.items, 'its item list is not there')}"
        else:
            live[binding_id] = binding
            bounds[binding_id] = Bound.of(binding, slot, items[binding.items])
    every, bad = _build_good(artifact, bounds, previous, build)
    failed.update(bad)
    active = {
        binding_id: bounds[binding_id].slot
        for binding_id, binding in live.items()
        if binding_id not in bad and binding.lifecycle(now_ms) is Lifecycle.ACTIVE
    }
    overlay = every
    if len(active) != len(bounds) - len(bad):
        overlay = build(artifact, [bounds[binding_id] for binding_id in active], every)
    return Compiled(
        overlay=overlay,
        every=every,
        active=active,
        digest=active_digest(artifact.codebook_sha, active),
        failed=failed,
        boundary=next_boundary(listing.bindings.values(), now_ms),
    )


def is_absorbed(artifact: Artifact, binding: Binding) -> bool:
    """Return whether the artifact was trained with all words of `binding` on all its items: then it needs no slot."""
    return any(
        one["items_sha"] == binding.items and not one["contested"] and set(binding.words) <= set(one["words"])
        for one in artifact.manifest.get("model", {}).get("training", {}).get("absorbed", ())
    )


def _build_good(
    artifact: Artifact, bounds: Mapping[str, Bound], previous: Overlay | None, build: Build
) -> tuple[Overlay, dict[str, str]]:
    """Build all of `bounds`; when that fails, all but those that do not build, older revisions first."""
    try:
        return build(artifact, list(bounds.values()), previous), {}
    except Exception:  # a poisonous record must not take its neighbours along
        pass
    good: list[Bound] = []
    failed: dict[str, str] = {}
    overlay = build(artifact, [], previous)
    for binding_id, bound in bounds.items():
        try:
            overlay = build(artifact, [*good, bound], overlay)
            good.append(bound)
        except Exception as error:
            failed[binding_id] = f"NACK:BUILD {type(error).__name__}: {error}"[:300]
    return overlay, failed
