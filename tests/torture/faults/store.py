"""Faults of the store itself: death, power, disk, memory, and data that is gone or older."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time

from redis.exceptions import OutOfMemoryError, ResponseError

from support.processes import Up
from torture.clients import load, new_history, quiet, writers_of
from torture.disk import FullDisk
from torture.faults import Scene, fault
from torture.load import Progress, Reader
from torture.planes import HANG_S
from torture.rig import Rig
from torture.stored import is_level, remember
from torture.upheld import UpheldPlane, UpheldStore


@fault(1, "the store is killed during writes")
async def killed(scene: Scene) -> None:
    two = {"serve-1": {"processes": 2}}
    async with scene.rig(serves=2, planes=two) as rig, rig.trial(first=0):
        for _ in range(20 if scene.long else 3):
            await rig.some(edits=scene.random.randint(1, 10))
            await rig.store.kill()
            await rig.some(edits=0, answers=10)
            await rig.store.start()


@fault(2, "the power fails, and every edit was synced")
async def power(scene: Scene) -> None:
    async with scene.rig(recorded=True) as rig, rig.trial(first=0):
        for _ in range(20 if scene.long else 3):
            await rig.some(edits=scene.random.randint(1, 10))
            await rig.store.cut()
            await rig.some(edits=0, answers=10)
            await rig.store.start()


@fault(3, "the power fails, and edits are synced once a second (the control: it must lose)")
async def unsynced(scene: Scene) -> None:
    for tried in range(50):
        # A new store for each try: what was remembered of the last one's edits was perhaps not on disk either, and
        # the numbers that a cut takes away are given anew.
        async with scene.rig(f"try-{tried}", recorded=True, appendfsync="everysec") as rig, rig.load():
            await _without_waitaof(rig)
            await rig.some(edits=scene.random.randint(1, 10), answers=0)
            bytes_lost = await rig.store.cut()
            await rig.store.start()
            async with rig.quiet():
                await rig.remember()
            lost = rig.history.lost()
            assert {edit.durability for edit in lost} <= {"unknown"}, f"a lost edit was said to be on disk: {lost}"
            await rig.some(edits=0, answers=20)
            assert not rig.history.found, rig.history.found[:5]
            if lost:
                assert bytes_lost, "edits were lost, and nothing was cut"
                return
    raise AssertionError("no acknowledged edit was lost in 50 tries")


@fault(4, "the append-only file ends at a random byte")
async def truncated(scene: Scene) -> None:
    async with scene.rig() as rig, rig.trial(first=20), rig.level():
        await rig.store.kill()
        increment = rig.store.aof()[-1]
        with increment.open("r+b") as file:
            file.truncate(scene.random.randint(increment.stat().st_size // 2, increment.stat().st_size))
        await rig.store.start()
        await _brought_back(rig)


@fault(5, "the store starts again with nothing")
async def emptied(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial(), rig.level():
        await rig.store.empty()
        await rig.store.start()
        for plane in rig.serves:
            await rig.held(plane, "hold:NO_EPOCH")
        await rig.admin.kill()  # a control plane that starts now must not begin a new epoch either
        rig.admin.start()
        await rig.admin.ready()
        await rig.some(edits=0)
        async with rig.store.client() as raw:
            assert not await raw.exists("{sb}:meta", "{sb}:imeta"), "somebody began an epoch"
        await rig.restore()


@fault(6, "somebody flushes the store")
async def flushed(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial():
        async with rig.level():
            async with rig.store.client() as raw:
                await raw.flushall()
            for plane in rig.serves:
                await rig.held(plane, "hold:NO_EPOCH")
        await rig.progress.more("refused", 2)
        async with rig.quiet():
            await rig.some(edits=0)
            await rig.restore()


@fault(10, "the store has no memory left")
async def out_of_memory(scene: Scene) -> None:
    async with scene.rig() as rig, rig.trial(), rig.store.client() as raw:
        await raw.config_set("maxmemory", "1mb")
        await rig.progress.more("refused", 5)
        await rig.some(edits=0, answers=20)
        await raw.config_set("maxmemory", "0")


@fault(11, "the store may evict")
async def evicting(scene: Scene) -> None:
    async with scene.rig() as rig, rig.trial():
        async with rig.level(), rig.store.client() as raw:
            await raw.config_set("maxmemory-policy", "allkeys-lru")
            known = len(rig.history.acknowledged)
        await rig.progress.more("acknowledged", 2)
        async with rig.level():
            said = {edit.durability for edit in rig.history.acknowledged[known:]}
            assert said == {"unknown"}, f"an edit that may be evicted was called {said}"
            async with rig.store.client() as raw:
                await raw.config_set("maxmemory", "1mb")
                await rig.until(lambda: _lacks(rig), "everything is evicted")
                await rig.some(edits=0, answers=20)
                await raw.config_set("maxmemory", "0")
                await rig.held(rig.serves[0], "hold:")
                await raw.config_set("maxmemory-policy", "noeviction")
            await rig.restore()


@fault(13, "an older copy of the store takes over")
async def older(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial():
        async with rig.quiet():
            await _copy(rig, "older")
        await rig.some()
        async with rig.level():
            await _copy(rig, "newest")
            await _promote(rig, "older")
            for plane in rig.serves:
                await rig.held(plane, "hold:REGRESSED")
            await rig.some(edits=0, answers=20)
            if scene.seed % 2:
                await rig.restore()
            else:
                await _promote(rig, "newest")  # the right one comes back: that ends the hold by itself


@fault(24, "the disk is full, for the store and for the replicas")
async def disk_full(scene: Scene) -> None:
    disk = FullDisk(scene.directory / "disk")
    async with scene.rig(disk=disk) as rig, rig.trial():
        disk.fill()
        if scene.seed % 2:
            await rig.progress.more("refused", 2)
        await rig.until(lambda: _ended(rig), "the store gives up rather than lose a write")
        await rig.some(edits=0, answers=20)
        disk.clear()
        await rig.store.kill()
        await rig.store.start()
        await rig.some()
        async with rig.quiet():
            await rig.converged()
        await rig.serves[0].kill()  # its file is whole again, and the newest
        rig.serves[0].start()
        await rig.serves[0].ready()


@fault(26, "the disk is full for a while, then free, and nobody does anything by hand")
async def disk_full_for_a_while(scene: Scene) -> None:
    disk = FullDisk(scene.directory / "disk")
    up = Up(scene.directory / "data", scene.artifact, log_elsewhere=True, log_level="warning", admin_rate=0)
    up.environment |= disk.environment
    with up:
        admin, serve = UpheldPlane(up, "up-admin", "admin"), UpheldPlane(up, "up-serve", "data")
        store, progress = UpheldStore(up.data_dir), Progress()
        history = new_history(scene.artifact, lambda: (admin, serve))
        binders, stockers = writers_of(admin, history, progress, 1, 1, seed=scene.seed)
        reader = Reader(serve, history, progress, scene.seed)
        async with load(*binders, *stockers, reader):
            await progress.more("acknowledged", 5)
            for _ in range(2 if scene.long else 1):
                disk.fill()
                await progress.more("refused", 3)
                await asyncio.sleep(30 if scene.long else 0)
                await progress.more(f"answered {serve.name}", 20)
                disk.clear()
                freed = time.monotonic()
                await progress.more("acknowledged", 1)
                if scene.long:
                    assert time.monotonic() - freed < 10, f"edits work again after {time.monotonic() - freed:.1f} s"
                await progress.more("acknowledged", 5)
            async with quiet(*binders, *stockers):
                async with asyncio.timeout(HANG_S):
                    while not await is_level(store.client(), serve.replicas):
                        await asyncio.sleep(0.02)
                await progress.more(f"answered {serve.name}", 5)
                found = await history.judge(lambda: remember(history, store.client()))
        async with asyncio.timeout(HANG_S):  # up.json may have met the full disk, too
            while (record := up.read() or {})["restarts"]["store"] == 0:
                await asyncio.sleep(0.05)
        assert (record["restarts"]["serve"], record["restarts"]["admin"]) == (0, 0)
    assert not found, "\n".join(found[:20])
    assert '"part": "store"' in up.errors, "nothing said so"
    assert "Traceback" not in up.errors, up.errors[-3000:]
    assert "This is a bug" not in up.errors, up.errors[-3000:]


async def _without_waitaof(rig: Rig) -> None:
    """A commit waits for the disk where the server can say so; the control must not."""
    async with rig.store.client() as raw:
        with contextlib.suppress(ResponseError):  # Redis before 7.2 does not know the command
            await raw.execute_command("ACL", "SETUSER", "default", "-waitaof")


async def _ended(rig: Rig) -> bool:
    return rig.store.pid is None


async def _brought_back(rig: Rig) -> None:
    """Restore what the store lost, if it lost any."""
    held = await rig.remember()
    lost = [kind for kind, log in rig.history.ledgers.items() if kind not in held or held[kind].number != log.head]
    await rig.held(rig.serves[0], "hold:", lost)
    await rig.some(edits=0)
    await rig.restore(lost)


async def _lacks(rig: Rig) -> bool:
    async with rig.store.client() as raw:
        with contextlib.suppress(OutOfMemoryError):  # nothing is left to evict
            await raw.set("filler", "x" * 100_000)  # a write makes the server evict
        return not await raw.exists("{sb}:meta", "{sb}:imeta")


async def _copy(rig: Rig, name: str) -> None:
    """Keep the store's files as they are now."""
    await rig.store.kill()
    shutil.copytree(rig.store.data, rig.directory / name)
    await rig.store.start()


async def _promote(rig: Rig, name: str) -> None:
    await rig.store.empty()
    shutil.copytree(rig.directory / name, rig.store.data)
    await rig.store.start()
