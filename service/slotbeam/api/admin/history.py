"""The logs as `GET /admin/audit` and `/admin/audit/items` tell them: times as RFC 3339, and only what was asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from slotbeam.bindings.spec import OBJECTS, TIMES
from slotbeam.bindings.store.replies import json_value
from slotbeam.bindings.store.store import Store
from slotbeam.bindings.times import FIRST_MS, LAST_MS, iso
from slotbeam.errors import InputError
from slotbeam.items.record import ItemRecord, Op
from slotbeam.items.store.store import FeedEntry, ItemStore

MAX_BYTES = 8 * 2**20
"""The entry of an import alone can be megabytes."""
MAX_LOOKED_AT = 2000
"""An answer ends after as many entries, found or not; `next` goes on."""
PAGE = 10

Entry = Mapping[str, Any]
"""Of the log, or a change of one, as `Store.log` gives it."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Filter:
    """What an entry must be about, all of it; None asks for nothing.

    Attributes:
        word: canonical; of a record before or after.
        slot: where a binding was or is.
        binding: an id.
        item: the id of an item.
        actor: the name of the token, or of what acted (`expiry`).
        since, until: unix ms; of the commit: from `since` on, before `until`.
    """

    word: str | None = None
    slot: str | None = None
    binding: str | None = None
    item: str | None = None
    actor: str | None = None
    since: int | None = None
    until: int | None = None

    def takes(self, actor: str | None, at: int | None) -> bool:
        """Return whether who and when are those asked for; an entry without a time was at none."""
        if self.actor not in (None, actor):
            return False
        if self.since is not None and (at is None or at < self.since):
            return False
        return self.until is None or (at is not None and at < self.until)

    def concerns(self, change: Entry) -> bool:
        """Return whether a change, as `change_view` shows it, is of the binding, the slot and the word asked for."""
        if self.binding not in (None, change["id"]):
            return False
        if self.slot is not None and self.slot not in (change["slot"], change["slot_before"]):
            return False
        records = (change["before"], change["after"])
        return self.word is None or any(self.word in words_of(record) for record in records if record)


async def entries(
    store: Store, wanted: Filter, count: int, before: int | None, most_bytes: int = MAX_BYTES
) -> tuple[list[orjson.Fragment], int | None]:
    """Read commits of bindings; see `_told`."""
    return await _told(store.log, entry_view, lambda entry: int(entry["revision"]), wanted, count, before, most_bytes)


async def item_entries(
    store: ItemStore, wanted: Filter, count: int, before: int | None
) -> tuple[list[orjson.Fragment], int | None]:
    """Read edits of items; see `_told`."""
    return await _told(store.history, item_view, lambda entry: entry.seq, wanted, count, before, MAX_BYTES)


async def _told(
    read: Callable[[int, int | None], Awaitable[Sequence[T]]],
    view: Callable[[T, Filter], Mapping[str, object] | None],
    number_of: Callable[[T], int],
    wanted: Filter,
    count: int,
    before: int | None,
    most_bytes: int,
) -> tuple[list[orjson.Fragment], int | None]:
    """Read entries as JSON, newest first, until there are `count` or an answer is long enough.

    Args:
        read: so many entries of a log at most, below a number.
        view: of one; None where it was not asked for.
        number_of: of one.
        before: the number after the first one that is looked at; None begins at the newest.
        most_bytes: an answer ends with the entry that passes it.

    Returns:
        The entries, and the `before` that goes on; None at the end of the log.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    told: list[orjson.Fragment] = []
    size = looked_at = 0
    while len(told) < count:
        asked = min(PAGE, count - len(told)) if wanted == Filter() else PAGE
        page = await read(asked, before)
        for entry in page:
            before = number_of(entry)
            looked_at += 1
            shown = view(entry, wanted)
            if shown is not None:
                text = orjson.dumps(shown)
                told.append(orjson.Fragment(text))
                size += len(text)
            if len(told) == count or size >= most_bytes or looked_at >= MAX_LOOKED_AT:
                return told, before
        if len(page) < asked:
            return told, None
    return told, before


def entry_view(entry: Entry, wanted: Filter) -> dict[str, object] | None:
    """Return one entry with the changes that `wanted` concerns, of `change_count` in all; None when there are none."""
    if not wanted.takes(entry["actor"], entry["at"]):
        return None
    changes = [change_view(change) for change in entry["changes"]]
    concerned = [change for change in changes if wanted.concerns(change)]
    if not concerned and (wanted.word or wanted.slot or wanted.binding):
        return None
    return {**entry, "at": iso(entry["at"]), "change_count": len(changes), "changes": concerned}


def item_view(entry: FeedEntry, wanted: Filter) -> dict[str, object] | None:
    """Return one edit of an item, with the row that it left; None where it was not asked for.

    A restore and a trim are of no item: they say so in `op`.
    """
    if not wanted.takes(entry.actor, entry.at) or wanted.item not in (None, entry.id):
        return None
    told = {"seq": entry.seq, "at": iso(entry.at), "op": entry.op, "actor": entry.actor, "epoch": entry.epoch}
    if entry.op is not None:
        return {**told, "id": None, "item": None}
    try:
        record = ItemRecord.of(entry.record)
    except InputError:
        return {**told, "id": entry.id, "item": {"unreadable": entry.record.decode(errors="replace")}}
    return {**told, "op": record.op, "id": entry.id, "item": record.row if record.op is Op.PUT else None}


def change_view(change: Entry) -> dict[str, object]:
    """Return one change as JSON values: `before` and `after` are records, `items` says which items came and went."""
    return {**change, **{name: record_view(change[name]) for name in ("before", "after")}}


def record_view(record: str | None) -> dict[str, object] | None:
    """Return a record with times as RFC 3339 and objects as JSON; one that cannot be read stands under `unreadable`."""
    value = None if record is None else json_value(record)
    if not isinstance(value, dict):
        return None if record is None else {"unreadable": record}
    times = {name: _time(value[name]) for name in TIMES if name in value}
    return {**value, **times, **{name: _object(value[name]) for name in OBJECTS if name in value}}


def words_of(record: Mapping[str, object]) -> list[object]:
    """Return the words of a record as `record_view` shows it."""
    words = record.get("words")
    return words if isinstance(words, list) else []


def _time(value: object) -> object:
    return iso(value) if type(value) is int and FIRST_MS <= value <= LAST_MS else value


def _object(value: object) -> object:
    return json_value(value) if isinstance(value, str) else value
