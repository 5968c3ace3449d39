"""The fault matrix: what is done to a service under load, and what must be true of it afterwards.

A fault is a coroutine of a `Scene`; `@fault(number, sentence)` registers it. The same ones run on the embedded Valkey
(`make test`), on Debian's redis-server (`make test-system`), and many times with other seeds (`make torture`).
Every one ends with `rig.settle()`: the history of requests, revisions and answers is replayed against a model.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torture.rig import Rig


@dataclass(frozen=True)
class Scene:
    """Where a fault takes place. `long` asks for the figures of the protocol instead of the sample's."""

    directory: Path
    artifact: Path
    binary: Path | None = None
    seed: int = 0
    long: bool = False

    @property
    def random(self) -> random.Random:
        return random.Random(self.seed)

    def rig(self, **options: Any) -> Rig:
        return Rig(self.directory, self.artifact, self.binary, seed=self.seed, **options)


Run = Callable[[Scene], Awaitable[None]]
FAULTS: dict[str, Run] = {}


def fault(number: int, name: str) -> Callable[[Run], Run]:
    """Register a fault of the matrix under its number and a sentence."""

    def register(run: Run) -> Run:
        FAULTS[f"{number:02d} {name}"] = run
        return run

    return register


@fault(1, "the store is killed during writes")
async def killed(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.load():
        for _ in range(20 if scene.long else 3):
            await rig.some(edits=scene.random.randint(1, 10))
            await rig.store.kill()
            await rig.some(edits=0, answers=10)
            await rig.store.start()
        await rig.some()
        await rig.settle()


@fault(7, "the store hangs, and goes on")
async def hung(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.load():
        await rig.some()
        rig.store.pause()
        for plane in rig.serves:
            await rig.held(plane, "degraded")
        await rig.some(edits=0, answers=50 if not scene.long else 2000)
        rig.store.resume()
        await rig.some()
        await rig.settle()


@fault(15, "one replica is cut off")
async def partitioned(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.load():
        await rig.some()
        alone, other = rig.serves
        rig.proxies[alone.name].partition()
        await rig.held(alone, "degraded")
        await rig.some(edits=20, answers=20)
        assert (await rig.states())[other.name] == "live"
        rig.proxies[alone.name].heal()
        await rig.settle()
