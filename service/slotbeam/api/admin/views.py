"""Bindings, slots and propagation as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slotbeam.api.admin.places import ListedSlot
from slotbeam.bindings.actions import actions_of
from slotbeam.bindings.binding import Binding, Lifecycle
from slotbeam.bindings.edits.plan import Edit
from slotbeam.bindings.spec import FIELDS, RULE_TOLD, SLOT_TOLD, Json, Kind, in_order, json_of
from slotbeam.bindings.store.store import Store
from slotbeam.bindings.times import iso
from slotbeam.errors import StoreError
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import ServingState
from slotbeam.types import Slot

_MEMBERS = in_order("words", "category", "item_count", "match", then=SLOT_TOLD)
"""Of a binding, in order; of drafts `state` says what they are."""
POLL_S = (0.005, 0.05)
"""The first and the longest pause between two looks at who serves a revision."""

View = dict[str, Any]
"""A slot or a binding as JSON; `models/slots.py` says which members there are."""
Spread = dict[str, Any]
"""Who serves a revision, as JSON; `models/edits.py` calls it `Propagation`. `settled`: nobody is awaited."""


def slot_view(
    artifact: Artifact, slot: Slot | None, binding: Binding | None, now_ms: int, failed: str | None = None
) -> View:
    """Show one slot with what it holds. A draft has no slot; a free slot has no binding."""
    codebook = artifact.kae.codebook
    position = ListedSlot(slot, binding.id if binding else None, binding).position(codebook)
    place = {
        "slot": str(slot) if slot else None,
        "position": position,
        "group": None if position is None else codebook.group_name(position),
    }
    if binding is None:
        return {**place, "state": Lifecycle.FREE}
    told = {"item_count": binding.item_count, **told_of(binding)}
    return {
        **place,
        "state": Lifecycle.FAILED if failed else binding.lifecycle(now_ms),
        "id": binding.id,
        **{name: told[name] for name in _MEMBERS},
        "created_at": iso(binding.created_at),
        "revision": binding.revision,
        "etag": binding.etag,
        **({"error": failed} if failed else {}),
    }


def rule_view(rule: Binding, now_ms: int, failed: str | None = None) -> View:
    """Show one rule."""
    told = told_of(rule)
    return {
        "id": rule.id,
        "state": Lifecycle.FAILED if failed else rule.lifecycle(now_ms),
        "actions": list(actions_of(rule)),
        **{name: told[name] for name in RULE_TOLD},
        "created_at": iso(rule.created_at),
        "revision": rule.revision,
        "etag": rule.etag,
        **({"error": failed} if failed else {}),
    }


def told_of(binding: Binding) -> View:
    """Return every field of `BindingSpec` as JSON has it."""
    return {name: _shown(FIELDS[name], value) for name, value in binding.values().items()}


def _shown(kind: Kind, value: Any) -> object:
    if kind is Kind.JSON:
        return json_of(Json(value))
    if isinstance(value, tuple):
        return list(value)
    return iso(value) if kind is Kind.MOMENT else value


def place_view(artifact: Artifact, place: ListedSlot, failed: Mapping[str, str], now_ms: int) -> View:
    """Show one of `all_places`."""
    why = failed.get(place.binding_id) if place.binding_id else None
    if place.binding_id and place.binding is None:
        free = slot_view(artifact, place.slot, None, now_ms)
        return {**free, "state": Lifecycle.FAILED, "id": place.binding_id, "error": why}
    return slot_view(artifact, place.slot, place.binding, now_ms, why)


def replica_view(heartbeat: Mapping[str, object]) -> dict[str, object]:
    """Show one live replica."""
    names = ("id", "role", "model", "codebook", "state", "epoch", "revision", "active", "applied_ms", "build_ms")
    told = {name: heartbeat.get(name) for name in (*names, "error", "failed", "items")}
    return {**told, "cut": heartbeat.get("cut", {})}


@dataclass(frozen=True)
class CommitNumber:
    """What commits are counted by: the name of the number, and the part of a heartbeat that says it."""

    name: str
    part: str | None = None
    why: str | None = None
    """Where a heartbeat says why it does not have the newest."""

    def of(self, beat: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what a heartbeat says; of an older slotbeam, that it knows of none."""
        if self.part is None:
            return beat
        unsaid = {self.name: 0, "state": "none", "error": "it does not say; is it of an older version?", "failed": {}}
        told = beat.get(self.part) or unsaid
        return told if self.name in told else {**told, **unsaid}


REVISION = CommitNumber("revision")
SEQ = CommitNumber("seq", "items")
SWITCH = CommitNumber("switch", "items", "index_error")


def propagation_of(
    heartbeats: Sequence[Mapping[str, Any]], number: int, ids: Sequence[str], by: CommitNumber = REVISION
) -> Spread:
    """Tell who serves the commit `number`: a replica applied it when it says so and none of `ids` failed there."""
    replicas = []
    for beat in heartbeats:
        told = by.of(beat)
        failed = told["failed"]
        reached = told[by.name] >= number
        why = next((failed[one] for one in ids if reached and one in failed), None)
        if not reached and by.why is not None and told.get(by.why):
            why = str(told[by.why])
        elif not reached and str(told.get("state")) != ServingState.LIVE:
            why = f"{told.get('state')}: {told.get('error')}"
        replicas.append(
            {
                "id": beat["id"],
                by.name: told.get(by.name),
                "state": told.get("state"),
                "applied_ms": told.get("applied_ms") if told.get(by.name) == number else None,
                "error": why,
                "applied": reached and why is None,
                "settled": reached,
            }
        )
    return {
        "expected": len(replicas),
        "applied": sum(1 for replica in replicas if replica["applied"]),
        "settled": all(replica["settled"] for replica in replicas),
        "replicas": replicas,
    }


async def spread_of(
    store: Store, number: int, ids: Sequence[str], seconds: float, by: CommitNumber = REVISION
) -> Spread:
    """Ask for every live replica's word on the commit `number`, for up to `seconds`.

    An acknowledged commit stays one: that nobody could be asked is told in `error`, and `expected` is null.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    pause = POLL_S[0]
    while True:
        try:
            spread = propagation_of(await store.replicas(), number, ids, by)
        except StoreError as error:
            why = f"{by.name} {number} is committed; who serves it is not known: {error}"
            spread = {"expected": None, "applied": None, "settled": False, "replicas": [], "error": why}
        left = deadline - asyncio.get_running_loop().time()
        if spread["settled"] or left <= 0:
            for replica in spread["replicas"]:
                replica.pop("settled", None)
            return {name: value for name, value in spread.items() if name != "settled"}
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, POLL_S[1])


def is_complete(spread: Spread, seconds: float) -> bool:
    """Return whether everyone who was waited for has the commit; who was not asked is not waited for."""
    return seconds == 0 or (spread["expected"] is not None and spread["applied"] == spread["expected"])


def edit_view(artifact: Artifact, edit: Edit, now_ms: int) -> View:
    """Show what an edit left: the binding, or the slot that it freed; of a rule that is gone, which one it was."""
    either = edit.after or edit.before
    if either is not None and either.is_rule:
        gone = {"id": either.id, "words": list(either.words), "actions": list(actions_of(either))}
        return rule_view(edit.after, now_ms) if edit.after else gone
    if edit.after is None and edit.before is not None:
        return {**slot_view(artifact, edit.slot, None, now_ms), "id": edit.before.id, "words": list(edit.before.words)}
    return slot_view(artifact, edit.slot, edit.after, now_ms)
