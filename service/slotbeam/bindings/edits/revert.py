"""One commit undone: every record that it changed is as it was before, where nobody changed it since. Pure code."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from slotbeam.bindings.binding import Binding
from slotbeam.bindings.edits.checks import check_times
from slotbeam.bindings.edits.plan import Change, Edit
from slotbeam.bindings.edits.rules import refuse_rival
from slotbeam.bindings.edits.wanted import MakeChange
from slotbeam.bindings.held import refuse_twins
from slotbeam.bindings.listing import Listing, first_free
from slotbeam.errors import BindingError, Conflict
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot

Changes = Sequence[Mapping[str, Any]]
"""What the log says of one commit, as `plan.logged` has it."""


def revert(artifact: Artifact, revision: int, changes: Changes, actor: str, now_ms: int) -> MakeChange:
    """Put what a commit changed back: what it made goes, what it removed comes again, what it edited is as it was.

    Args:
        revision: that the commit made.
        changes: of it, each once.

    Raises (the change):
        Conflict: a record was changed since.
        WordTaken, NoFreeSlot: what comes again has lost its place to another.
    """

    def change(listing: Listing) -> Change:
        edits = [_undone(artifact, listing, revision, one, now_ms) for one in changes]
        taken = {*listing.holders, *(edit.slot for edit in edits if edit.slot)}  # former slots go before free ones
        for number, edit in enumerate(edits):
            if edit.after is not None and edit.slot is None and edit.after.holds_words:
                slot = _free(artifact, listing, taken, edit.after)
                edits[number] = replace(edit, slot=slot)
                taken.add(slot)
        return Change("revert", tuple(edits), actor, now_ms)

    return change


def records_before(changes: Changes) -> list[Binding]:
    """Return the records that a commit replaced or removed. Raises `BindingError`: one cannot be read."""
    return [Binding.from_record(one["before"].encode()) for one in changes if one["before"] is not None]


def _undone(artifact: Artifact, listing: Listing, revision: int, change: Mapping[str, Any], now_ms: int) -> Edit:
    binding_id, left = str(change["id"]), change["after"]
    before = listing.bindings.get(binding_id)
    if not _is_as_left(before, None if left is None else Binding.from_record(left.encode())):
        now = "it is gone" if before is None else f"revision {before.revision} changed it"
        raise Conflict(
            f"{binding_id} is no longer as revision {revision} left it: {now}; undo that first, or edit it by hand"
        )
    held = listing.placed.get(binding_id)
    if change["before"] is None:
        return Edit(before, None, held)
    back = Binding.from_record(change["before"].encode())
    check_times(None, None if before and before.ends_at == back.ends_at else back.ends_at, now_ms)
    if back.is_rule:
        refuse_rival(artifact.folding, listing, back, binding_id, now_ms)
        return Edit(before, back, None)
    if back.draft:
        return Edit(before, back, None)
    refuse_twins(artifact.folding, listing, back, before, now_ms)
    return Edit(before, back, held or _former(artifact, listing, back, change["slot_before"]))


def _is_as_left(now: Binding | None, left: Binding | None) -> bool:
    """Return whether a record says what a commit left it to say, whichever revision wrote it last."""
    if now is None or left is None:
        return now is left
    return replace(now, revision=0) == replace(left, revision=0)


def _former(artifact: Artifact, listing: Listing, back: Binding, former: str | None) -> Slot | None:
    """Return the slot that a binding was on; None where it is bound again, or is no slot of its category any more."""
    codebook = artifact.kae.codebook
    position = codebook.position_of(back.category)
    slot = Slot.parse(former) if former else None
    if slot is None or slot.position != position or slot.index not in codebook.bindable(position):
        return None
    return None if slot in listing.holders else slot


def _free(artifact: Artifact, listing: Listing, taken: Collection[Slot], back: Binding) -> Slot:
    codebook = artifact.kae.codebook
    position = codebook.position_of(back.category)
    bindable = codebook.bindable(position)
    free = next((Slot(position, index) for index in bindable if Slot(position, index) not in taken), None)
    return free or first_free(listing, position, bindable, codebook.group_name(position))  # raises


def check_changes(revision: int, changes: Changes) -> None:
    """Refuse a commit of which the log does not tell what it did. Raises `BindingError`."""
    if not changes:
        raise BindingError(f"the log does not tell what revision {revision} did; edit what it changed by hand")
