"""No fault of anybody: the index is switched under load. What may go wrong there is a replica that dies meanwhile."""

from __future__ import annotations

import asyncio

from torture.faults import Scene, fault
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

        async def killed() -> None:
            await plane.kill()
            plane.start()
            await plane.ready()

        activated, _ = await asyncio.gather(operator.activate(name), killed())
        assert activated
        await operator.served()
