"""No fault of anybody: the index is switched under load. What may go wrong there is a replica that dies meanwhile."""

from __future__ import annotations

import asyncio

from torture.faults import Scene, fault
from torture.ledger import ITEMS
from torture.operator import Operator


@fault(27, "the index is switched, and back, and a replica is killed meanwhile")
async def switched(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial():
        operator = Operator(rig)
        name = await operator.fold()
        assert await operator.activate(name)
        await operator.served()
        await rig.some()
        assert await operator.roll_back(), "nothing was let go before two indexes held it"
        plane = scene.random.choice(rig.serves)
        activated, _ = await asyncio.gather(operator.activate(name), rig.reborn(plane))
        assert activated
        await operator.served()


@fault(28, "a replica is killed after the index was switched, and starts again while the store is gone")
async def alone(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial():
        operator = Operator(rig)
        assert await operator.fold_and_activate()
        await operator.served()
        async with rig.level() as held:
            plane = scene.random.choice(rig.serves)
            await rig.store.kill()
            await rig.reborn(plane)
            told = (await rig.ask(plane, "red mug"))["catalog"]
            assert (told["index"], told["seq"]) == (operator.active, held[ITEMS].number)
            await rig.some(edits=0, answers=20)
            await rig.store.start()
