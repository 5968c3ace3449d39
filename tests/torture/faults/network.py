"""Faults between a process and the store: nothing, half, late, in pieces, or the wrong store."""

from __future__ import annotations

import shutil

from slotbeam.bindings.store.store import Store
from support.items import edit, put
from support.live import binds, make_binding, write
from torture.clients import STAY
from torture.faults import Scene, fault
from torture.ledger import BINDINGS, ITEMS
from torture.rig import Rig
from torture.server import StoreServer


@fault(7, "the store hangs, and goes on")
async def hung(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial():
        rig.store.pause()
        for plane in rig.serves:
            await rig.held(plane, "degraded")
        await rig.some(edits=0, answers=1000 if scene.long else 50)
        rig.store.resume()


@fault(12, "the store becomes a read-only copy of another")
async def read_only(scene: Scene) -> None:
    async with scene.rig() as rig, rig.trial(), rig.store.client() as raw:
        await raw.execute_command("REPLICAOF", "127.0.0.1", "1")  # nothing listens there
        await rig.progress.more("refused", 5)
        await rig.some(edits=0, answers=20)
        await raw.execute_command("REPLICAOF", "NO", "ONE")


@fault(14, "two stores disagree at one revision")
async def split(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial():
        async with rig.quiet():
            await rig.store.kill()
            other = StoreServer(rig.directory / "other", scene.binary)
            shutil.copytree(rig.store.data, other.data)
            await rig.store.start()
            await rig.converged()
            before = await rig.heads()
        await rig.some()
        async with rig.level(), other:
            fork = Store(other.url)
            ahead = scene.random.randint(0, 3)
            try:  # the other side of the split goes on by itself, to the same revision and past it
                now = await rig.heads()
                for number in range(now[BINDINGS] - before[BINDINGS] + ahead):
                    binding = make_binding(f"fork{number}", ids=STAY[:2], draft=True)
                    await write(fork, rig.codebook, binds(binding, None), STAY[:2])
                await edit(fork, *(put(f"fork{number}") for number in range(now[ITEMS] - before[ITEMS] + ahead)))
            finally:
                await fork.close()
            lost, kept = rig.serves
            proxy = rig.proxies[lost.name]
            proxy.target = other.socket
            proxy.reset()
            await rig.held(lost, "hold:DIVERGED")
            await rig.some(edits=0, answers=20)
            assert (await rig.states())[kept.name] == "live"
            proxy.target = rig.store.socket
            proxy.reset()
            await rig.held(lost, "live")


@fault(15, "one replica is cut off")
async def partitioned(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial():
        alone, other = rig.serves
        rig.proxies[alone.name].partition()
        await rig.held(alone, "degraded")
        await rig.some(edits=20, answers=20)
        assert (await rig.states())[other.name] == "live"
        rig.proxies[alone.name].heal()


@fault(16, "the network swallows everything and says nothing")
async def half_open(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial():
        rig.proxies["admin"].drop()
        rig.proxies["serve-0"].drop()
        await rig.held(rig.serves[0], "degraded")
        await rig.some(edits=0, answers=20)
        _heal(rig)


@fault(17, "every answer of the store is late, 500 ± 300 ms")
async def late(scene: Scene) -> None:
    async with scene.rig() as rig, rig.trial():
        for proxy in rig.proxies.values():
            proxy.delay(0.25, 0.15)  # each way
        await rig.some(edits=20 if scene.long else 2, answers=50)
        _heal(rig)


@fault(18, "answers come byte by byte, or break off in the middle")
async def in_pieces(scene: Scene) -> None:
    async with scene.rig() as rig, rig.trial(first=0):
        for proxy in rig.proxies.values():
            proxy.slice(1)
        await rig.some(edits=5)
        _heal(rig)
        for _ in range(20 if scene.long else 5):
            for proxy in rig.proxies.values():
                proxy.reset_after(scene.random.randint(1, 3000))
            await rig.some(edits=2)
        _heal(rig)


def _heal(rig: Rig) -> None:
    for proxy in rig.proxies.values():
        proxy.heal()
