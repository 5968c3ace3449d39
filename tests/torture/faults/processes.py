"""Faults of the planes: dead at a bad moment, asleep, started without a store, on a full disk, with a wrong clock."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import httpx

from torture.faults import Scene, fault
from torture.planes import HANG_S, Plane
from torture.rig import Rig


@fault(8, "a replica starts while the store is down")
async def started_alone(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial(), rig.level():
        [plane, _] = rig.serves
        await plane.kill()
        await rig.store.kill()
        plane.start()
        await plane.ready()
        assert (await rig.states())[plane.name] == "degraded"
        await rig.some(edits=0, answers=20)
        await rig.store.start()


@fault(9, "a replica starts while the store is down, and its last known good file is corrupt")
async def started_blank(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial(first=20):
        [plane, _] = rig.serves
        await plane.kill()  # what it writes when it starts is the second generation of its items
        plane.start()
        await plane.ready()
        await rig.some()
        await _started_blank(scene, rig, plane)


async def _started_blank(scene: Scene, rig: Rig, plane: Plane) -> None:
    async with rig.level():
        newest, older = _generations(plane)
        for spoilt, state in ((newest, "degraded"), (newest + older, "none")):
            await plane.kill()
            await rig.store.kill()
            for file in spoilt:
                _flip(file, scene.random.randrange(file.stat().st_size))
            plane.start()
            await rig.held(plane, state)
            if state == "degraded":
                await plane.ready()
            await rig.some(edits=0, answers=20)
            async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
                ready = await client.get(f"{plane.url}/readyz")
            assert ready.status_code == (200 if state == "degraded" else 503)
            await rig.store.start()
            await plane.ready()
            await rig.converged()


@fault(19, "a replica sleeps past the end of the log")
async def asleep(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial():
        sleeper = rig.serves[0]
        sleeper.pause()
        await rig.some(edits=20)
        async with rig.quiet(), rig.store.client() as raw:
            await rig.remember()
            for log in ("{sb}:log", "{sb}:feed"):
                await raw.xtrim(log, maxlen=1, approximate=False)
        sleeper.resume()


@fault(20, "a replica is killed in the middle of a swap, and of writing its file")
async def killed_midway(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial(first=0):
        plane = rig.serves[0]
        folder = plane.data_dir / "last-good"
        moments = (("data-", ".applying"), (".data-", ""), ("items-", ".applying"))
        for number in range(21 if scene.long else 4):
            await rig.some(edits=2)
            await _seen(folder, *moments[number % 3])
            await plane.kill()
            plane.start()
            await plane.ready()


@fault(25, "clocks are an hour off, and processes end under load")
async def wrong_clocks(scene: Scene) -> None:
    ahead, behind = 3600, -3600
    clocks = {"serve-0": {"clock_s": ahead}, "serve-1": {"clock_s": behind}}
    async with scene.rig(serves=3, planes=clocks) as rig:
        history = rig.history
        history.clocks = {"serve-0": 1000 * ahead, "serve-1": 1000 * behind}
        soon = history.now_ms + 1000 * 1800
        await rig.binders[0].bind("endsoon", category="brand", ends_at=iso(soon))
        await rig.binders[0].bind("startsoon", category="brand", starts_at=iso(soon))
        async with rig.trial():
            async with rig.level():
                active = {plane.name: await rig.ask(plane, "endsoon startsoon mug") for plane in rig.serves}
            words = {name: sorted(one["word"] for one in found["applied_bindings"]) for name, found in active.items()}
            assert words == {"serve-0": ["startsoon"], "serve-1": ["endsoon"], "serve-2": ["endsoon"]}
            assert len({found["bindings"]["revision"] for found in active.values()}) == 1
            assert len({found["bindings"]["active"] for found in active.values()}) == 2
            for plane in rig.planes:
                assert await plane.terminate() in (0, -signal.SIGTERM)
                await rig.some(edits=0)
                plane.start()
                await plane.ready()


def _generations(plane: Plane) -> tuple[list[Path], list[Path]]:
    """The newest last-known-good files of a data plane, of its bindings and of its items, and those before them."""
    files = [file for kind in ("data", "items") for file in (plane.data_dir / "last-good").glob(f"{kind}-*")]
    newest = [file for file in files if not file.suffix and file.is_file()]
    assert len(newest) == 2, files
    return newest, [file.with_name(file.name + ".1") for file in newest]


def iso(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat()


def _flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 0xFF
    file.write_bytes(data)


async def _seen(folder: Path, start: str, end: str) -> None:
    """Wait until there is such a file, and something in it; the moment passes quickly, so look as often as possible."""
    async with asyncio.timeout(HANG_S):
        while not any(n.startswith(start) and n.endswith(end) and _busy(folder / n) for n in os.listdir(folder)):
            await asyncio.sleep(0)


def _busy(file: Path) -> bool:
    """Whether something happens there: the crash guard's note names a listing; any other file is being written."""
    if file.suffix != ".applying":
        return True
    try:
        return bool(json.loads(file.read_bytes())["applying"])
    except (OSError, ValueError):
        return False
