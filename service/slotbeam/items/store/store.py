"""The items of the store: keys and atomic reads. Commits are in `commit.py`.

Keys: `{sb}:imeta` (epoch, seq, count, digest, base, commits), `{sb}:item` (id → record), `{sb}:feed` (a stream, entry
`seq-0` for each record), `{sb}:iidem` (idempotency keys); docs/catalog.md says what they hold.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slotbeam.bindings.store import replies
from slotbeam.bindings.store.store import WATCH_BLOCK_MS, Store
from slotbeam.items.edits import MAX_OPERATIONS
from slotbeam.items.record import EMPTY_DIGEST, Digest

FEED_READ = 1000
"""Entries of the feed that are read at a time at least, where there are so many."""
_AT_ONCE = FEED_READ + MAX_OPERATIONS

_INITIALISE = """#!lua
if redis.call('EXISTS', KEYS[1], KEYS[2], KEYS[3]) > 0 then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'seq', '0', 'digest', ARGV[2], 'count', '0', 'base', '')
return 1
"""


@dataclass(frozen=True)
class ItemsHead:
    """`{sb}:imeta` without the rest: which items there are."""

    epoch: str
    seq: int
    digest: str


@dataclass(frozen=True)
class FeedEntry:
    """One edit, as the feed tells it: `digest` is that of all records after it, `at` unix ms.

    `op` is `restore` or `trim` of an entry that is of all items, or of many; None of one that is of one.
    """

    seq: int
    epoch: str
    id: str
    record: bytes
    digest: str
    at: int | None
    actor: str | None = None
    op: str | None = None


@dataclass(frozen=True)
class Seen:
    """What a reader of the head must know to judge it.

    Attributes:
        head: of the store.
        count: records there are.
        began: the seq that the epoch began at; 0 for a store that was new.
        trimmed: records up to this seq were let go: an index in use holds them.
        newest: the feed's last entry; None when it is empty.
        known_digest: what the feed holds for the seq that the reader asked about; None when trimmed.
    """

    head: ItemsHead
    count: int = 0
    began: int = 0
    trimmed: int = 0
    newest: FeedEntry | None = None
    known_digest: str | None = None

    def adds_up(self, records: Mapping[str, bytes]) -> bool:
        """Return whether these records are those of the head."""
        return str(Digest.of(records.values())) == self.head.digest

    def logged(self) -> bool:
        """Return whether the feed's last entry tells of this very head. An empty feed says nothing."""
        if self.newest is None:
            return True
        return ItemsHead(self.newest.epoch, self.newest.seq, self.newest.digest) == self.head


class ItemStore:
    """The items of `store`, over its connections."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def head(self) -> ItemsHead | None:
        """Read `{sb}:imeta`; None when there are no items yet, or they were lost."""
        with self.store.errors():
            return _head(await self.store.redis.hgetall(self.store.key("imeta")))

    async def look(self, known: int | None = None) -> Seen | None:
        """Read the head and the ends of the feed at one moment; None without `{sb}:imeta`.

        Args:
            known: a seq whose digest in the feed to return along.
        """
        seen, _ = await self._read(known, records=False)
        return seen

    async def listing(self, known: int | None = None) -> tuple[Seen | None, dict[str, bytes]]:
        """Read what `look` reads, and every record by its id (MULTI/EXEC: unguarded reads can be torn)."""
        return await self._read(known, records=True)

    async def _read(self, known: int | None, records: bool) -> tuple[Seen | None, dict[str, bytes]]:
        key = self.store.key
        with self.store.errors():
            async with self.store.redis.pipeline(transaction=True) as pipe:
                pipe.hgetall(key("imeta"))
                pipe.xrevrange(key("feed"), count=1)
                pipe.xrange(key("feed"), f"{known or 0}-0", f"{known or 0}-0")
                if records:
                    pipe.hgetall(key("item"))
                meta, newest, at_known, *held = await pipe.execute()
        head = _head(meta)
        if head is None:
            return None, {}
        found = {replies.text(item_id): bytes(record) for item_id, record in held[0].items()} if held else {}
        last = feed_entry(*newest[0]) if newest else None
        before = [feed_entry(*one) for one in at_known] if known else []
        count, began, trimmed = (replies.number(meta.get(name)) or 0 for name in (b"count", b"began", b"base"))
        return Seen(head, count, began, trimmed, last, before[0].digest if before else None), found

    async def records(self, ids: Sequence[str]) -> tuple[Seen | None, dict[str, bytes | None]]:
        """Read the head and the records of `ids` at one moment, to write after: on the connection for writes."""
        with self.store.errors():
            async with self.store.writing.pipeline(transaction=True) as pipe:
                pipe.hgetall(self.store.key("imeta"))
                if ids:
                    pipe.hmget(self.store.key("item"), list(ids))
                meta, *held = await pipe.execute()
        head = _head(meta)
        if head is None:
            return None, {}
        return Seen(head, replies.number(meta.get(b"count")) or 0), dict(zip(ids, held[0] if held else (), strict=True))

    async def feed(self, after: int) -> list[FeedEntry]:
        """Wait up to a second for entries after the seq `after`, and read the first of them, in order."""
        stream = self.store.key("feed")
        with self.store.errors():
            found: Any = await self.store.watching.xread({stream: f"{after}-0"}, _AT_ONCE, WATCH_BLOCK_MS)
        read = [feed_entry(*entry) for _, entries in found or () for entry in entries]
        return read if len(read) < _AT_ONCE else _whole_batches(read)

    async def entry(self, seq: int) -> FeedEntry | None:
        """Read one entry of the feed; None where it is trimmed."""
        with self.store.errors():
            found: Any = await self.store.redis.xrange(self.store.key("feed"), f"{seq}-0", f"{seq}-0")
        return feed_entry(*found[0]) if found else None

    async def history(self, count: int, before: int | None) -> list[FeedEntry]:
        """Read the newest `count` entries of the feed below the seq `before`, newest first."""
        top = "+" if before is None else f"({before}-0"
        with self.store.errors():
            found: Any = await self.store.redis.xrevrange(self.store.key("feed"), top, "-", count=count)
        return [feed_entry(*entry) for entry in found]

    async def used_for(self, idempotency_key: str, *, to_write: bool = True) -> bytes | str | None:
        """Read what a request with this key did; None when it is new. `to_write` as in `Store.used_for`."""
        client = self.store.writing if to_write else self.store.redis
        with self.store.errors():
            return await client.hget(self.store.key("iidem"), f"key:{idempotency_key}")

    async def initialise(self) -> bool:
        """Start the first epoch at seq 0. Returns False when there is one, or records without one."""
        store = self.store
        with store.errors():
            done = await store.writing.eval(
                _INITIALISE, 3, *map(store.key, ("imeta", "item", "feed")), secrets.token_hex(8), EMPTY_DIGEST
            )
        return bool(done)


def feed_entry(entry_id: bytes, values: Mapping[bytes, bytes]) -> FeedEntry:
    """Read an entry of the feed; one that slotbeam did not write follows from nothing."""
    texts = (replies.text(values.get(name)) for name in (b"epoch", b"id", b"digest"))
    epoch, item_id, digest = texts
    seq = int(entry_id.split(b"-")[0])
    at, (actor, op) = replies.moment(values.get(b"at")), (replies.decoded(values.get(n)) for n in (b"actor", b"op"))
    return FeedEntry(seq, epoch, item_id, bytes(values.get(b"record", b"")), digest, at, actor, op)


def _whole_batches(entries: list[FeedEntry]) -> list[FeedEntry]:
    """Leave out the last commit, the end of which may not have been read: a batch is served at one moment, too.

    Commits of one actor in one millisecond are taken for one; what is nothing else is not left out.
    """
    last = entries[-1]
    end = len(entries)
    while end and (entries[end - 1].at, entries[end - 1].actor) == (last.at, last.actor):
        end -= 1
    return entries[:end] or entries


def _head(meta: Any) -> ItemsHead | None:
    epoch, digest = replies.text(meta.get(b"epoch")), replies.text(meta.get(b"digest"))
    seq = replies.number(meta.get(b"seq"))
    try:
        Digest(digest)
    except ValueError:
        return None
    return ItemsHead(epoch, seq, digest) if epoch and seq is not None else None
