"""What one edit does to the store, worked out in full before anything is written. Pure code.

Listing   everything one atomic read of the store returned
Change    an edit as its caller means it
Plan      the same edit as the arguments of `commit.lua`
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from slotbeam.bindings.binding import Binding, state_digest
from slotbeam.bindings.times import iso
from slotbeam.errors import BindingError, InputError, NoFreeSlot, SlotTaken, WordTaken
from slotbeam.types import Slot

LOG_KEPT = 10_000
LINGER_S = 3600


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

    @cached_property
    def _parsed(self) -> tuple[dict[str, Binding], dict[str, str]]:
        good: dict[str, Binding] = {}
        bad: dict[str, str] = {}
        for key, record in self.records.items():
            try:
                binding = Binding.from_record(record)
                if binding.id != key:
                    raise BindingError(f"the record under {key} says it is {binding.id}")
                good[key] = binding
            except (BindingError, ValueError, TypeError) as error:
                bad[key] = str(error)
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
        found: dict[str, Slot] = {}
        for text, key in sorted(self.slots.items()):
            if key in self.records:
                try:
                    found.setdefault(key, Slot.parse(text))
                except InputError:
                    continue
        return found

    @cached_property
    def holders(self) -> Mapping[Slot, str]:
        """Slot → binding id."""
        return {slot: key for key, slot in self.placed.items()}

    @cached_property
    def words(self) -> Mapping[str, str]:
        """Canonical word → the id of the binding that holds it."""
        return {word: b.id for b in self.bindings.values() if not b.draft for word in b.words}

    def verify(self) -> bool:
        """Whether `state` is what the records add up to. No line end is in a record: it ends one in the digest."""
        whole = not any("\n" in key or b"\n" in record for key, record in self.records.items())
        return whole and state_digest(self.records) == self.state

    def logged(self) -> bool:
        """Whether the log's last entry tells of this very revision. An empty log, trimmed or new, says nothing."""
        return self.newest in (None, (f"{self.revision}-0", self.epoch, self.state))


@dataclass(frozen=True)
class Edit:
    """One binding of a change: `before` None creates it, `after` None removes it.

    `slot` is where `after` goes, or what a removal frees; None for a draft.
    """

    before: Binding | None
    after: Binding | None
    slot: Slot | None = None


@dataclass(frozen=True)
class Change:
    """All edits of one commit: all or nothing. `at` is unix ms."""

    op: str
    edits: tuple[Edit, ...]
    actor: str = ""
    at: int = 0


@dataclass(frozen=True)
class Plan:
    """Arguments of `commit.lua`: strings only. `needs` and `drops` are item-list hashes."""

    fields: dict[str, object]
    needs: tuple[str, ...]
    drops: tuple[str, ...]
    revision: int
    edits: tuple[Edit, ...] = field(repr=False, default=())


def make_plan(
    listing: Listing, change: Change, key: str, fingerprint: str, moved: Sequence[Mapping[str, object] | None] = ()
) -> Plan:
    """Turn `change` into the one commit that follows `listing`.

    Args:
        moved: what each edit does to its binding's items (see `itemchanges`), for the log; () when that is not known.

    Raises:
        WordTaken, SlotTaken: naming the holder.
    """
    revision = listing.revision + 1
    edits = tuple(Edit(e.before, _stamp(e.after, revision), e.slot) for e in change.edits)
    for edit in change.edits:
        known = listing.bindings.get(edit.before.id) if edit.before else None
        if edit.before != known or (edit.before is None and edit.after and edit.after.id in listing.records):
            raise ValueError("a change must start from the listing it is planned on. This is a bug.")
    touched = {e.before.id for e in edits if e.before} | {e.after.id for e in edits if e.after}
    records = {key_: record for key_, record in listing.records.items() if key_ not in touched}
    words = {word: owner for word, owner in listing.words.items() if owner not in touched}
    holders = {slot: owner for slot, owner in listing.holders.items() if owner not in touched}
    put: list[tuple[str, str]] = []
    for edit in edits:
        after = edit.after
        if after is None:
            continue
        record = after.record()
        records[after.id] = record
        put.append((after.id, record.decode()))
        if after.draft:
            continue
        for word in after.words:
            if word in words:
                raise word_taken(listing, word, words[word], change.at)
            words[word] = after.id
        if edit.slot is not None:
            if edit.slot in holders:
                raise slot_taken(listing, edit.slot, holders[edit.slot], change.at)
            holders[edit.slot] = after.id
    old_slots = {slot: owner for slot, owner in listing.holders.items() if owner in touched}
    state = state_digest(records)
    alive = {sha for sha in (_items_of(record) for record in records.values()) if sha}
    before_items = {e.before.items for e in edits if e.before}
    fields: dict[str, object] = {
        "epoch": listing.epoch,
        "key": key,
        "before": str(listing.revision),
        "revision": str(revision),
        "state": state,
        "count": str(len(records)),
        "keep": str(LOG_KEPT),
        "prune": str(max(0, revision - LOG_KEPT + 1)),
        "linger": str(LINGER_S),
        "put": put,
        "del": [e.before.id for e in edits if e.before and not (e.after and e.after.id == e.before.id)],
        "words_put": [(word, owner) for word, owner in words.items() if owner in touched],
        "words_del": [word for word, owner in listing.words.items() if owner in touched and word not in words],
        "slots_put": [(str(slot), owner) for slot, owner in holders.items() if owner in touched],
        "slots_del": [str(slot) for slot in old_slots if slot not in holders],
        "outcome": _text({"changes": _summary(edits), "fingerprint": fingerprint, "revision": revision}),
        "entry": [
            *("op", change.op, "at", str(change.at), "actor", change.actor, "key", key, "epoch", listing.epoch),
            *("state", state, "changes", _text(_details(listing, edits, moved))),
        ],
    }
    needs = tuple(sorted({e.after.items for e in edits if e.after}))
    return Plan({**fields, "needs": str(len(needs))}, needs, tuple(sorted(before_items - alive)), revision, edits)


def following(listing: Listing, change: Change) -> Listing:
    """What `listing` would be after a `change` that removes nothing; its state digest is left empty."""
    made = {edit.after.id: (edit.after, edit.slot) for edit in change.edits if edit.after is not None}
    records = {**listing.records, **{key: binding.record() for key, (binding, _) in made.items()}}
    placed = {**listing.placed, **{key: slot for key, (_, slot) in made.items()}}
    slots = {str(slot): key for key, slot in placed.items() if slot is not None}
    return Listing(listing.epoch, listing.revision + 1, "", records, slots)


def first_free(listing: Listing, position: int, reserved: Sequence[int], group: str) -> Slot:
    """The first reserved slot of `position` that nothing holds. Raises `NoFreeSlot` naming three to reclaim."""
    for index in reserved:
        if Slot(position, index) not in listing.holders:
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


def _stamp(binding: Binding | None, revision: int) -> Binding | None:
    return None if binding is None else replace(binding, revision=revision)


def _items_of(record: bytes) -> str:
    try:
        return str(json.loads(record).get("items", ""))
    except (ValueError, AttributeError, RecursionError):
        return ""


def _summary(edits: Sequence[Edit]) -> list[dict[str, str | None]]:
    return [
        {"id": (e.after or e.before).id, "slot": str(e.slot) if e.slot else None}  # type: ignore[union-attr]
        for e in edits
    ]


def _details(
    listing: Listing, edits: Sequence[Edit], moved: Sequence[Mapping[str, object] | None]
) -> list[dict[str, object]]:
    return [
        {
            **summary,
            "slot_before": str(listing.placed[e.before.id]) if e.before and e.before.id in listing.placed else None,
            "before": listing.records[e.before.id].decode() if e.before and e.before.id in listing.records else None,
            "after": e.after.record().decode() if e.after else None,
            "items": items,
        }
        for e, summary, items in zip(edits, _summary(edits), moved or [None] * len(edits), strict=True)
    ]


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def word_taken(listing: Listing, word: str, holder: str, now_ms: int, twin: str | None = None) -> WordTaken:
    """The error that names who holds `word`, or the `twin` that it only looks like, and how long if it is expired."""
    slot = listing.placed.get(holder)
    where = f"slot {slot}" if slot else "a binding without a slot in this codebook"
    what = f'"{word}" is bound' if twin is None else f'"{word}" looks like "{twin}", which is bound'
    kept, held = _holder(listing, holder, now_ms)
    return WordTaken(
        f"{what} on {where} (binding {holder}, revision {held['revision']}){kept}; unbind it or leave the word out",
        word=word,
        holder={"binding": holder, "slot": str(slot) if slot else None, **held},
    )


def slot_taken(listing: Listing, slot: Slot, holder: str, now_ms: int) -> SlotTaken:
    """The error that names who holds `slot`, and how long if it is expired."""
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
    """How long a binding keeps what it holds, for a message, where it is expired; and what an error says of it."""
    owner = listing.bindings.get(holder)
    if owner is None:
        return "", {"revision": listing.revision}
    ends_at, kept_until = iso(owner.ends_at), iso(owner.kept_until)
    state = owner.lifecycle(now_ms)
    kept = f", which expired at {ends_at} and keeps slot and words until {kept_until}" if state == "expired" else ""
    return kept, {"revision": owner.revision, "state": state, "ends_at": ends_at, "kept_until": kept_until}
