"""How long it takes until eight data planes serve an edit, under load, and after all of them were cut off."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from slotbeam.bindings.store.connection import heeding_cancellation
from support.replies import log_entries
from torture.edits import ACKNOWLEDGED, Edit
from torture.figures import Numbers, Stage, figure
from torture.figures.load import ask_paced, edit_paced, working
from torture.ledger import BINDINGS, ITEMS, KINDS
from torture.planes import HANG_S
from torture.rig import Rig

PLANES, EDITS, HEALS = 8, 300, 20
EDIT_EVERY_S, ASK_EVERY_S, PARTITION_S = 0.4, 0.1, 5.0
LIVE_S, HEALED_S = 1.0, 3.0
"""What is wanted: of edits the 99th percentile, of heals every one."""


class Sightings:
    """When each edit was acknowledged, and when each data plane first answered with each number; own clock.

    Attributes:
        acknowledged: kind → number → when; of edits that were sent once and wrote something.
        first: plane → kind → the numbers in its answers, each with when it came first.
        newest: plane → what its newest answer says of each kind, the number and the state.
    """

    def __init__(self, rig: Rig) -> None:
        names = [plane.name for plane in rig.serves]
        self.acknowledged: dict[str, dict[int, float]] = {kind: {} for kind in KINDS}
        self.first: dict[str, dict[str, list[tuple[int, float]]]] = {
            name: {kind: [] for kind in KINDS} for name in names
        }
        self.newest: dict[str, dict[str, tuple[int, str]]] = {name: {} for name in names}

    @property
    def count(self) -> int:
        return sum(map(len, self.acknowledged.values()))

    def edited(self, edit: Edit) -> None:
        if edit.outcome == ACKNOWLEDGED and edit.tries == 1 and edit.numbers:
            self.acknowledged[edit.kind][edit.number] = time.monotonic()

    def answered(self, name: str, answer: dict[str, Any]) -> None:
        if not answer or "bindings" not in answer:
            return
        bindings, catalog = answer["bindings"], answer["catalog"]
        shown = {BINDINGS: (bindings["revision"], bindings["state"]), ITEMS: (catalog["seq"], catalog["state"])}
        self.newest[name] = shown
        for kind, (number, _) in shown.items():
            seen = self.first[name][kind]
            if not seen or number > seen[-1][0]:
                seen.append((number, time.monotonic()))

    def lags(self, kind: str) -> list[list[float]]:
        """Seconds from each acknowledgement until each data plane showed that number or a later one."""
        return [
            [self._lag(first[kind], number, moment) for first in self.first.values()]
            for number, moment in self.acknowledged[kind].items()
        ]

    @staticmethod
    def _lag(seen: Sequence[tuple[int, float]], number: int, moment: float) -> float:
        return max(0.0, next((at for shown, at in seen if shown >= number), float("inf")) - moment)

    def live_at(self, heads: Mapping[str, int]) -> bool:
        """Whether every data plane's newest answer says so of every kind."""
        return all(
            kind in shown and shown[kind][1] == "live" and shown[kind][0] >= head
            for shown in self.newest.values()
            for kind, head in heads.items()
        )


@figure("convergence")
async def convergence(stage: Stage) -> Numbers:
    """Edits one by one, 2.5 a second, half of them of items; each data plane is asked ten times a second.

    Two times for each edit and data plane: `seen`, by this process's clock, from the answer to the edit until the
    first answer of `/retrieve` that shows its number (asking every 100 ms and answering are part of it); and, of
    bindings, `swap`, from the commit's log entry to the moment that the heartbeat gives for the swap, by the clocks of
    store and plane.
    """
    edits = stage.times(EDITS)
    async with stage.rig(serves=PLANES, writers=1, stockers=1) as rig:
        sightings, swaps = Sightings(rig), Swaps(rig)
        async with working(*_askers(rig, sightings), *_editors(rig, sightings), swaps.run()):
            while sightings.count < edits:
                await rig.some(edits=len(KINDS), answers=0)
                stage.done(sightings.count, edits)
            async with rig.level():
                await stage.judge(rig)
                await rig.some(edits=0, answers=2)
        seen = {kind: sightings.lags(kind) for kind in KINDS}
        swapped = await swaps.lags(list(sightings.acknowledged[BINDINGS]))
    for kind, lags in seen.items():
        p99 = float(np.quantile(lags, 0.99))
        if p99 > LIVE_S:
            stage.violations.append(
                f"p99 of {kind} from acknowledged to answered is {p99:.3f} s, not {LIVE_S} s at most"
            )
    return {
        **{f"edits of {kind}": len(lags) for kind, lags in seen.items()},
        **_quantiles("bindings seen", seen[BINDINGS]),
        **_quantiles("items seen", seen[ITEMS]),
        **_quantiles("bindings swap", swapped),
    }


@figure("heal")
async def heal(stage: Stage) -> Numbers:
    """Every data plane is cut off from the store while edits go on; then the time until all answer `live`, level."""
    times, heals = [], stage.times(HEALS)
    async with stage.rig(serves=PLANES, writers=1, stockers=1) as rig:
        sightings = Sightings(rig)
        async with working(*_askers(rig, sightings), *_editors(rig, sightings)):
            for number in range(heals):
                await rig.some(edits=2 * len(KINDS))
                for plane in rig.serves:
                    rig.proxies[plane.name].partition()
                await asyncio.sleep(PARTITION_S)
                heads = await rig.heads()
                assert not sightings.live_at(heads), "cut off, and still at the newest numbers"
                for plane in rig.serves:
                    rig.proxies[plane.name].heal()
                healed = time.monotonic()
                async with asyncio.timeout(HANG_S):
                    while not sightings.live_at(heads):
                        await asyncio.sleep(0.01)
                times.append(time.monotonic() - healed)
                stage.done(number + 1, heals)
            async with rig.level():
                await stage.judge(rig)
    late = [f"{second:.2f}" for second in times if second > HEALED_S]
    if late:
        stage.violations.append(f"{len(late)} of {heals} heals took more than {HEALED_S} s: {', '.join(late)}")
    return {"heals": heals, "p50 s": float(np.median(times)), "longest s": max(times)}


class Swaps:
    """What heartbeats say of swaps."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.applied: dict[str, dict[int, int]] = {plane.name: {} for plane in rig.serves}

    async def run(self) -> None:
        """Read every heartbeat 50 times a second until cancelled."""
        names = list(self.applied)
        async with self.rig.store.client() as raw:
            while True:
                with heeding_cancellation():
                    beats = await raw.mget([f"{{sb}}:replica:{name}" for name in names])
                for name, beat in zip(names, beats, strict=True):
                    if beat and (said := json.loads(beat))["applied_at"]:
                        self.applied[name].setdefault(said["revision"], said["applied_at"])
                await asyncio.sleep(0.02)

    async def lags(self, revisions: Sequence[int]) -> list[list[float]]:
        """Seconds from each commit to the swap to that revision or a later one, a row an edit."""
        async with self.rig.store.client() as raw:
            log = log_entries(str, await raw.xrange("{sb}:log"))
        committed = {int(key.split("-")[0]): int(entry["at"]) for key, entry in log}
        return [[self._swap(name, r) / 1000 - committed[r] / 1000 for name in self.applied] for r in revisions]

    def _swap(self, name: str, revision: int) -> float:
        return min((at for seen, at in self.applied[name].items() if seen >= revision), default=float("inf"))


def _editors(rig: Rig, sightings: Sightings) -> list[Any]:
    """One of each kind, in turn: together they keep the pace."""
    return [edit_paced(writer, len(rig.writers) * EDIT_EVERY_S, sightings.edited) for writer in rig.writers]


def _askers(rig: Rig, sightings: Sightings) -> list[Any]:
    return [ask_paced(r, ASK_EVERY_S, partial(sightings.answered, r.plane.name)) for r in rig.readers]


def _quantiles(name: str, lags: Sequence[Sequence[float]]) -> dict[str, float]:
    """Over all pairs of an edit and a data plane, and over edits until the last one has it."""
    slowest = [max(row) for row in lags]
    return {
        f"{name} p50 s": float(np.quantile(lags, 0.5)),
        f"{name} p99 s": float(np.quantile(lags, 0.99)),
        f"{name} by all p50 s": float(np.quantile(slowest, 0.5)),
        f"{name} by all p99 s": float(np.quantile(slowest, 0.99)),
    }
