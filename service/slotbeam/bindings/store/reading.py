"""A listing, read at one revision: whole, or from an older one and what the log says of the commits since.

So who knows ten thousand bindings reads the one that was edited. Whatever does not follow is read whole instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slotbeam.bindings.listing import Listing
from slotbeam.bindings.store import replies
from slotbeam.bindings.store.connection import Connection
from slotbeam.bindings.store.replies import Head

FOLLOWED = 1000
"""Commits at most; of more than these everything is read."""


async def read_listing(
    store: Connection, codebook_sha: str, known: Listing | None, base: Listing | None, *, to_write: bool
) -> Listing | None:
    """Read everything at one revision (MULTI/EXEC: unguarded reads can be torn); None without `{sb}:meta`.

    Args:
        store: to read from.
        codebook_sha: whose slots to read.
        known: as for `Store.read`.
        base: whose records are not read again; None reads all. It adds up to its state.
        to_write: as for `Store.read`.
    """
    client = store.writing if to_write else store.redis
    with store.errors():
        async with client.pipeline(transaction=True) as pipe:
            pipe.hgetall(store.key("meta"))
            pipe.hgetall(store.key(f"slots:{codebook_sha}"))
            pipe.xrevrange(store.key("log"), count=1)
            asked = f"{known.revision}-0" if known else "0-0"
            pipe.xrange(store.key("log"), asked, asked)
            if base is None:
                pipe.hgetall(store.key("binding"))
            else:
                pipe.xrange(store.key("log"), f"({base.revision}-0", "+", count=FOLLOWED + 1)
            meta, slots, last, entry, more = await pipe.execute()
    head = replies.head(meta)
    if head is None:
        return None
    if base is None:
        records = {replies.text(key): bytes(value) for key, value in more.items()}
    elif (following := followed(base, head, more)) is not None:
        records = following
    else:
        return await read_listing(store, codebook_sha, known, None, to_write=to_write)
    listing = Listing(
        epoch=head.epoch,
        revision=head.revision,
        state=head.state,
        records=records,
        slots={replies.text(key): replies.text(value) for key, value in slots.items()},
        committed_at=replies.moment(last[0][1].get(b"at")) if last else None,
        began=replies.number(meta.get(b"began")) or 0,
        known_state=replies.text(entry[0][1].get(b"state")) if entry else None,
        newest=replies.newest(last),
        written_by=replies.written_by(meta),
    )
    if base is not None and not listing.verify():  # it does not follow from what the log says
        return await read_listing(store, codebook_sha, known, None, to_write=to_write)
    return listing


def followed(base: Listing, head: Head, entries: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> dict[str, bytes] | None:
    """Return binding id → record at `head` as the log tells it, or None where that does not follow from `base`.

    Whether they add up to the state of `head` is not asked here.

    Args:
        base: an older listing of the same store.
        head: what `{sb}:meta` says.
        entries: of the log, those behind the revision of `base`.
    """
    if head.epoch != base.epoch or head.revision - base.revision != len(entries):
        return None
    records = dict(base.records)
    for revision, entry in enumerate((replies.log_entry(*one) for one in entries), base.revision + 1):
        if entry["revision"] != revision or entry["epoch"] != base.epoch or not _play(records, entry["changes"]):
            return None
    return records


def _play(records: dict[str, bytes], changes: Sequence[Mapping[str, Any]]) -> bool:
    """Do to `records` what a commit did. Returns whether it says what that was."""
    for change in changes:
        if change["after"] is None:
            records.pop(change["id"], None)
        else:
            records[change["id"]] = change["after"].encode(errors="replace")
    return bool(changes)
