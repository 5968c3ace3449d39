"""One atomic commit: acknowledged and durable, or refused without a trace, or honestly unknown."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import orjson

from slotbeam.bindings.binding import Binding, ItemLists
from slotbeam.bindings.edits.plan import LINGER_S, Change, Edit, Plan, item_changes, lists_of, make_plan
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.store.connection import (
    Script,
    Unanswered,
    known_on_disk,
    look_up,
    nothing_written,
    on_disk,
    run,
    unconfirmed,
)
from slotbeam.bindings.store.replies import idempotency_record
from slotbeam.bindings.store.store import Store
from slotbeam.errors import IdempotencyReused, OutcomeUnknown, SlotTaken, StoreError, StoreUnavailable, WordTaken
from slotbeam.types import Slot

TRIES = 24

_SCRIPT = Script.load("commit.lua")


@dataclass(frozen=True)
class Committed:
    """What an acknowledged commit did.

    Attributes:
        revision: that it made.
        edits: what was done; of a replay, as the log remembers it (empty when it is trimmed).
        replayed: the idempotency key was used before with the same request; nothing was done again.
        durability: how it is known to be on disk: `appendfsync always`, `waitaof` or `unknown`.
    """

    revision: int
    edits: tuple[Edit, ...]
    replayed: bool
    durability: str


async def commit(
    store: Store,
    codebook_sha: str,
    change: Callable[[Listing], Change],
    *,
    items: Mapping[str, bytes] | None = None,
    lists: ItemLists | None = None,
    idempotency_key: str | None = None,
    fingerprint: str = "",
) -> Committed:
    """Commit `change`.

    Args:
        change: called with the store's newest listing, again whenever another commit came first; raises what is
            wrong with the edit (a stale If-Match, a taken word …).
        items: item lists that the change refers to, by hash; written before the commit.
        lists: item lists that the caller holds; others are read, for the log says which items came and went.
        idempotency_key: a second commit with it and the same `fingerprint` returns the first one's outcome.

    Raises:
        WordTaken, SlotTaken, IdempotencyReused, and what `change` raises: nothing was written.
        StoreUnavailable: nothing was written.
        OutcomeUnknown: it may have been written; the same key tells.
    """
    idempotency_key = idempotency_key or "auto-" + secrets.token_hex(16)
    async with store.write_lock:
        with nothing_written():
            return await _commit(store, codebook_sha, change, items or {}, lists or {}, idempotency_key, fingerprint)


async def _commit(
    store: Store,
    codebook_sha: str,
    change: Callable[[Listing], Change],
    items: Mapping[str, bytes],
    lists: ItemLists,
    idempotency_key: str,
    fingerprint: str,
) -> Committed:
    durable = await store.durable()
    for attempt in range(TRIES):
        listing = await store.read(codebook_sha, to_write=True, whole=False)
        # Looked up after the listing was read: the same request may have come by another control plane, and the edit
        # that it made would now refuse itself (its word is taken, its slot is bound).
        done = await earlier(store, idempotency_key, fingerprint)
        if done is not None:
            return done
        if listing is None:
            raise StoreUnavailable(f"the store at {store.name} holds no epoch: it is new, or it lost its data")
        wanted = change(listing)
        moved = await _moved(store, wanted.edits, items, lists)
        plan = make_plan(listing, wanted, idempotency_key, fingerprint, moved)
        # Before the commit, which refuses when one is missing: a replica never reads a revision without its lists.
        await store.put_items(items, LINGER_S)
        reply, confirmed = await _run(store, codebook_sha, plan, idempotency_key, fingerprint, durable.how)
        if isinstance(reply, Committed):
            return reply
        if reply[0] == "ok":
            how = known_on_disk(store.strict, durable.how, confirmed, unconfirmed(plan.revision))
            return Committed(plan.revision, plan.edits, False, how)
        _raise_refusal(store, reply)
        # Another commit came first. Those who lost together must not try again together.
        await asyncio.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 6)))
    raise StoreUnavailable(f"{TRIES} other commits came first, send it again")


async def _moved(
    store: Store, edits: Sequence[Edit], items: Mapping[str, bytes], lists: ItemLists
) -> Sequence[Mapping[str, object] | None]:
    """Work out which items `edits` bring and take away, off the event loop: a list may be long."""
    wanted = lists_of(edits)
    unknown = wanted - items.keys() - lists.keys()
    read, _ = await store.items(unknown) if unknown else ({}, {})

    def compare() -> Sequence[Mapping[str, object] | None]:
        given = {sha: tuple(orjson.loads(items[sha])) for sha in wanted & items.keys()}
        return item_changes(edits, {**lists, **read, **given})

    return await asyncio.to_thread(compare)


async def earlier(store: Store, idempotency_key: str, fingerprint: str) -> Committed | None:
    """Look up what the idempotency key did; None when it is new. Call it with the store's write lock.

    Raises:
        IdempotencyReused: it did something else.
        OutcomeUnknown: it made a revision, and the store does not say more of it, or that it is on disk.
        StoreUnavailable: the store does not answer.
    """
    raw = await store.used_for(idempotency_key)
    if raw is None:
        return None
    revision = _revision_of(raw, idempotency_key, fingerprint)
    with _was_made(revision):
        how = await _on_disk(store, "idem", idempotency_key, raw, revision)
        return None if how is None else Committed(revision, await _remembered(store, revision), True, how)


async def confirmed(store: Store, listing: Listing, binding: Binding) -> Committed:
    """Answer for an edit that made `binding` as `listing` has it, for a request that changes nothing.

    Raises:
        StoreUnavailable: the store does not answer, or the binding was edited meanwhile.
        OutcomeUnknown: the store does not say that it is on disk.
    """
    async with store.write_lock:
        record = listing.records[binding.id]
        how = await _on_disk(store, "binding", binding.id, record, binding.revision)
    if how is None:
        raise StoreUnavailable(f"{binding.id} was edited meanwhile, send it again")
    return Committed(listing.revision, (Edit(None, binding, listing.placed.get(binding.id)),), True, how)


async def _on_disk(store: Store, name: str, field: str, raw: bytes | str, revision: int) -> str | None:
    """Tell how what `revision` left in the hash `name` is known to be on disk; None when it is gone."""
    how = (await store.durability()).how
    unsure = unconfirmed(revision)
    return await on_disk(store, name, field, raw, how=how, strict=store.strict, unsure=unsure)


@contextmanager
def _was_made(revision: int) -> Iterator[None]:
    """Say of a store that does not answer that the edit was made all the same."""
    try:
        yield
    except StoreUnavailable as error:
        raise OutcomeUnknown(
            f"the request made revision {revision}, but {error}; send it again", outcome="unknown", revision=revision
        ) from error


def _revision_of(raw: bytes | str, idempotency_key: str, fingerprint: str) -> int:
    seen = idempotency_record(raw)
    if seen is None:
        raise IdempotencyReused(f'what idempotency key "{idempotency_key}" was used for cannot be read; use a new key')
    revision, used_for = seen
    if used_for != fingerprint:
        raise IdempotencyReused(
            f'idempotency key "{idempotency_key}" was used for another request (revision {revision}); use a new key',
            revision=revision,
        )
    return revision


async def _remembered(store: Store, revision: int) -> tuple[Edit, ...]:
    """Read the edits of `revision` from the log."""
    entries = await store.log(1, before=revision + 1)
    if not entries or entries[0]["revision"] != revision:
        return ()
    edits = []
    try:
        for change in entries[0]["changes"]:
            before, after = (
                Binding.from_record(change[n].encode()) if change[n] else None for n in ("before", "after")
            )
            edits.append(Edit(before, after, Slot.parse(change["slot"]) if change["slot"] else None))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()
    return tuple(edits)


async def _run(
    store: Store, codebook_sha: str, plan: Plan, idempotency_key: str, fingerprint: str, how: str
) -> tuple[list[str] | Committed, bool]:
    names = ["meta", "binding", f"slots:{codebook_sha}", "word", "log", "idem"]
    names += [f"items:{sha}" for sha in plan.needs + plan.drops]
    try:
        reply, confirmed = await run(store, _SCRIPT, names, json.dumps(plan.fields, ensure_ascii=False), how=how)
    except Unanswered as error:
        return await _done_unheard(store, plan, idempotency_key, fingerprint, error), False
    return reply, confirmed


async def _done_unheard(
    store: Store, plan: Plan, idempotency_key: str, fingerprint: str, cause: Unanswered
) -> Committed:
    """Return what the idempotency key says of a commit whose answer was lost. Never says "failed"."""
    raw: bytes | str | None = await look_up(store.lookup_s, lambda: store.used_for(idempotency_key, to_write=False))
    if raw is not None:
        revision = _revision_of(raw, idempotency_key, fingerprint)
        with _was_made(revision):
            how = await _on_disk(store, "idem", idempotency_key, raw, revision)
        if how is not None:
            return Committed(revision, plan.edits, False, how)
    why = type(cause.__cause__).__name__
    raise OutcomeUnknown(
        f"the store at {store.name} did not confirm the commit ({why}); it may have been written: "
        "send the same request with the same Idempotency-Key to find out",
        outcome="unknown",
        idempotency_key=idempotency_key,
    ) from cause


def _raise_refusal(store: Store, reply: list[str]) -> None:
    """Raise what the script's checks found; return when another commit merely came first."""
    why, *rest = reply
    if why in ("stale", "items", "idem"):
        return
    if why == "word":
        raise WordTaken(
            f'"{rest[0]}" is bound by {rest[1]}; unbind it or leave the word out',
            word=rest[0],
            holder={"binding": rest[1]},
        )
    if why == "slot":
        raise SlotTaken(
            f"slot {rest[0]} is bound by {rest[1]}; name another one", slot=rest[0], holder={"binding": rest[1]}
        )
    if why == "epoch":
        raise StoreUnavailable(f"the store at {store.name} began another epoch ({rest[0] or 'none'})")
    raise StoreError(f"the store at {store.name} holds keys that slotbeam did not write ({': '.join(reply)})")
