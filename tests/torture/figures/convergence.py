"""How long it takes until eight data planes serve an edit, under load, and after all of them were cut off."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from support.replies import log_entries
from torture.edits import ACKNOWLEDGED, Edit
from torture.figures import Numbers, Stage, figure
from torture.figures.load import ask_paced, edit_paced, working
from torture.ledger import BINDINGS
from torture.planes import HANG_S
from torture.rig import Rig

PLANES, EDITS, HEALS = 8, 300, 20
EDIT_EVERY_S, ASK_EVERY_S, PARTITION_S = 0.4, 0.1, 5.0
LIVE_S, HEALED_S = 1.0, 3.0
"""What is wanted: of edits the 99th percentile, of heals every one."""


class Sightings:
    """When each edit was acknowledged, and when each data plane first answered with each revision; own clock."""

    def __init__(self, rig: Rig) -> None:
        self.acknowledged: dict[int, float] = {}
        self.first: dict[str, list[tuple[int, float]]] = {plane.name: [] for plane in rig.serves}
        self.newest: dict[str, dict[str, Any]] = {plane.name: {} for plane in rig.serves}

    def edited(self, edit: Edit) -> None:
        if edit.outcome == ACKNOWLEDGED and edit.tries == 1:
            self.acknowledged[edit.number] = time.monotonic()

    def answered(self, name: str, answer: dict[str, Any]) -> None:
        if not answer or "bindings" not in answer:
            return
        seen, shown = self.first[name], answer["bindings"]
        self.newest[name] = shown
        if not seen or shown["revision"] > seen[-1][0]:
            seen.append((shown["revision"], time.monotonic()))

    def lags(self) -> list[list[float]]:
        """Seconds from each acknowledgement until each data plane showed that revision or a later one."""
        return [
            [self._lag(name, revision, moment) for name in self.first] for revision, moment in self.acknowledged.items()
        ]

    def _lag(self, name: str, revision: int, moment: float) -> float:
        return max(0.0, next((at for seen, at in self.first[name] if seen >= revision), float("inf")) - moment)

    def live_at(self, revision: int) -> bool:
        """Whether every data plane's newest answer says so."""
        return all(
            shown and shown["state"] == "live" and shown["revision"] >= revision for shown in self.newest.values()
        )


@figure("convergence")
async def convergence(stage: Stage) -> Numbers:
    """Edits one by one, 2.5 a second; each data plane is asked ten times a second.

    Two times for each edit and data plane: `seen`, by this process's clock, from the answer to the edit until the
    first answer of `/retrieve` that shows its revision (asking every 100 ms and answering are part of it); and `swap`,
    from the commit's log entry to the moment that the heartbeat gives for the swap, by the clocks of store and plane.
    """
    edits = stage.times(EDITS)
    async with stage.rig(serves=PLANES, writers=1, stockers=0) as rig:
        sightings, swaps = Sightings(rig), Swaps(rig)
        async with working(
            *_askers(rig, sightings), edit_paced(rig.writers[0], EDIT_EVERY_S, sightings.edited), swaps.run()
        ):
            while len(sightings.acknowledged) < edits:
                await rig.some(edits=1, answers=0)
                stage.done(len(sightings.acknowledged), edits)
            async with rig.level():
                stage.judge(rig)
                await rig.some(edits=0, answers=2)
        seen, swapped = sightings.lags(), await swaps.lags(list(sightings.acknowledged))
    p99 = float(np.quantile(seen, 0.99))
    if p99 > LIVE_S:
        stage.violations.append(f"p99 from acknowledged to answered is {p99:.3f} s, not {LIVE_S} s at most")
    return {
        "edits": len(seen),
        **_quantiles("seen", seen),
        **_quantiles("swap", swapped),
    }


@figure("heal")
async def heal(stage: Stage) -> Numbers:
    """Every data plane is cut off from the store while edits go on; then the time until all answer `live`, level."""
    times, heals = [], stage.times(HEALS)
    async with stage.rig(serves=PLANES, writers=1, stockers=0) as rig:
        sightings = Sightings(rig)
        async with working(*_askers(rig, sightings), edit_paced(rig.writers[0], EDIT_EVERY_S, sightings.edited)):
            for number in range(heals):
                await rig.some(edits=2)
                for plane in rig.serves:
                    rig.proxies[plane.name].partition()
                await asyncio.sleep(PARTITION_S)
                head = (await rig.heads())[BINDINGS]
                assert not sightings.live_at(head), "cut off, and still at the newest revision"
                for plane in rig.serves:
                    rig.proxies[plane.name].heal()
                healed = time.monotonic()
                async with asyncio.timeout(HANG_S):
                    while not sightings.live_at(head):
                        await asyncio.sleep(0.01)
                times.append(time.monotonic() - healed)
                stage.done(number + 1, heals)
            async with rig.level():
                stage.judge(rig)
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
                for name, beat in zip(names, await raw.mget([f"{{sb}}:replica:{name}" for name in names]), strict=True):
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
