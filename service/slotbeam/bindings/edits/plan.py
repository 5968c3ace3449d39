"""What one edit does to the store, worked out in full before anything is written. Pure code.

Change    an edit as its caller means it
Plan      the same edit as the arguments of `commit.lua`

`item_changes` says which items it brings and takes away. The log keeps that: a list that no binding names is gone an
hour later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from slotbeam.bindings.binding import Binding, ItemLists, state_digest
from slotbeam.bindings.listing import Listing, slot_taken, word_taken
from slotbeam.language.fold import RUNNING
from slotbeam.types import Slot

LOG_KEPT = 10_000
LINGER_S = 3600
IDS_SHOWN = 100
"""Ids of each direction that an edit names."""
IDS_IN_ALL = 2000
"""Ids of each direction that the edits of one revision name; how many there are is told of each edit."""


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
    listing: Listing,
    change: Change,
    idempotency_key: str,
    fingerprint: str,
    moved: Sequence[Mapping[str, object] | None] = (),
) -> Plan:
    """Turn `change` into the one commit that follows `listing`.

    Args:
        moved: what each edit does to its binding's items (see `item_changes`), for the log; () when that is not known.

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
    # Of thousands of bindings few are touched: what they hold until now, and what they will.
    old = [edit.before for edit in edits if edit.before]
    old_words = [word for binding in old for word in binding.words if listing.words.get(word) == binding.id]
    old_slots = [slot for binding in old if (slot := listing.placed.get(binding.id))]
    records = {**listing.records}
    for binding_id in touched:
        records.pop(binding_id, None)
    words: dict[str, str] = {}
    slots: dict[Slot, str] = {}
    put: list[tuple[str, str]] = []
    for edit in edits:
        after = edit.after
        if after is None:
            continue
        record = after.record()
        records[after.id] = record
        put.append((after.id, record.decode()))
        if not after.holds_words:
            continue
        for word in after.words:
            if (holder := words.get(word) or _other(listing.words.get(word), touched)) is not None:
                raise word_taken(listing, word, holder, change.at)
            words[word] = after.id
        if edit.slot is not None:
            if (holder := slots.get(edit.slot) or _other(listing.holders.get(edit.slot), touched)) is not None:
                raise slot_taken(listing, edit.slot, holder, change.at)
            slots[edit.slot] = after.id
    state = state_digest(records)
    old_items = {binding.items for binding in old}
    kept = {binding.items for binding_id, binding in listing.bindings.items() if binding_id not in touched}
    unread = (_items_of(records[binding_id]) for binding_id in listing.malformed if binding_id in records)
    alive = {*kept, *unread, *(e.after.items for e in edits if e.after)}
    fields: dict[str, object] = {
        "epoch": listing.epoch,
        "key": idempotency_key,
        "before": str(listing.revision),
        "revision": str(revision),
        "state": state,
        "count": str(len(records)),
        "normalizer": str(RUNNING.normalizer),
        "icu": RUNNING.icu,
        "keep": str(LOG_KEPT),
        "prune": str(max(0, revision - LOG_KEPT + 1)),
        "linger": str(LINGER_S),
        "put": put,
        "del": [e.before.id for e in edits if e.before and not (e.after and e.after.id == e.before.id)],
        "words_put": list(words.items()),
        "words_del": [word for word in old_words if word not in words],
        "slots_put": [(str(slot), owner) for slot, owner in slots.items()],
        "slots_del": [str(slot) for slot in old_slots if slot not in slots],
        "outcome": _text({"changes": _summary(edits), "fingerprint": fingerprint, "revision": revision}),
        "entry": [
            *("op", change.op, "at", str(change.at), "actor", change.actor),
            *("key", idempotency_key, "epoch", listing.epoch),
            *("state", state, "changes", _text(_details(listing, edits, moved))),
        ],
    }
    needs = tuple(sorted({e.after.items for e in edits if e.after}))
    return Plan({**fields, "needs": str(len(needs))}, needs, tuple(sorted(old_items - alive)), revision, edits)


def lists_of(edits: Sequence[Edit]) -> set[str]:
    """Return the hashes of the lists that tell what `edits` did: of those that change the items, before and after."""
    pairs = ((e.before.items if e.before else None, e.after.items if e.after else None) for e in edits)
    return {sha for pair in pairs if pair[0] != pair[1] for sha in pair if sha}


def item_changes(edits: Sequence[Edit], lists: ItemLists) -> list[dict[str, Any] | None]:
    """Tell what each edit did to its items: `added`, `removed` (counts), `first_added`, `first_removed` (ids).

    Args:
        lists: those of `lists_of(edits)` that could be read; None stands for an edit whose lists are not all there.
    """
    left = {"added": IDS_IN_ALL, "removed": IDS_IN_ALL}
    told: list[dict[str, Any] | None] = []
    for edit in edits:
        before, after = edit.before.items if edit.before else None, edit.after.items if edit.after else None
        if before == after:
            told.append({"added": 0, "removed": 0, "first_added": [], "first_removed": []})
        elif any(sha is not None and sha not in lists for sha in (before, after)):
            told.append(None)
        else:
            old, new = lists[before] if before else (), lists[after] if after else ()
            moved = {"added": _without(new, old), "removed": _without(old, new)}
            first = {name: list(ids[: min(IDS_SHOWN, left[name])]) for name, ids in moved.items()}
            for name, ids in first.items():
                left[name] -= len(ids)
            counts = {name: len(ids) for name, ids in moved.items()}
            told.append({**counts, **{f"first_{name}": ids for name, ids in first.items()}})
    return told


def logged(
    listing: Listing | None, binding_id: str, edit: Edit, items: Mapping[str, object] | None
) -> dict[str, object]:
    """Return what the log says of one edit, so that it can be told and undone.

    Args:
        listing: before it; None where the store held no epoch.
        items: of `item_changes`.
    """
    placed = listing.placed.get(binding_id) if listing else None
    before = listing.records.get(binding_id) if listing else None
    return {
        "id": binding_id,
        "slot": str(edit.slot) if edit.slot else None,
        "slot_before": str(placed) if placed else None,
        "before": before.decode(errors="replace") if before is not None else None,
        "after": edit.after.record().decode() if edit.after else None,
        "items": items,
    }


def following(listing: Listing, change: Change) -> Listing:
    """Return what `listing` would be after a `change` that removes nothing; its state digest is left empty."""
    made = {edit.after.id: (edit.after, edit.slot) for edit in change.edits if edit.after is not None}
    records = {**listing.records, **{binding_id: binding.record() for binding_id, (binding, _) in made.items()}}
    placed = {**listing.placed, **{binding_id: slot for binding_id, (_, slot) in made.items()}}
    slots = {str(slot): binding_id for binding_id, slot in placed.items() if slot is not None}
    return Listing(listing.epoch, listing.revision + 1, "", records, slots)


def _other(holder: str | None, touched: Set[str]) -> str | None:
    """Return who holds what is wanted, unless that one is edited, too: then it is given back."""
    return None if holder in touched else holder


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
        logged(listing, str(change["id"]), edit, items)
        for edit, change, items in zip(edits, _summary(edits), moved or [None] * len(edits), strict=True)
    ]


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _without(ids: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    if not others:
        return ids
    known = set(others)
    return [item_id for item_id in ids if item_id not in known]
