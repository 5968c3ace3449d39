"""One atomic commit of items: acknowledged and durable, or refused without a trace, or honestly unknown."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slotbeam.bindings.store import replies
from slotbeam.bindings.store.connection import (
    Script,
    Unanswered,
    known_on_disk,
    look_up,
    nothing_written,
    on_disk,
    run,
)
from slotbeam.catalog.fields import FieldKind
from slotbeam.errors import OutcomeUnknown, StoreError, StoreUnavailable
from slotbeam.items.edits import BaseRow, Given, IsHeld, ItemOutcome, ItemsPlan, Operation, make_plan
from slotbeam.items.store.outcomes import outcome_text, read_outcome, told_again
from slotbeam.items.store.store import ItemStore, Seen

TRIES = 24
FEED_KEPT, FEED_LONGEST = 10_000, 200_000
"""Entries of the feed that are kept at least, and at most: a replica further behind reads everything once."""
KEYS_KEPT = 10_000
"""Commits whose idempotency keys are remembered."""

_SCRIPT = Script.load("commit.lua", __file__)
_KEYS = ("imeta", "item", "feed", "iidem")


def entries_to_keep(seq: int, read: Iterable[int]) -> int:
    """Return how long the feed has to be at `seq` for the slowest of those that have `read` it so far."""
    behind = max((seq - at for at in read), default=0)
    return min(max(FEED_KEPT, 2 * behind), FEED_LONGEST)


@dataclass(frozen=True)
class ItemsRules:
    """What commits are held to.

    Attributes:
        base: the row of an item of the index.
        kinds: field → the type of its values in the catalog.
        limit: records at most that the index does not hold.
        keep: entries of the feed that are kept.
        held, is_held: how many records the index holds, and of one whether it does.
    """

    base: BaseRow
    kinds: Mapping[str, FieldKind]
    limit: int
    keep: int = FEED_KEPT
    held: int = 0
    is_held: IsHeld = lambda record: False


@dataclass(frozen=True)
class ItemsCommitted:
    """What an acknowledged commit did.

    Attributes:
        epoch: of the items.
        seq: of its last edit; of one that changed nothing, that of the store.
        outcomes: of each operation. Of a replay only what became of it is known, and the seq of what was written.
        replayed: the idempotency key was used before with the same request; nothing was done again.
        durability: how it is known to be on disk: `appendfsync always`, `waitaof` or `unknown`.
    """

    epoch: str
    seq: int
    outcomes: tuple[ItemOutcome, ...]
    replayed: bool
    durability: str


async def plan_items(store: ItemStore, operations: Sequence[Operation], rules: ItemsRules) -> tuple[Seen, ItemsPlan]:
    """Work out what `operations` would do to the items there are now. Raises `StoreUnavailable`."""
    ids = list(dict.fromkeys(operation.id for operation in operations))
    seen, records = await store.records(ids)
    if seen is None:
        raise StoreUnavailable(f"the store at {store.store.name} holds no epoch of items: it is new, or lost its data")

    def work() -> ItemsPlan:
        head, checked = seen.head, (rules.base, rules.kinds, rules.limit, rules.held, rules.is_held)
        return make_plan(operations, Given(records, head.seq, head.digest, seen.count, *checked))

    return seen, await asyncio.to_thread(work)


async def commit_items(
    store: ItemStore,
    operations: Sequence[Operation],
    rules: ItemsRules,
    *,
    actor: str,
    at: int,
    idempotency_key: str | None = None,
    fingerprint: str = "",
) -> ItemsCommitted:
    """Commit the operations that are not refused, all of them at one moment.

    Args:
        actor: who asks, for the feed.
        at: unix ms.
        idempotency_key: a second commit with it and the same `fingerprint` returns the first one's outcome.

    Raises:
        IdempotencyReused: nothing was written.
        StoreUnavailable: nothing was written.
        OutcomeUnknown: it may have been written; the same key tells.
    """
    key = idempotency_key or "auto-" + secrets.token_hex(16)
    async with store.store.write_lock:
        with nothing_written():
            how = (await store.store.durable()).how
            for attempt in range(TRIES):
                seen, plan = await plan_items(store, operations, rules)
                # Looked up after the items were read: the same request may have come by another control plane, and
                # beside the edits that it made it would change nothing.
                done = await earlier_items(store, operations, key, fingerprint)
                if done is not None:
                    return done
                if not plan.writes:
                    known = await _on_disk(store, "imeta", "digest", seen.head.digest, how, seen.head.seq)
                    if known is None:
                        continue  # another commit came first
                    return ItemsCommitted(seen.head.epoch, seen.head.seq, plan.outcomes, False, known)
                outcome = outcome_text(seen.head.epoch, plan, fingerprint)
                arguments = _arguments(seen, plan, key, outcome, actor, at, rules.keep)
                reply, confirmed = await _run(store, plan, seen, arguments, key, outcome, how)
                if isinstance(reply, ItemsCommitted):
                    return reply
                if reply[0] == "ok":
                    last = plan.writes[-1].seq
                    known = known_on_disk(store.store.strict, how, confirmed, _unconfirmed(last))
                    return ItemsCommitted(seen.head.epoch, last, plan.outcomes, False, known)
                _raise_refusal(store, reply)
                # Another commit came first. Those who lost together must not try again together.
                await asyncio.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 6)))
            raise StoreUnavailable(f"{TRIES} other commits came first, send it again")


async def earlier_items(
    store: ItemStore, operations: Sequence[Operation], idempotency_key: str, fingerprint: str
) -> ItemsCommitted | None:
    """Look up what the idempotency key did; None when it is new. Call it with the store's write lock.

    Raises:
        IdempotencyReused: it did something else.
        OutcomeUnknown: it made an edit, and the store does not say that it is on disk.
        StoreUnavailable: the store does not answer.
    """
    raw = await store.used_for(idempotency_key)
    if raw is None:
        return None
    epoch, first, last, letters = read_outcome(raw, idempotency_key, fingerprint)
    how = await _remembered(store, idempotency_key, raw, last)
    return None if how is None else ItemsCommitted(epoch, last, told_again(operations, letters, first), True, how)


async def _remembered(store: ItemStore, idempotency_key: str, raw: bytes | str, last: int) -> str | None:
    """Tell how the edit that the key remembers, up to the seq `last`, is known to be on disk; None: it is gone.

    Raises `OutcomeUnknown`: it was made, and the store does not say that it is on disk.
    """
    try:
        how = (await store.store.durability()).how
        return await _on_disk(store, "iidem", f"key:{idempotency_key}", raw, how, last)
    except StoreUnavailable as error:
        raise OutcomeUnknown(
            f"the request made seq {last}, but {error}; send it again", outcome="unknown", seq=last
        ) from error


async def _on_disk(store: ItemStore, name: str, field: str, value: bytes | str, how: str, seq: int) -> str | None:
    unsure = _unconfirmed(seq)
    return await on_disk(store.store, name, field, value, how=how, strict=store.store.strict, unsure=unsure)


def _unconfirmed(seq: int) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"seq {seq} was written but the store did not confirm that it is on disk", outcome="unknown", seq=seq
    )


def _arguments(
    seen: Seen, plan: ItemsPlan, key: str, outcome: str, actor: str, at: int, keep: int
) -> list[str | bytes]:
    last = plan.writes[-1]
    fields = {
        "epoch": seen.head.epoch,
        "before": str(seen.head.seq),
        "after": str(last.seq),
        "digest": last.digest,
        "count": str(plan.count),
        "key": key,
        "keys": str(KEYS_KEPT),
        "outcome": outcome,
        "actor": actor,
        "at": str(at),
        "keep": str(keep),
    }
    arguments: list[str | bytes] = [json.dumps(fields, ensure_ascii=False)]
    for write in plan.writes:
        arguments += [write.id, str(write.seq), write.record, write.digest]
    return arguments


async def _run(
    store: ItemStore, plan: ItemsPlan, seen: Seen, arguments: Sequence[str | bytes], key: str, outcome: str, how: str
) -> tuple[list[str] | ItemsCommitted, bool]:
    """Send the script once. What became of one whose answer was lost, its idempotency key tells: never "failed"."""
    try:
        return await run(store.store, _SCRIPT, _KEYS, *arguments, how=how)
    except Unanswered as error:
        raw: bytes | str | None = await look_up(store.store.lookup_s, lambda: store.used_for(key, to_write=False))
        if raw is not None and replies.text(raw) == outcome:
            last = plan.writes[-1].seq
            known = await _remembered(store, key, raw, last)
            if known is not None:
                return ItemsCommitted(seen.head.epoch, last, plan.outcomes, False, known), False
        why = type(error.__cause__).__name__
        raise OutcomeUnknown(
            f"the store at {store.store.name} did not confirm the commit ({why}); it may have been written: "
            "send the same request with the same Idempotency-Key to find out",
            outcome="unknown",
            idempotency_key=key,
        ) from error


def _raise_refusal(store: ItemStore, reply: list[str]) -> None:
    """Raise what the script's checks found; return when another commit merely came first."""
    why, *rest = reply
    if why in ("stale", "idem"):
        return
    name = store.store.name
    if why == "epoch":
        raise StoreUnavailable(f"the store at {name} began another epoch of items ({rest[0] or 'none'})")
    raise StoreError(f"the store at {name} holds keys that slotbeam did not write ({': '.join(reply)})")
