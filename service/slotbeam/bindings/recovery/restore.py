"""Explicit recovery: what a backup would change in the store, and the one script that does it.

A restore begins a new epoch at the highest revision anyone knows + 1000, so every replica takes it as news, whatever
it serves. It is the only way bindings come back: replicas never write any.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slotbeam.bindings.binding import SCHEMA, Binding, encode_items, state_digest
from slotbeam.bindings.edits.plan import LINGER_S, LOG_KEPT, Edit, item_changes, lists_of, logged
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.recovery.backup import Backup, same, saved_revisions
from slotbeam.bindings.store.connection import (
    Script,
    Unanswered,
    known_on_disk,
    look_up,
    nothing_written,
    run,
    unconfirmed,
)
from slotbeam.bindings.store.store import Store
from slotbeam.errors import Conflict, OutcomeUnknown, SetupError, StoreError, StoreUnavailable
from slotbeam.types import Slot

AHEAD = 1000
"""A revision that nobody told us of is taken to be less than this ahead of those known."""
BELIEVED = 2**52
"""Heartbeats from this revision on are not believed: one that is forged could leave a restore no revision to take."""
BATCH = 64

_SCRIPT = Script.load("restore.lua")


@dataclass(frozen=True, eq=False)
class Restoration:
    """What a restore would do, worked out before anything is written.

    Attributes:
        backup: what is restored.
        codebook: whose slots are written.
        before: the store as it is; None when it holds no epoch.
        epoch, revision: what the restore begins.
        bindings, placed: what the store holds afterwards.
        added, changed, removed: ids; a binding is changed when anything but its revision, or its slot, is.
        risks: why it needs `--overwrite`; none when it only adds what the store lacks.
    """

    backup: Backup
    codebook: str
    before: Listing | None
    epoch: str
    revision: int
    bindings: Mapping[str, Binding]
    placed: Mapping[str, Slot]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    risks: tuple[str, ...]

    @property
    def kept(self) -> int:
        """How many bindings the store holds already as they are to be."""
        return len(self.bindings) - len(self.added) - len(self.changed)


async def plan_restore(store: Store, backup: Backup, codebook_sha: str, data_dir: Path) -> Restoration:
    """Compare `backup` with the store.

    Args:
        codebook_sha: whose slots a backup holds that does not say so itself.
        data_dir: whose last-known-good files tell which revisions were served.

    Raises:
        SetupError: two bindings of the backup hold one word or slot.
        StoreUnavailable: the store does not answer.
    """
    codebook = backup.codebook or codebook_sha
    _check(backup)
    before = await store.read(codebook)
    beats = await store.replicas()
    logged = await store.log(1)
    strays = before is None and await store.holds_records()
    known = [
        *(beat["revision"] for beat in beats if beat["revision"] < BELIEVED),
        *(entry["revision"] for entry in logged),
        *saved_revisions(data_dir),
        before.revision if before else 0,
    ]
    revision = max(backup.revision, *known) + AHEAD
    old = before.bindings if before else {}
    old_placed = before.placed if before else {}
    kept = {
        binding_id
        for binding_id, binding in backup.bindings.items()
        if binding_id in old
        and same(old[binding_id], binding)
        and old_placed.get(binding_id) == backup.placed.get(binding_id)
    }
    bindings = {
        binding_id: old[binding_id] if binding_id in kept else replace(b, revision=revision)
        for binding_id, b in backup.bindings.items()
    }
    records = before.records if before else {}
    added = tuple(sorted(bindings.keys() - records.keys()))
    changed = tuple(sorted((bindings.keys() & records.keys()) - kept))
    removed = tuple(sorted(records.keys() - bindings.keys()))
    risks = list(_risks(store, backup, before, beats, bool(added or changed or removed)))
    if changed or removed:
        risks.append(f"{len(changed)} bindings of the store would change, {len(removed)} would be removed")
    if strays:
        risks.append("the store holds bindings without an epoch; they would be removed")
    epoch = secrets.token_hex(8)
    return Restoration(
        backup, codebook, before, epoch, revision, bindings, backup.placed, added, changed, removed, tuple(risks)
    )


async def restore(store: Store, plan: Restoration, actor: str, now_ms: int) -> str:
    """Carry `plan` out, all or nothing. Returns how it is known to be on disk.

    Raises:
        Conflict: the store changed since the plan was made; nothing was written.
        StoreUnavailable: nothing was written.
        OutcomeUnknown: it may have been written.
    """
    with nothing_written():
        durable = await store.durability()
        if store.strict and not durable.ok:
            raise StoreUnavailable(f"writes are refused: {durable.why}", durability=durable.how)
        lists = sorted(plan.backup.items.items())
        for start in range(0, len(lists), BATCH):
            batch = {sha: encode_items(ids)[1] for sha, ids in lists[start : start + BATCH]}
            await store.put_items(batch, LINGER_S)
        needs = sorted({binding.items for binding in plan.bindings.values()})
        old = {binding.items for binding in plan.before.bindings.values()} if plan.before else set()
        drops = sorted(old - set(needs))
        names = ["meta", "binding", f"slots:{plan.codebook}", "word", "log", *(f"items:{sha}" for sha in needs + drops)]
        changes = await _changes(store, plan)
        payload = json.dumps(_fields(plan, len(needs), changes, actor, now_ms), ensure_ascii=False)
        reply, confirmed = await _run(store, names, payload, plan, durable.how)
        if reply[0] == "ok":
            return known_on_disk(store.strict, durable.how, confirmed, unconfirmed(plan.revision))
        if reply[0] in ("stale", "items", "log"):
            raise Conflict(
                f"the store at {store.name} changed meanwhile; nothing was written: look again with --dry-run"
            )
        raise StoreError(f"the store at {store.name} holds keys that slotbeam did not write ({': '.join(reply)})")


def _check(backup: Backup) -> None:
    """Refuse a backup that no store could have held. Raises `SetupError`."""
    words: dict[str, str] = {}
    slots: dict[Slot, str] = {}
    for binding_id, binding in sorted(backup.bindings.items()):
        held = [(word, words.setdefault(word, binding_id)) for word in binding.words if binding.holds_words]
        if binding_id in backup.placed:
            slot = backup.placed[binding_id]
            held.append((f"slot {slot}", slots.setdefault(slot, binding_id)))
        for what, holder in held:
            if holder != binding_id:
                raise SetupError(
                    f"{backup.source}: {what} is held by both {holder} and {binding_id}; take one of them out"
                )


def _risks(
    store: Store, backup: Backup, before: Listing | None, beats: Iterable[Mapping[str, object]], differs: bool
) -> Iterable[str]:
    if not differs:
        return
    if before is not None and before.revision > backup.revision:
        yield f"the store at {store.name} is at revision {before.revision}, newer than {backup.revision} of the backup"
    for beat in beats:
        revision = beat["revision"]
        if isinstance(revision, int) and revision > max(backup.revision, before.revision if before else 0):
            yield f"replica {beat['id']} serves revision {revision}, newer than {backup.revision} of the backup"


def _fields(
    plan: Restoration, needs: int, changes: Sequence[Mapping[str, object]], actor: str, now_ms: int
) -> dict[str, object]:
    """Return the arguments of `restore.lua`: strings only."""
    records = {binding_id: binding.record() for binding_id, binding in plan.bindings.items()}
    state = state_digest(records)
    logged = json.dumps(changes, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {
        "epoch_before": plan.before.epoch if plan.before else "",
        "before": str(plan.before.revision) if plan.before else "",
        "epoch": plan.epoch,
        "revision": str(plan.revision),
        "state": state,
        "count": str(len(records)),
        "schema": str(SCHEMA),
        "keep": str(LOG_KEPT),
        "linger": str(LINGER_S),
        "needs": str(needs),
        "records": [(binding_id, record.decode()) for binding_id, record in records.items()],
        "slots": [(str(slot), binding_id) for binding_id, slot in plan.placed.items()],
        "words": [
            (word, binding_id)
            for binding_id, binding in plan.bindings.items()
            if binding.holds_words
            for word in binding.words
        ],
        "entry": [
            *("op", "restore", "at", str(now_ms), "actor", actor, "key", f"restore-{plan.epoch}"),
            *("epoch", plan.epoch, "state", state, "changes", logged),
        ],
    }


async def _changes(store: Store, plan: Restoration) -> list[dict[str, object]]:
    """Return what the log entry says, in the form of a commit's: a restore can be undone like one."""
    old = plan.before.bindings if plan.before else {}
    slots = {
        **(plan.before.placed if plan.before else {}),
        **{binding_id: plan.placed.get(binding_id) for binding_id in plan.bindings},
    }
    ids = (*plan.removed, *plan.changed, *plan.added)
    edits = [Edit(old.get(binding_id), plan.bindings.get(binding_id), slots.get(binding_id)) for binding_id in ids]
    unknown = sorted(lists_of(edits) - plan.backup.items.keys())
    lists = dict(plan.backup.items)
    for start in range(0, len(unknown), BATCH):
        lists |= (await store.items(unknown[start : start + BATCH]))[0]
    moved = item_changes(edits, lists)
    return [logged(plan.before, *told) for told in zip(ids, edits, moved, strict=True)]


async def _run(store: Store, names: list[str], payload: str, plan: Restoration, how: str) -> tuple[list[str], bool]:
    """Send the script once; when its reply is lost, the new epoch tells whether it ran."""
    try:
        return await run(store, _SCRIPT, names, payload, how=how)
    except Unanswered as error:
        cause = error

    async def began() -> bool | None:
        head = await store.head()
        return True if head is not None and head.epoch == plan.epoch else None

    if await look_up(store.lookup_s, began):
        return ["ok", str(plan.revision)], False
    why = type(cause.__cause__).__name__
    raise OutcomeUnknown(
        f"the store at {store.name} did not confirm the restore ({why}); it may have been written: "
        f'"slotbeam doctor" shows whether the store is at revision {plan.revision}',
        outcome="unknown",
    ) from cause
