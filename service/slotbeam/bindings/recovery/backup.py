"""Where bindings can be restored from: a last-known-good file, an export, or a revision that the log remembers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slotbeam.bindings.binding import EMPTY_STATE, Binding, ItemLists, Lifecycle, encode_items, record_bytes
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.lastgood import LastGood, folder, generations, load_file
from slotbeam.bindings.spec import LATER, MOMENTS, OBJECTS, TOLD, json_text
from slotbeam.bindings.store.store import Store
from slotbeam.bindings.times import iso, parse_ms
from slotbeam.errors import BindingError, InputError, SetupError
from slotbeam.types import Slot

PAGE = 500


@dataclass(frozen=True, eq=False)
class Backup:
    """Bindings as they were once.

    Attributes:
        source: where they come from, for people.
        codebook: whose slots `placed` names; "" when the source does not say (an export).
        revision: of the store when they were written down; of an export, the newest of its bindings.
        bindings: id → binding.
        placed: id → slot; drafts have none.
        items: item list hash → ids, for every binding.
        left_out: id → why it cannot be restored.
    """

    source: str
    codebook: str
    revision: int
    bindings: Mapping[str, Binding]
    placed: Mapping[str, Slot]
    items: ItemLists
    left_out: Mapping[str, str]


def newest_last_good(data_dir: Path, codebook_sha: str) -> Backup:
    """Find the newest whole last-known-good file of a data directory; of equal ones, that of the served codebook.

    Raises:
        SetupError: there is none, with what is wrong with those that are there.
    """
    whole: list[tuple[int, bool, Backup]] = []
    problems = []
    for path in generations(data_dir):
        try:
            backup = from_last_good(path)
        except SetupError as error:
            problems.append(str(error))
        else:
            whole.append((backup.revision, backup.codebook == codebook_sha, backup))
    if not whole:
        why = "; ".join(problems) or f"{folder(data_dir)} holds no file"
        raise SetupError(
            f"no last-known-good bindings: {why}; name the file of another replica or an export with --from FILE"
        )
    return max(whole, key=lambda one: one[:2])[2]


def saved_revisions(data_dir: Path) -> list[int]:
    """Return the revisions of the last-known-good files that are whole."""
    revisions = []
    for path in generations(data_dir):
        try:
            revisions.append(load_file(path)[1].listing.revision)
        except (OSError, ValueError):
            continue
    return revisions


def from_file(path: Path) -> Backup:
    """Read a last-known-good file or what `slotbeam slots export` wrote. Raises `SetupError`."""
    try:
        with path.open("rb") as file:
            start = file.read(1)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read ({error.strerror}); --from takes a file, last-good, or a revision"
        ) from None
    return from_export(path) if start == b"[" else from_last_good(path)


def from_last_good(path: Path) -> Backup:
    """Read one last-known-good file; its item lists lie beside it. Raises `SetupError`."""
    try:
        codebook, good, _ = load_file(path)
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} is no last-known-good file that is whole: {error}") from None
    return _backup(str(path), codebook, good)


def from_export(path: Path) -> Backup:
    """Read what `slotbeam slots export` wrote. Raises `SetupError` naming the row that is wrong."""
    try:
        rows: list[Any] = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise SetupError(f"{path} is no export: {error}") from None
    bindings: dict[str, Binding] = {}
    placed: dict[str, Slot] = {}
    items: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(rows, 1):
        try:
            binding, ids = _exported(row)
            if binding.id in bindings:
                raise BindingError(f"binding {binding.id} is there twice")
            if row["slot"] is not None and not binding.draft:
                placed[binding.id] = Slot.parse(row["slot"])
        except (InputError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            why = f"it has no {error}" if isinstance(error, KeyError) else error
            raise SetupError(f"row {number} of {path} is no exported binding: {why}") from None
        bindings[binding.id], items[binding.items] = binding, ids
    newest = max((binding.revision for binding in bindings.values()), default=0)
    return Backup(str(path), "", newest, bindings, placed, items, {})


async def from_revision(store: Store, codebook_sha: str, revision: int, data_dir: Path) -> Backup:
    """Undo the store's newest revisions, one by one, until `revision`; the log's state digest proves the result.

    Raises:
        SetupError: the log does not reach back so far, or does not add up.
        StoreUnavailable: the store does not answer.
    """
    listing = await store.read(codebook_sha)
    if listing is None:
        raise SetupError(f"the store at {store.name} holds no revision; restore with --from last-good or --from FILE")
    entries, target = await _entries(store, listing.revision, revision)
    records, slots = dict(listing.records), dict(listing.slots)
    for entry in entries:
        for change in reversed(entry["changes"]):
            _undo(records, slots, change)
    then = Listing(listing.epoch, revision, target, records, slots)
    if not then.verify():
        raise SetupError(
            f"undoing revisions {listing.revision} to {revision + 1} does not give the state that the log holds for "
            f"revision {revision}: the store was changed past slotbeam; restore with --from last-good or --from FILE"
        )
    wanted = {binding.items for binding in then.bindings.values()}
    items, _ = await store.items(wanted)
    for path in generations(data_dir):  # a list that nothing names is kept by the store for an hour only
        if wanted <= set(items):
            break
        try:
            items = {**load_file(path)[1].items, **items}
        except (OSError, ValueError):
            continue
    return _backup(f"revision {revision} of the store", codebook_sha, LastGood(then, items))


async def _entries(store: Store, newest: int, revision: int) -> tuple[list[dict[str, Any]], str]:
    """Read the log after `revision`, newest first, and the state at it."""
    later: list[dict[str, Any]] = []
    before = newest + 1
    while page := await store.log(PAGE, before=before):
        for entry in page:
            if entry["revision"] == revision:
                return later, str(entry["state"])
            if entry["revision"] < revision:
                break
            later.append(entry)
        if page[-1]["revision"] < revision:
            break
        before = page[-1]["revision"]
    if revision == 0:
        return later, EMPTY_STATE
    reach = f"{later[-1]['revision']} to {newest}" if later else "no such one"
    raise SetupError(f"revision {revision} is not in the store's log; the log holds {reach}: name one of them")


def _undo(records: dict[str, bytes], slots: dict[str, str], change: Mapping[str, Any]) -> None:
    """Take one logged change back. An entry does not say whose slots it names: those of another codebook stay."""
    binding_id, slot, slot_before = change["id"], change.get("slot"), change.get("slot_before")
    before, after = change.get("before"), change.get("after")
    held = next((place for place, holder in slots.items() if holder == binding_id), None)
    if before is None:
        records.pop(binding_id, None)
    else:
        records[binding_id] = before.encode()
    freed = held is None and after is None
    moved = held == slot and after is not None and slot != slot_before
    if moved and held is not None:
        del slots[held]
    if (freed or moved) and slot_before is not None and slots.get(slot_before) not in records:
        slots[slot_before] = binding_id


def _backup(source: str, codebook_sha: str, good: LastGood) -> Backup:
    listing = good.listing
    left_out = {binding_id: f"its record cannot be read: {why}" for binding_id, why in listing.malformed.items()}
    left_out |= {
        binding_id: f"its item list {binding.items[:12]}… is not there"
        for binding_id, binding in listing.bindings.items()
        if binding.items not in good.items
    }
    bindings = {binding_id: binding for binding_id, binding in listing.bindings.items() if binding_id not in left_out}
    placed = {
        binding_id: slot
        for binding_id, slot in listing.placed.items()
        if binding_id in bindings and not bindings[binding_id].draft
    }
    items = {binding.items: good.items[binding.items] for binding in bindings.values()}
    return Backup(source, codebook_sha, listing.revision, bindings, placed, items, left_out)


def _exported(row: Mapping[str, Any]) -> tuple[Binding, tuple[str, ...]]:
    row = {**{name: iso(default) if name in MOMENTS else default for name, default in LATER.items()}, **row}
    ids = tuple(row["items"])
    sha, _ = encode_items(ids)
    read = {**dict.fromkeys(MOMENTS, _ms), **dict.fromkeys(OBJECTS, _json)}
    record = {
        **{name: read[name](row, name) if name in read else row[name] for name in ("id", *TOLD, "revision")},
        "items": sha,
        "item_count": len(set(ids)),
        "draft": row["state"] == Lifecycle.DRAFT,
        "created_at": _ms(row, "created_at") or 0,
    }
    return Binding.from_record(record_bytes(record)), ids


def _json(row: Mapping[str, Any], name: str) -> str:
    return json_text(row[name])


def _ms(row: Mapping[str, Any], name: str) -> int | None:
    try:
        return parse_ms(row[name])
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def same(one: Binding, other: Binding) -> bool:
    """Return whether two bindings differ in nothing but the revision that wrote them."""
    return replace(one, revision=0) == replace(other, revision=0)
