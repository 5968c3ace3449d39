"""The index is switched a hundred times while bindings and items are edited, and replicas die meanwhile."""

from __future__ import annotations

import asyncio

from torture.figures import Numbers, Stage, figure
from torture.ledger import ITEMS
from torture.operator import Operator
from torture.planes import Plane
from torture.rig import Rig

ROUNDS = 200
CHECK_EVERY = 10
KILLED = 0.25
"""Share of the rounds in which a data plane is killed at some moment of the switch."""
MOMENT_S = 1.5
"""The death comes up to so long after the switch: replicas look once a second, and take some time to load."""


@figure("switches")
async def switches(stage: Stage) -> Numbers:
    """Two data planes; an operator folds and activates, rolls back, or activates an older index, as it falls."""
    rounds, killed, answers = stage.times(ROUNDS), 0, 0
    async with stage.rig(serves=2) as rig, rig.load():
        operator = Operator(rig)
        for number in range(1, rounds + 1):
            await rig.some(edits=stage.random.randint(1, 20), answers=0)
            if stage.random.random() < KILLED:
                killed += 1
                await asyncio.gather(_step(stage, operator), _die(stage, rig, stage.random.choice(rig.serves)))
            else:
                await _step(stage, operator)
            await operator.served()
            stage.done(number, rounds)
            if number % CHECK_EVERY == 0 or number == rounds:
                await rig.some(edits=1)
                async with rig.level():
                    answers += rig.history.answers.total()
                    await stage.judge(rig)
                    operator.tidy()
        history = rig.history
        unasked = [edit for edit in history.edits.values() if edit.status >= 500]
        stage.violations += [f"no store and no control plane was down, and yet: {edit}" for edit in unasked[:20]]
        return {
            "rounds": rounds,
            **operator.did,
            "replicas killed": killed,
            "times that records were let go": sum(e.op == "trim" for e in history.ledgers[ITEMS].entries.values()),
            "edits": len(history.edits),
            "acknowledged": len(history.acknowledged),
            "of them of items": sum(edit.kind == ITEMS for edit in history.acknowledged),
            "lost": len(history.lost()),
            "answers": answers,
            "not 200": sum(count for (_, status), count in history.statuses.items() if status != 200),
        }


async def _step(stage: Stage, operator: Operator) -> None:
    """Do one thing that an operator may do."""
    chance, known = stage.random.random(), operator.known() if operator.before else []
    if chance < 0.5 or not known:
        await operator.fold_and_activate()
    elif chance < 0.8:
        await operator.roll_back()
    else:
        await operator.activate(stage.random.choice(known))


async def _die(stage: Stage, rig: Rig, plane: Plane) -> None:
    await asyncio.sleep(stage.random.uniform(0, MOMENT_S))
    await rig.reborn(plane)
