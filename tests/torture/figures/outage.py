"""The store is gone for ten minutes, and a data plane is killed and started again meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

from torture.figures import Numbers, Stage, figure
from torture.figures.load import ask_paced, working
from torture.ledger import BINDINGS, ITEMS

OUTAGE_S, ASK_EVERY_S = 600, 0.05


@figure("outage")
async def outage(stage: Stage) -> Numbers:
    """Every request but those that died with the killed process is a 200; afterwards everything goes on."""
    seconds, died = max(5.0, OUTAGE_S * stage.scale), 0

    def seen(answer: dict[str, Any]) -> None:
        nonlocal died
        died += not answer

    async with stage.rig(serves=2) as rig:
        clients = [writer.run() for writer in rig.writers]
        clients += [ask_paced(reader, ASK_EVERY_S, seen) for reader in rig.readers]
        async with working(*clients):
            await rig.some(edits=50)
            async with rig.level():
                await stage.judge(rig)
            heads, before = await rig.heads(), sum(rig.history.statuses.values())
            for writer in rig.writers:
                writer.allowed.clear()
            await rig.store.kill()
            await _pass(stage, 0, seconds / 3, seconds)
            plane = rig.serves[0]
            await plane.kill()
            plane.start()
            await plane.ready()
            booted = await rig.ask(plane, "red mug")
            served = {BINDINGS: booted["bindings"]["revision"], ITEMS: booted["catalog"]["seq"]}
            if served != heads or {booted[part]["state"] for part in ("bindings", "catalog")} != {"degraded"}:
                stage.violations.append(f"started without a store, not from the last known good: {served}, not {heads}")
            await _pass(stage, seconds / 3, seconds, seconds)
            asked = sum(rig.history.statuses.values()) - before
            await rig.store.start()
            for writer in rig.writers:
                writer.allowed.set()
            await rig.some(edits=50)
            async with rig.level():
                await stage.judge(rig)
        wrong = {key: count for key, count in rig.history.statuses.items() if key[1] != 200}
        edits = len(rig.history.acknowledged)
    return {
        "seconds": round(seconds),
        "requests in the outage": asked,
        "not 200": sum(wrong.values()),
        "died with the killed process": died,
        "edits": edits,
    }


async def _pass(stage: Stage, start_s: float, end_s: float, total_s: float) -> None:
    """Let that much of the outage pass."""
    while start_s < end_s:
        await asyncio.sleep(min(1.0, end_s - start_s))
        start_s += 1.0
        stage.done(round(start_s), round(total_s))
