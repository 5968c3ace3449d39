"""Records that every index in use holds are let go, so that the store and its readers hold what changed since."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from slotbeam.items.record import seq_of
from slotbeam.items.replica.follower import Follower
from slotbeam.items.store.commit import entries_to_keep
from slotbeam.items.store.store import ItemsHead
from slotbeam.items.store.switching import read_switch, trim
from slotbeam.items.switch import Switch
from slotbeam.search.snapshot import ServingState

log = structlog.get_logger("slotbeam.items")


Beats = Sequence[Mapping[str, Any]]
"""What each live replica says of its items; nothing of an older slotbeam."""


def feed_needed(follower: Follower, beats: Beats) -> int:
    """Return how long the feed has to be for the slowest of the live replicas."""
    facts = follower.facts
    return entries_to_keep(facts.seq, [beat["seq"] for beat in beats if beat.get("epoch") == facts.epoch])


async def trim_held(follower: Follower, beats: Beats, at: int, keep: int) -> None:
    """Let records go, up to the older of the watermarks of the active index and of the one before it.

    Args:
        follower: whose records are those of the store.
        beats: of the replicas; while one serves another index nothing is let go.
        at: unix ms.
        keep: entries of the feed that are kept.

    Raises:
        StoreError: nothing was written, or nobody knows; the next call looks again.
    """
    head, records = follower.serving.known, follower.records
    switch = await read_switch(follower.store)
    if switch is None or head is None or follower.facts.state is not ServingState.LIVE:
        return
    upto = last_held(switch, head, [str(beat.get("index_sha")) for beat in beats])
    if upto <= follower.serving.trimmed:
        return
    held = await asyncio.to_thread(lambda: {k: data for k, data in list(records.items()) if seq_of(data) <= upto})
    if held and follower.serving.known == head:
        facts = {"number": str(switch.number), "count": str(len(records) - len(held))}
        facts |= {"at": str(at), "actor": "trim", "keep": str(keep)}
        if await trim(follower.store, head, upto, list(held.values()), list(held), **facts):
            log.info("records let go that every index in use holds", upto=upto, records=len(held))


def last_held(switch: Switch, head: ItemsHead, served: Sequence[str]) -> int:
    """Return the seq up to which the active index, and the one before it, hold every edit; 0 while others are served.

    Args:
        switch: the newest.
        head: of the items.
        served: hash of the index of each live replica.
    """
    both = (switch.active, switch.before)
    if not {mark.sha for mark in both}.issuperset(served) or any(m.watermark.epoch != head.epoch for m in both):
        return 0
    return min(mark.watermark.seq for mark in both)
