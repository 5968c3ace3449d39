"""Worlds in which histories are recorded: clients at work, and what goes wrong meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from linearizability.planeclients import Connection, ItemsClient
from linearizability.recording import Recording
from linearizability.slotclients import ReplicaReader, SlotPlace, SlotsClient
from linearizability.storeclients import StoreClient
from slotbeam.bindings.store.store import Store
from slotbeam.items.store.store import ItemStore
from torture.planes import HANG_S
from torture.proxy import Proxy
from torture.rig import Rig
from torture.server import StoreServer

PLANES, CLIENTS, KEYS = 4, 6, 150
ROUND = 50_000
"""Operations between two judgements of `store_world`: every client stands still, and the next ones have new keys."""
LOOKUP_S = 0.1
"""How long a commit whose reply was lost is looked for."""
PLACES = (("0-6", "entity"), ("0-7", "entity"), ("1-4", "brand"), ("1-5", "brand"))
"""Reserved slots of the tiny artifact, with a category of each."""

Troubles = Mapping[str, tuple[int, Callable[[], Awaitable[object]]]]
"""What goes wrong → how often, compared with the others, and what does it."""


async def store_world(
    directory: Path, seed: int, operations: int, progress: Callable[[int], object] = lambda done: None
) -> tuple[Recording, list[str]]:
    """Edit and read items through the commits of several control planes, while store and network fail.

    Returns:
        What was recorded (judged, and forgotten), and everything that cannot be true.
    """
    chance, recording, found, number = random.Random(f"store {seed}"), Recording(), [], 0
    async with StoreServer(directory / "store") as server, contextlib.AsyncExitStack() as stack:
        proxies = [Proxy(directory / f"plane-{n}.sock", server.socket, seed) for n in range(PLANES // 2)]
        for proxy in proxies:
            await stack.enter_async_context(proxy)
        urls = [*(proxy.url for proxy in proxies), *([server.url] * (PLANES - len(proxies)))]
        planes = [Store(url, strict=True, lookup_s=LOOKUP_S) for url in urls]
        for plane in planes:
            stack.push_async_callback(plane.close)
        await ItemStore(planes[-1]).initialise()
        clients = [StoreClient(f"c{n}", planes, recording, random.Random(f"{n} {seed}")) for n in range(CLIENTS)]
        troubles: Troubles = {"the store is killed": (1, partial(_reborn, server)), **_network(proxies, chance)}
        while recording.total() < operations:
            number += 1
            keys = [f"r{number}k{n}" for n in range(KEYS)]
            goal = min(operations, recording.total() + ROUND)
            async with _troubled(troubles, recording, chance):
                await asyncio.gather(*(client.work(keys, goal) for client in clients))
            for proxy in proxies:
                proxy.heal()
            found += recording.judge()
            progress(recording.total())
    return recording, found


async def planes_world(
    directory: Path, artifact: Path, seed: int, operations: int, executed: bool = True
) -> tuple[Recording, list[str], int]:
    """Edit and read items and slots over HTTP, and ask data planes, while planes, store and network fail.

    Returns:
        As `store_world`; and how many answers of data planes were compared.
    """
    chance, recording = random.Random(f"planes {seed}"), Recording()
    keys = [f"k{n}x{seed}" for n in range(KEYS // 3)]
    places = [SlotPlace(slot, category, f"zorb{n}") for n, (slot, category) in enumerate(PLACES)]
    async with (
        Rig(directory, artifact, serves=2, writers=0, seed=seed, executed=executed) as rig,
        contextlib.AsyncExitStack() as stack,
    ):

        async def connection(name: str, plane: Any) -> Connection:
            client = await stack.enter_async_context(httpx.AsyncClient(verify=False, timeout=HANG_S))
            return Connection(plane, client, recording, random.Random(f"{name} {seed}"), name)

        async def until_done(turn: Callable[[], Coroutine[Any, Any, None]]) -> None:
            while recording.total() < operations:
                await turn()

        items = [ItemsClient(await connection(f"items-{n}", rig.admin)) for n in range(4)]
        slots = [SlotsClient(await connection(f"slots-{n}", rig.admin)) for n in range(3)]
        readers = [ReplicaReader(await connection(plane.name, plane), places) for plane in rig.serves]
        turns = [partial(client.turn, places) for client in slots]
        turns += [partial(client.turn, keys) for client in items]
        turns += [partial(reader.turn, keys) for reader in readers]
        network = _network(list(rig.proxies.values()), chance)
        troubles: Troubles = {
            "the store is killed": (4, partial(_reborn, rig.store)),
            "the control plane is killed": (1, partial(_born_again, rig.admin)),
            "a data plane is killed": (1, lambda: _born_again(chance.choice(rig.serves))),
            **network,
        }
        async with _troubled(troubles, recording, chance, most_s=1.0):
            await asyncio.gather(*map(until_done, turns))
        rig.check_logs()
        return recording, recording.judge(), sum(reader.asked for reader in readers)


@contextlib.asynccontextmanager
async def _troubled(
    troubles: Troubles, recording: Recording, chance: random.Random, most_s: float = 0.2
) -> AsyncIterator[None]:
    """Let one thing after the other go wrong, and right again, until the block ends."""
    over = asyncio.Event()

    async def run() -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(chance.uniform(0, most_s)):
                    await over.wait()
            what = chance.choices(list(troubles), [often for often, _ in troubles.values()])[0]
            recording.troubles[what] += 1
            await troubles[what][1]()

    async with asyncio.TaskGroup() as group:
        group.create_task(run())
        yield
        over.set()


async def _reborn(server: StoreServer) -> None:
    await server.kill()
    await server.start()


async def _born_again(plane: Any) -> None:
    await plane.kill()
    plane.start()
    await plane.ready()


def _network(proxies: list[Proxy], chance: random.Random) -> Troubles:
    """What can go wrong between a plane and the store."""

    async def lost() -> None:
        chance.choice(proxies).lose_reply(_commits)

    async def lost_for_good() -> None:
        """Then the network is gone, and nobody can look up what came of it."""
        proxy, loop = chance.choice(proxies), asyncio.get_running_loop()

        def cut(chunk: bytes) -> bool:
            if _commits(chunk):
                loop.call_soon(proxy.partition)
            return _commits(chunk)

        proxy.lose_reply(cut)
        await asyncio.sleep(2 * LOOKUP_S)
        await healed(proxy)

    async def reset() -> None:
        chance.choice(proxies).reset_after(chance.randrange(2000))

    async def partitioned() -> None:
        proxy = chance.choice(proxies)
        proxy.partition()
        await healed(proxy)

    async def slow() -> None:
        proxy = chance.choice(proxies)
        proxy.delay(0.005, 0.005)
        await healed(proxy)

    async def healed(proxy: Proxy) -> None:
        await asyncio.sleep(chance.uniform(0, 2 * LOOKUP_S))
        proxy.heal()

    return {
        "a reply is lost": (3, lost),
        "a reply is lost, then the network": (3, lost_for_good),
        "connections are reset": (3, reset),
        "the network is partitioned": (2, partitioned),
        "the network is slow": (1, slow),
    }


def _commits(chunk: bytes) -> bool:
    """Whether a piece of a request makes an edit of items or of bindings."""
    return b"EVAL" in chunk and (b"{sb}:imeta" in chunk or b"{sb}:meta" in chunk)
