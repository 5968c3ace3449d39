"""Items come back to a store that lost them: what a replica served last, as a new epoch that every replica takes over.

A replica never does so by itself.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from slotbeam.bindings.recovery.restore import AHEAD, BELIEVED
from slotbeam.bindings.replica.lastgood import folder
from slotbeam.bindings.store.connection import Script, Unanswered, known_on_disk, look_up, nothing_written, run
from slotbeam.errors import Conflict, OutcomeUnknown, SetupError, StoreError
from slotbeam.items.replica.lastgood import ItemsFile, ItemsGood
from slotbeam.items.store.commit import FEED_KEPT
from slotbeam.items.store.store import ItemStore, Seen

_NAME = re.compile(r"items-[a-z]+(-[0-9]+)?")
_SCRIPT = Script.load("restore.lua", str(Path(__file__).parent / "store" / "restore.lua"))


@dataclass(frozen=True)
class ItemsRestoration:
    """What a restore would do.

    Attributes:
        source: where the items come from.
        good: they.
        before: the store's head; None where it holds no epoch of items.
        epoch, seq: that it would begin.
        added, changed, removed: ids of records that the store lacks, has otherwise, or alone has.
        risks: what it would overwrite; nothing where nobody loses anything.
    """

    source: str
    good: ItemsGood
    before: Seen | None
    epoch: str
    seq: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    risks: tuple[str, ...]


def last_good_items(data_dir: Path) -> tuple[str, ItemsGood]:
    """Return the newest items that a replica of this data directory served, and the name of their file.

    Raises:
        SetupError: there are none.
    """
    found = [(name, good) for name, good in _saved(data_dir)]
    if not found:
        raise SetupError(f"no replica of {data_dir} has served items; name the file of another one")
    return max(found, key=lambda one: one[1].head.seq)


def items_of(file: Path) -> tuple[str, ItemsGood]:
    """Return the items of one last-known-good file, with its journal. Raises `SetupError`."""
    good, problems = ItemsFile(file).load()
    if good is None:
        raise SetupError("; ".join(problems) or f"{file} is not there; last-known-good items are in DATA_DIR/last-good")
    return file.name, good


async def plan_items_restore(store: ItemStore, source: str, good: ItemsGood, data_dir: Path) -> ItemsRestoration:
    """Compare `good` with the store. Raises `StoreUnavailable`.

    Args:
        data_dir: whose last-known-good files tell which edits were served.
    """
    before, records = await store.listing()
    served = _served(await store.store.replicas())
    known = [*served.values(), *(one.head.seq for _, one in _saved(data_dir)), before.head.seq if before else 0]
    added = tuple(sorted(good.records.keys() - records.keys()))
    removed = tuple(sorted(records.keys() - good.records.keys()))
    both = good.records.keys() & records.keys()
    changed = tuple(sorted(item_id for item_id in both if good.records[item_id] != records[item_id]))
    risks = []
    if changed or removed:
        risks.append(f"{len(changed)} records of the store would change, {len(removed)} would be removed")
    if (added or changed or removed) and before and before.head.seq > good.head.seq:
        risks.append(f"the store at {store.store.name} is at seq {before.head.seq}, newer than {good.head.seq}")
    for name, seq in served.items():
        if seq > max(good.head.seq, before.head.seq if before else 0):
            risks.append(f"replica {name} serves seq {seq}, newer than {good.head.seq}")
    seq = max(good.head.seq, *known) + AHEAD
    return ItemsRestoration(source, good, before, secrets.token_hex(8), seq, added, changed, removed, tuple(risks))


async def restore_items(store: ItemStore, plan: ItemsRestoration, actor: str, at: int) -> str:
    """Carry `plan` out, all or nothing. Returns how it is known to be on disk.

    Raises:
        Conflict: the store changed since the plan was made; nothing was written.
        StoreUnavailable: nothing was written.
        OutcomeUnknown: it may have been written.
    """
    name = store.store.name
    unsure = OutcomeUnknown(
        f"the store at {name} did not confirm the restore of items (epoch {plan.epoch}); look again with --dry-run",
        outcome="unknown",
        seq=plan.seq,
    )
    with nothing_written():
        how = (await store.store.durable()).how
        try:
            reply, confirmed = await run(
                store.store, _SCRIPT, ("imeta", "item", "feed"), *_arguments(plan, actor, at), how=how
            )
        except Unanswered as error:
            if not await look_up(store.store.lookup_s, lambda: _began(store, plan.epoch)):
                raise unsure from error
            return known_on_disk(store.store.strict, how, False, unsure)
        if reply[0] == "ok":
            return known_on_disk(store.store.strict, how, confirmed, unsure)
        if reply[0] == "stale":
            raise Conflict(f"the store at {name} changed meanwhile; nothing was written: look again with --dry-run")
        raise StoreError(f"the store at {name} holds keys that slotbeam did not write ({': '.join(reply)})")


def _arguments(plan: ItemsRestoration, actor: str, at: int) -> Iterator[str | bytes]:
    before = plan.before.head if plan.before else None
    fields = {
        "epoch_before": before.epoch if before else "",
        "before": str(before.seq) if before else "",
        "epoch": plan.epoch,
        "seq": str(plan.seq),
        "digest": plan.good.head.digest,
        "count": str(len(plan.good.records)),
        "base": str(plan.good.trimmed or ""),
        "actor": actor,
        "at": str(at),
        "keep": str(FEED_KEPT),
    }
    yield json.dumps(fields, ensure_ascii=False)
    for item_id, record in plan.good.records.items():
        yield from (item_id, record)


async def _began(store: ItemStore, epoch: str) -> bool | None:
    head = await store.head()
    return True if head is not None and head.epoch == epoch else None


def _served(beats: list[dict[str, object]]) -> dict[str, int]:
    """Return replica → the seq that it says it serves; a number beyond belief is none."""
    told: dict[str, int] = {}
    for beat in beats:
        items = beat.get("items")
        if isinstance(items, Mapping) and items["seq"] < BELIEVED:
            told[str(beat["id"])] = items["seq"]
    return told


def _saved(data_dir: Path) -> Iterator[tuple[str, ItemsGood]]:
    for file in sorted(folder(data_dir).glob("items-*")):
        if _NAME.fullmatch(file.name):
            good, _ = ItemsFile(file).load()
            if good is not None:
                yield file.name, good
