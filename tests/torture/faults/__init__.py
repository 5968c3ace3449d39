"""The fault matrix: what is done to a service under load, and what must be true of it afterwards.

A fault is a coroutine of a `Scene`; `@fault(number, sentence)` registers it. The same ones run on the embedded Valkey
(`make test`), on Debian's redis-server (`make test-system`), and many times with other seeds (`make torture`).
`rig.trial()` is what almost all of them repeat: clients work before, during and after the fault, and in the end the
history of requests, revisions and answers is replayed against a model.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torture.rig import Rig


@dataclass
class Scene:
    """Where a fault takes place.

    `long` asks for the figures of the protocol instead of the sample's; `executed` for planes that are started as an
    operator starts them, by `exec`, where the sample forks them.
    """

    directory: Path
    artifact: Path
    binary: Path | None = None
    seed: int = 0
    long: bool = False
    executed: bool = False

    @cached_property
    def random(self) -> random.Random:
        return random.Random(self.seed)

    def rig(self, name: str = "", **options: Any) -> Rig:
        """A rig in the directory; of several one after the other each has a `name` there."""
        executed = self.long or self.executed
        return Rig(self.directory / name, self.artifact, self.binary, seed=self.seed, executed=executed, **options)


Run = Callable[[Scene], Awaitable[None]]
FAULTS: dict[str, Run] = {}


def fault(number: int, name: str) -> Callable[[Run], Run]:
    """Register a fault of the matrix under its number and a sentence."""

    def register(run: Run) -> Run:
        FAULTS[f"{number:02d} {name}"] = run
        return run

    return register


from torture.faults import clients, indexes, network, processes, store  # noqa: E402  (they register themselves)

__all__ = ["FAULTS", "Scene", "clients", "fault", "indexes", "network", "processes", "store"]
