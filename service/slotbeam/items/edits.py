"""What a list of operations does to the items, worked out in full before anything is written. Pure code.

Each operation is done whole or refused whole; those that are refused do not keep the others back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from slotbeam.catalog.fields import FieldKind
from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders.place import shown
from slotbeam.errors import DeltaFull, InputError, NotFound, SlotbeamError, Stale
from slotbeam.items.record import Digest, ItemRecord, Op, etag_of
from slotbeam.items.rows import changed_parts, check_id, merged, read_row

MAX_OPERATIONS = 1000

IsHeld = Callable[[bytes], bool]
"""Whether the index holds the edit that a record is of."""
BaseRow = Callable[[str], tuple[Mapping[str, Any], Item] | None]
"""The row of an item of the index, and the item; None for one that it does not hold (see `rows.base_row`)."""


class Verb(StrEnum):
    """What an operation asks for."""

    PUT = "put"
    PATCH = "patch"
    DELETE = "delete"


class Did(StrEnum):
    """What became of an operation."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    REFUSED = "refused"

    @property
    def wrote(self) -> bool:
        return self in (Did.CREATED, Did.UPDATED, Did.DELETED)


@dataclass(frozen=True, slots=True)
class Operation:
    """One edit of one item.

    Attributes:
        verb: what to do.
        id: of the item.
        body: the whole item, or the merge patch; None to delete.
        if_match: ETags that the item must have, or `*`: it must be there; None: whatever it has.
    """

    verb: Verb
    id: str
    body: Mapping[str, Any] | None = None
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of one operation.

    Attributes:
        did: in one word.
        seq: of its edit; of one that changed nothing, that of the record there is. None where there is none.
        etag: of the item now; None for one that is not there.
        changed: the parts of the item that changed.
        error: why it was refused.
    """

    id: str
    did: Did
    seq: int | None = None
    etag: str | None = None
    changed: tuple[str, ...] = ()
    error: SlotbeamError | None = None


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One record to be written: `digest` is that of all records after it."""

    id: str
    seq: int
    record: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class ItemsPlan:
    """What is to be written, and what became of each operation.

    Attributes:
        count: records there will be.
    """

    writes: tuple[RecordWrite, ...]
    outcomes: tuple[ItemOutcome, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Given:
    """What operations are checked against.

    Attributes:
        records: id → record in the store, None where there is none; of every item that an operation names.
        seq, digest, count: of the store.
        base: the row of an item of the index.
        kinds: field → the type of its values in the catalog.
        limit: records at most that the index does not hold.
        held: how many of them it does.
        is_held: tells of one whether it does.
    """

    records: Mapping[str, bytes | None]
    seq: int
    digest: str
    count: int
    base: BaseRow
    kinds: Mapping[str, FieldKind]
    limit: int
    held: int = 0
    is_held: IsHeld = lambda record: False


def make_plan(operations: Sequence[Operation], given: Given) -> ItemsPlan:
    """Turn operations into what is written; a later one sees what an earlier one did."""
    records, seq, count, digest = dict(given.records), given.seq, given.count, Digest(given.digest)
    edited = count - given.held
    writes: list[RecordWrite] = []
    outcomes: list[ItemOutcome] = []
    for operation in operations:
        old = records.get(operation.id)
        try:
            outcome, data = _apply(operation, current_of(operation.id, old, given.base), seq + 1, given.kinds)
            grows = old is None or given.is_held(old)
            if data is not None and grows and edited >= given.limit:
                raise DeltaFull(
                    f"{edited} items were edited since the index was built, {given.limit} are allowed "
                    "(SLOTBEAM_DELTA_LIMIT); fold them (slotbeam index --fold) and activate that index, or raise it",
                    allowed=given.limit,
                )
        except SlotbeamError as error:
            outcome, data = ItemOutcome(operation.id, Did.REFUSED, error=error), None
        if data is not None:
            digest.replace(old, data)
            seq, count, records[operation.id] = seq + 1, count + (old is None), data
            edited += grows
            writes.append(RecordWrite(operation.id, seq, data, str(digest)))
        outcomes.append(outcome)
    return ItemsPlan(tuple(writes), tuple(outcomes), count)


@dataclass(frozen=True, slots=True)
class Current:
    """An item as it is now: edited, or of the index; `row` is None for one that is not there.

    Attributes:
        seq: of the edit that made it so; None for one of the index.
        record: of that edit.
        item: that the row says, where it was read already.
        why: a patch has no row to begin from.
    """

    row: Mapping[str, Any] | None
    seq: int | None = None
    record: bytes | None = None
    item: Item | None = None
    why: InputError | None = None

    @property
    def etag(self) -> str | None:
        """Of its record; of an item of the index, that of the record it would have at 0; None where there is none."""
        return None if self.row is None else etag_of(self.record or ItemRecord(Op.PUT, 0, self.row).data())


def current_of(item_id: str, record: bytes | None, base: BaseRow) -> Current:
    """Return the item that a record, or the index, says there is. Raises `InputError`: the record cannot be read."""
    if record is not None:
        known = ItemRecord.of(record)
        return Current(known.row if known.op is Op.PUT else None, known.seq, record)
    try:
        found = base(item_id)
    except InputError as error:
        return Current({"id": item_id}, why=error)
    row, item = found or (None, None)
    return Current(row, item=item)


def _apply(
    operation: Operation, now: Current, seq: int, kinds: Mapping[str, FieldKind]
) -> tuple[ItemOutcome, bytes | None]:
    """Return what an operation does to the item that is there, and the record to write; None when nothing changes."""
    item_id = check_id(operation.id)
    if (operation.body is None) is not (operation.verb is Verb.DELETE):
        raise InputError(f"item: {operation.verb} {'takes none' if operation.verb is Verb.DELETE else 'needs one'}")
    if operation.verb is not Verb.PUT and now.row is None:
        deleted = f"; it was deleted (seq {now.seq})" if now.seq is not None else ""
        raise NotFound(f"there is no item {shown(item_id)}{deleted}")
    if operation.verb is Verb.DELETE:
        _check_match(operation, now)
        return ItemOutcome(item_id, Did.DELETED, seq), ItemRecord(Op.DELETE, seq, {"id": item_id}).data()
    before: Item | None = None
    if now.row is not None and now.why is None:
        before = now.item or read_row(now.row, {})
    row = dict(operation.body or {})
    if operation.verb is Verb.PATCH:
        if now.why is not None:
            raise now.why
        row = merged(now.row or {}, row)
    if row.get("id", item_id) is None or str(row.get("id", item_id)) != item_id:
        raise InputError(f"id in the body is {shown(row['id'])}, the path says {shown(item_id)}; leave it out")
    row["id"] = item_id
    after = read_row(row, kinds)
    _check_match(operation, now)  # last: what would be refused anyway is told first
    changed = changed_parts(before, after)
    if before is not None and not changed:
        return ItemOutcome(item_id, Did.UNCHANGED, now.seq, now.etag), None
    data = ItemRecord(Op.PUT, seq, row).data()
    did = Did.CREATED if now.row is None else Did.UPDATED
    return ItemOutcome(item_id, did, seq, etag_of(data), changed), data


def _check_match(operation: Operation, now: Current) -> None:
    """Compare the caller's If-Match, if there is one, with the item's ETag. Raises `Stale`."""
    if operation.if_match is None:
        return
    given = [tag.strip() for tag in operation.if_match.split(",")]
    if now.etag is None:
        raise Stale(f"there is no item {shown(operation.id)}, so it has no ETag; leave out If-Match to make it")
    if "*" not in given and now.etag not in given:
        seq = "in the index" if now.seq is None else f"as seq {now.seq} left it"
        raise Stale(
            f"item {shown(operation.id)} is {seq}, with another ETag; read it again and repeat the edit", etag=now.etag
        )
