"""What a replica does about the items that the store holds, and whether one edit follows from another. Pure code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slotbeam.background import rest
from slotbeam.bindings.replica.serving import Verdict
from slotbeam.catalog.item import Item
from slotbeam.errors import InputError
from slotbeam.items.record import Digest, ItemRecord, Op
from slotbeam.items.replica.lastgood import JournalLine
from slotbeam.items.rows import read_row
from slotbeam.items.store.store import FeedEntry, ItemsHead, Seen
from slotbeam.search.watermark import NO_EDITS, Watermark


def judge_items(known: ItemsHead | None, seen: Seen | None, watermark: Watermark = NO_EDITS) -> Verdict:
    """Decide what to do about `seen` after `known`, as `judge` does for bindings.

    Args:
        watermark: of the index that is served: what the store let go it must hold.
    """
    if known is not None and known.seq == 0:
        known = None  # there was nothing that could be lost
    if seen is None:
        return Verdict.WAIT if known is None else Verdict.NO_EPOCH
    if not seen.logged():
        return Verdict.DIVERGED
    if seen.trimmed > watermark.seq:
        return Verdict.INDEX
    if known is None:
        return Verdict.APPLY
    if seen.head.seq < known.seq:
        return Verdict.REGRESSED
    if seen.head.seq == known.seq:
        return Verdict.SAME if seen.head == known else Verdict.DIVERGED
    if seen.head.epoch == known.epoch and seen.known_digest not in (None, known.digest):
        return Verdict.DIVERGED  # the feed remembers another digest at the seq that we know
    if seen.head.epoch != known.epoch and not known.seq < seen.began <= seen.head.seq:
        return Verdict.DIVERGED  # no restore: a store that began anew and was edited until it went past us
    return Verdict.APPLY


@dataclass(frozen=True)
class Step:
    """From one head to another.

    Attributes:
        head: after it.
        changed: id → its newest record.
        lines: each edit, for the journal.
        at: unix ms of the newest edit's commit.
    """

    head: ItemsHead
    changed: Mapping[str, bytes]
    lines: Sequence[JournalLine]
    at: int | None


def step_from(head: ItemsHead, records: Mapping[str, bytes], entries: Sequence[FeedEntry]) -> Step | None:
    """Return what entries of the feed make of the items at `head`; None where one does not follow.

    Those that are known already are passed over: a feed may be read twice.
    """
    digest, changed, lines, at = Digest(head.digest), dict[str, bytes](), list[JournalLine](), None
    for entry in entries:
        if entry.seq <= head.seq:
            continue
        digest.replace(changed.get(entry.id, records.get(entry.id)), entry.record)
        follows = (entry.seq, entry.epoch, entry.digest) == (head.seq + 1, head.epoch, str(digest))
        if not follows or _is_of_another(entry):
            return None
        head = ItemsHead(head.epoch, entry.seq, entry.digest)
        changed[entry.id], at = entry.record, entry.at
        lines.append(JournalLine(entry.seq, entry.digest, entry.id, entry.record))
    return Step(head, changed, lines, at)


def _is_of_another(entry: FeedEntry) -> bool:
    """Return whether an entry's record, if it can be read, is of another item: the digest is over records alone."""
    try:
        return ItemRecord.of(entry.record).id != entry.id
    except InputError:
        return False


def read_records(records: Mapping[str, bytes]) -> tuple[dict[str, Item | None], dict[str, str]]:
    """Read records. Returns `(id → its item, None for a deleted one; id → NACK, why it could not be read)`."""
    items: dict[str, Item | None] = {}
    failed: dict[str, str] = {}
    for item_id, data in records.items():
        rest()
        try:
            record = ItemRecord.of(data)
            if record.id != item_id:
                raise InputError(f"the record under {item_id} is that of {record.id}")
            items[item_id] = read_row(record.row, {}) if record.op is Op.PUT else None
        except InputError as error:
            failed[item_id] = f"NACK:RECORD {error}"[:300]
    return items, failed
