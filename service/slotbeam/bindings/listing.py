"""The store at one revision, and who holds what in it. Pure code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from slotbeam.bindings.actions import actions_of
from slotbeam.bindings.binding import Binding, Lifecycle, state_digest
from slotbeam.bindings.times import iso
from slotbeam.errors import BindingError, Conflict, InputError, NoFreeSlot, SlotTaken, WordTaken
from slotbeam.types import Slot

_REMEMBERED = 2**15
"""Records and slots that are read again with every revision, and nearly all as they were."""


@dataclass(frozen=True, eq=False)
class Listing:
    """The store at one revision, for one codebook.

    Attributes:
        epoch, revision, state: of `{sb}:meta`.
        records: binding id → record bytes.
        slots: slot id → binding id, as stored (may name bindings that are gone).
        committed_at: unix ms of the last log entry, None when the log is empty.
        began: the revision that the epoch began at; 0 for a store that was new.
        known_state: the state the log holds for the revision the reader asked about, None when trimmed.
        newest: the log's last entry as `(its id, epoch, state)`, None when the log is empty.
        written_by: normaliser and ICU that made the newest commit's words canonical; None where no commit said so.
    """

    epoch: str
    revision: int
    state: str
    records: Mapping[str, bytes]
    slots: Mapping[str, str]
    committed_at: int | None = None
    known_state: str | None = None
    began: int = 0
    newest: tuple[str, str, str] | None = None
    written_by: tuple[str, str] | None = None

    @cached_property
    def _parsed(self) -> tuple[dict[str, Binding], dict[str, str]]:
        good: dict[str, Binding] = {}
        bad: dict[str, str] = {}
        for binding_id, record in self.records.items():
            try:
                binding = _binding(record)
                if binding.id != binding_id:
                    raise BindingError(f"the record under {binding_id} says it is {binding.id}")
                good[binding_id] = binding
            except (BindingError, ValueError, TypeError) as error:
                bad[binding_id] = str(error)
        return good, bad

    @property
    def bindings(self) -> Mapping[str, Binding]:
        """Every record that could be read, by id."""
        return self._parsed[0]

    @property
    def malformed(self) -> Mapping[str, str]:
        """Binding id → why its record could not be read."""
        return self._parsed[1]

    @cached_property
    def placed(self) -> Mapping[str, Slot]:
        """Binding id → its slot in this codebook. A binding without one is a draft, or unknown to this codebook."""
        placed: dict[str, Slot] = {}
        for text, binding_id in sorted(self.slots.items()):
            if binding_id in self.records:
                try:
                    placed.setdefault(binding_id, _slot(text))
                except InputError:
                    continue
        return placed

    @cached_property
    def holders(self) -> Mapping[Slot, str]:
        """Slot → binding id."""
        return {slot: binding_id for binding_id, slot in self.placed.items()}

    @cached_property
    def taken(self) -> Mapping[int, set[int]]:
        """Position → the indices of its slots that are held."""
        taken: dict[int, set[int]] = {}
        for slot in self.holders:
            taken.setdefault(slot.position, set()).add(slot.index)
        return taken

    @cached_property
    def words(self) -> Mapping[str, str]:
        """Canonical word → the id of the binding that holds it. A rule holds no word: many may have one in common."""
        return {word: b.id for b in self.bindings.values() if b.holds_words for word in b.words}

    @cached_property
    def rules(self) -> Mapping[str, Binding]:
        """Every record that is a rule, drafts among them, by id."""
        return {binding_id: binding for binding_id, binding in self.bindings.items() if binding.is_rule}

    def verify(self) -> bool:
        """Return whether `state` is what the records add up to. A record holds no line end: it ends one there."""
        return self._adds_up

    @cached_property
    def _adds_up(self) -> bool:
        whole = not any("\n" in binding_id or b"\n" in record for binding_id, record in self.records.items())
        return whole and state_digest(self.records) == self.state

    def logged(self) -> bool:
        """Return whether the log's last entry tells of this very revision. An empty log says nothing."""
        return self.newest in (None, (f"{self.revision}-0", self.epoch, self.state))


_binding = lru_cache(_REMEMBERED)(Binding.from_record)
_slot = lru_cache(_REMEMBERED)(Slot.parse)


def first_free(listing: Listing, position: int, reserved: Sequence[int], group: str) -> Slot:
    """Find the first reserved slot of `position` that nothing holds. Raises `NoFreeSlot` naming three to reclaim."""
    taken = listing.taken.get(position, ())
    for index in reserved:
        if index not in taken:
            return Slot(position, index)
    best = sorted(
        (
            listing.bindings[owner]
            for slot, owner in listing.holders.items()
            if slot.position == position and owner in listing.bindings
        ),
        key=lambda b: (b.ends_at is None, b.ends_at or 0, b.revision),
    )[:3]
    named = [
        {
            "slot": str(listing.placed[b.id]),
            "binding": b.id,
            "words": list(b.words),
            "ends_at_ms": b.ends_at,
            "kept_until": iso(b.kept_until),
            "revision": b.revision,
        }
        for b in best
    ]
    kept = [f", kept until {iso(b.kept_until)}" if b.kept_until is not None else "" for b in best]
    shown = ", ".join(f'{listing.placed[b.id]} ("{b.words[0]}"{until})' for b, until in zip(best, kept, strict=True))
    raise NoFreeSlot(
        f"all {len(reserved)} reserved slots of {group} are bound; unbind one, for example {shown}",
        reclaim=named,
        reserved=len(reserved),
    )


def word_taken(
    listing: Listing, word: str, holder: str, now_ms: int, likeness: str = "", twin: str | None = None
) -> WordTaken:
    """Make the error that names who holds `word`, and how long if it is expired.

    Args:
        likeness: how `word` is the same as the `twin` that is held, e.g. "looks like"; for another word.
    """
    slot, owner = listing.placed.get(holder), listing.bindings.get(holder)
    kept, held = _holder(listing, holder, now_ms)
    how, where = "is bound on", f"slot {slot}" if slot else "a binding without a slot in this codebook"
    whose, way_out = f"(binding {holder}, revision {held['revision']}){kept}", "unbind it or leave the word out"
    if owner is not None and owner.is_rule:
        how, where = "has a rule for", " and ".join(actions_of(owner))
        whose, way_out = f"(rule {holder}, revision {held['revision']}){kept}", "edit that one, or let their times part"
    what = f'"{word}" {how}' if twin is None else f'"{word}" {likeness} "{twin}", which {how}'
    return WordTaken(
        f"{what} {where} {whose}; {way_out}",
        word=word,
        holder={"binding": holder, "slot": str(slot) if slot else None, **({"word": twin} if twin else {}), **held},
    )


def unreadable(listing: Listing, holder: str) -> Conflict:
    """Make the error that says that the record of a binding is there, and why nothing can be done with it here."""
    slot = listing.placed.get(holder)
    return Conflict(
        f"{f'slot {slot} is held by ' if slot else ''}binding {holder}, whose record cannot be read: "
        f"{listing.malformed[holder]}; no edit changes it here; where it is to go, restore a backup",
        holder={"binding": holder, "slot": str(slot) if slot else None},
    )


def slot_taken(listing: Listing, slot: Slot, holder: str, now_ms: int) -> SlotTaken:
    """Make the error that names who holds `slot`, and how long if it is expired."""
    owner = listing.bindings.get(holder)
    words = list(owner.words) if owner else []
    shown = f'"{words[0]}"' if words else f"binding {holder}"
    kept, held = _holder(listing, holder, now_ms)
    return SlotTaken(
        f"slot {slot} is bound to {shown} (revision {held['revision']}){kept}; "
        "unbind it, or leave out the slot to take a free one",
        slot=str(slot),
        holder={"binding": holder, "words": words, **held},
    )


def _holder(listing: Listing, holder: str, now_ms: int) -> tuple[str, dict[str, object]]:
    """Tell how long a binding keeps what it holds, for a message, where it is expired; and what an error says of it."""
    owner = listing.bindings.get(holder)
    if owner is None:
        return "", {"revision": listing.revision}
    ends_at, kept_until = iso(owner.ends_at), iso(owner.kept_until)
    state = owner.lifecycle(now_ms)
    expired = state is Lifecycle.EXPIRED
    kept = f", which expired at {ends_at} and keeps slot and words until {kept_until}" if expired else ""
    return kept, {"revision": owner.revision, "state": state, "ends_at": ends_at, "kept_until": kept_until}
