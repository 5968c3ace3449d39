"""The store is killed a thousand times and loses its power a hundred times; and each fault, with many seeds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from torture.faults import FAULTS, Scene
from torture.figures import Numbers, Stage, figure
from torture.ledger import ITEMS
from torture.rig import Rig

CYCLES, CUTS, CONTROLS = 1000, 100, 20
PARTS = 10
SIBLINGS = 100
CHECK_EVERY = 100
MOMENT_S = 0.03
"""A death comes up to so long after the edit that was waited for: somewhere between or within the next ones."""
SEEDS = 20


@figure("kill", parts=PARTS)
async def kill(stage: Stage) -> Numbers:
    """`kill -9` of the store under load, again and again: no acknowledged edit is lost, no answer torn or refused."""
    cycles = stage.times(CYCLES // PARTS)
    async with stage.rig(serves=2) as rig, rig.load():

        async def die() -> None:
            await rig.store.kill()
            await rig.store.start()

        answers = await _deaths(stage, rig, cycles, most_edits=4, die=die)
        return {"kills": cycles, **_edits(rig), "answers": answers}


@figure("siblings")
async def siblings(stage: Stage) -> Numbers:
    """The same of two data planes behind one port, each in turn, and of the store: the other one answers meanwhile."""
    cycles, alone = stage.times(SIBLINGS), 0
    two = {"serve-0": {"processes": 2}}
    async with stage.rig(planes=two, wait="all") as rig, rig.load():
        [plane] = rig.serves

        async def die() -> None:
            nonlocal alone
            if (number := stage.random.randrange(3)) == 2:
                await rig.store.kill()
                await rig.store.start()
                return
            answered = rig.history.answers.total()
            await plane.lose_one(number)
            alone += rig.history.answers.total() - answered

        answers = await _deaths(stage, rig, cycles, most_edits=4, die=die)
        return {"kills": cycles, **_edits(rig), "answers": answers, "answers while one was dead": alone}


@figure("power")
async def power(stage: Stage) -> Numbers:
    """Power cuts under `appendfsync always`; of what was not synced a random share had reached the disk."""
    cuts, dropped = stage.times(CUTS), 0
    async with stage.rig(recorded=True) as rig, rig.load():

        async def cut() -> None:
            nonlocal dropped
            dropped += await rig.store.cut(torn=stage.random.random())
            await rig.store.start()

        answers = await _deaths(stage, rig, cuts, most_edits=10, die=cut)
        return {"cuts": cuts, **_edits(rig), "answers": answers, "bytes dropped": dropped}


@figure("control")
async def control(stage: Stage) -> Numbers:
    """The same with `everysec` and no `WAITAOF`: it must lose, or the cuts cut nothing; and no edit was called safe."""
    cuts, dropped, acknowledged, lost = stage.times(CONTROLS), 0, 0, 0
    for cut in range(cuts):
        async with stage.rig(f"rig-{cut}", recorded=True, appendfsync="everysec") as rig, rig.load():
            async with rig.store.client() as raw:
                await raw.execute_command("ACL", "SETUSER", "default", "-waitaof")
            await rig.some(edits=stage.random.randint(10, 60), answers=0)
            dropped += await rig.store.cut(torn=stage.random.random())
            known = list(rig.history.acknowledged)
            await rig.store.start()
            async with rig.quiet():
                await rig.remember()
            missing = [edit for edit in rig.history.lost() if edit in known]
            stage.violations += [f"said to be on disk, and lost: {e}" for e in missing if e.durability != "unknown"]
            acknowledged, lost = acknowledged + len(known), lost + len(missing)
            stage.done(cut + 1, cuts)
    if not lost:
        stage.violations.append(f"{cuts} power cuts lost no acknowledged edit: they cut nothing")
    return {"cuts": cuts, "acknowledged": acknowledged, "lost": lost, "bytes dropped": dropped}


@figure("faults", parts=SEEDS * len(FAULTS), hang_s=900)
async def faults(stage: Stage) -> Numbers:
    """One fault of the matrix with one seed."""
    names = sorted(FAULTS)
    seed, number = divmod(stage.part, len(names))
    await FAULTS[names[number]](Scene(stage.directory / "scene", stage.artifact, seed=stage.seed + seed, executed=True))
    return {"runs": 1}


async def _deaths(stage: Stage, rig: Rig, times: int, most_edits: int, die: Callable[[], Awaitable[None]]) -> int:
    """Let something `die`, and be back, so many `times`, each after 1 to `most_edits` more edits: half are of items.

    Returns the answers meanwhile.
    """
    answers = 0
    for number in range(1, times + 1):
        await rig.some(edits=stage.random.randint(1, most_edits), answers=0)
        await asyncio.sleep(stage.random.uniform(0, MOMENT_S))
        await die()
        stage.done(number, times)
        if number % CHECK_EVERY == 0 or number == times:
            await rig.some(edits=1)
            async with rig.level():
                answers += rig.history.answers.total()
                await stage.judge(rig)
    return answers


def _edits(rig: Rig) -> dict[str, int]:
    """What became of the edits. Call after everything was remembered."""
    history = rig.history
    return {
        "edits": len(history.edits),
        "acknowledged": len(history.acknowledged),
        "of them of items": sum(edit.kind == ITEMS for edit in history.acknowledged),
        "sent again": sum(edit.tries > 1 for edit in history.edits.values()),
        "lost": len(history.lost()),
        "not 200": sum(count for (_, status), count in history.statuses.items() if status != 200),
    }
