"""Faults around one edit: the control plane dies, its answer is lost, or somebody writes past it."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Mapping
from functools import partial

import httpx
from redis.typing import EncodableT, FieldT

from torture.digests import state_of, sum_of
from torture.faults import Scene, fault
from torture.items import record_of
from torture.ledger import BINDINGS, ITEMS, Held
from torture.planes import HANG_S
from torture.rig import Rig

POISON, POISON_ITEM = "b_poison22", "poison"


@fault(21, "the control plane is killed before, in and after its script")
async def killed_committing(scene: Scene) -> None:
    async with scene.rig() as rig, rig.trial(first=0):
        for _ in range(10 if scene.long else 1):
            for command in (b":idem", b":iidem", b"EVAL"):
                await rig.some(edits=2)
                await _kill_at(rig, command)
            before = await rig.heads()
            await rig.until(partial(_past, rig, before), "another edit")
            await rig.admin.kill()
            await _again(rig)


@fault(22, "the answer to a commit is lost, and the client sends it again")
async def lost_reply(scene: Scene) -> None:
    async with scene.rig() as rig, rig.trial(first=0):
        proxy = rig.proxies["admin"]
        for _ in range(20 if scene.long else 3):
            proxy.lose_reply(_commits)  # the control plane finds out by itself
            await rig.some(edits=3, answers=0)
        loop = asyncio.get_running_loop()
        for _ in range(5 if scene.long else 1):

            def cut(chunk: bytes) -> bool:
                if _commits(chunk):
                    loop.call_soon(proxy.partition)
                return _commits(chunk)

            proxy.lose_reply(cut)  # … or cannot, and says so
            await rig.progress.more("unknown", 1)
            proxy.heal()
            await rig.some()


@fault(23, "somebody writes a record past the control plane that nothing can read")
async def poisoned(scene: Scene) -> None:
    async with scene.rig(serves=2) as rig, rig.trial():
        async with rig.level() as held:
            rig.history.failing |= {POISON, POISON_ITEM}
            await _poison(rig, held[BINDINGS])
            await _poison_items(rig, held[ITEMS])
            await rig.converged()
        await rig.some()
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
            headers = {"Authorization": f"Bearer {rig.admin.token}"}
            shown = (await client.get(f"{rig.admin.url}/admin/slots?state=failed", headers=headers)).json()
            replicas = (await client.get(f"{rig.admin.url}/admin/replicas", headers=headers)).json()["replicas"]
        assert [slot["id"] for slot in shown["slots"]] == [POISON]
        assert all("NACK:RECORD" in replica["failed"][POISON] for replica in replicas)
        assert all("NACK:RECORD" in replica["items"]["failed"][POISON_ITEM] for replica in replicas)
        assert len(replicas) == 3


async def _kill_at(rig: Rig, command: bytes) -> None:
    """Kill the control plane when it sends a commit's `command`, which still reaches the store."""
    done = asyncio.Event()

    def strike(chunk: bytes) -> bool:
        if command in chunk and not done.is_set():
            rig.admin.signal(signal.SIGKILL)
            done.set()
        return done.is_set()

    rig.proxies["admin"].lose_reply(strike)
    async with asyncio.timeout(HANG_S):
        await done.wait()
    await _again(rig)


async def _again(rig: Rig) -> None:
    await rig.admin.kill()
    rig.proxies["admin"].heal()
    rig.admin.start()
    await rig.admin.ready()


async def _past(rig: Rig, before: Mapping[str, int]) -> bool:
    return await rig.heads() != before


def _commits(chunk: bytes) -> bool:
    return b"EVAL" in chunk


async def _poison(rig: Rig, held: Held) -> None:
    """A whole revision, with the right digest, that holds one record which is none."""
    record = json.dumps({"words": ["poison"], "draft": False, "items": "", "starts_at": None, "ends_at": None})
    slot = next(slot for slot in (f"1-{index}" for index in range(4, 8)) if slot not in held.slots)
    revision, records = held.number + 1, {**held.records, POISON: record}
    state = state_of(records)
    changes = [{"id": POISON, "slot": slot, "slot_before": None, "before": None, "after": record}]
    entry: dict[FieldT, EncodableT] = {"op": "bind", "at": "0", "actor": "nobody", "key": "past", "epoch": held.epoch}
    entry |= {"state": state, "changes": json.dumps(changes)}
    async with rig.store.client() as raw, raw.pipeline(transaction=True) as pipe:
        pipe.hset("{sb}:binding", POISON, record)
        pipe.hset(f"{{sb}}:slots:{rig.codebook}", slot, POISON)
        pipe.hset("{sb}:meta", mapping={"rev": revision, "state": state, "count": len(records)})
        pipe.xadd("{sb}:log", entry, id=f"{revision}-0")
        await pipe.execute()


async def _poison_items(rig: Rig, held: Held) -> None:
    """The same of an item: it has no title."""
    record = record_of(POISON_ITEM, {"id": POISON_ITEM, "fields": {"price": 2000}}, held.number + 1)
    seq, records = held.number + 1, {**held.records, POISON_ITEM: record}
    digest = sum_of(records)
    entry: dict[FieldT, EncodableT] = {"epoch": held.epoch, "at": "0", "actor": "nobody", "id": POISON_ITEM}
    async with rig.store.client() as raw, raw.pipeline(transaction=True) as pipe:
        pipe.hset("{sb}:item", POISON_ITEM, record)
        pipe.hset("{sb}:imeta", mapping={"seq": seq, "digest": digest, "count": len(records)})
        pipe.xadd("{sb}:feed", entry | {"record": record, "digest": digest}, id=f"{seq}-0")
        await pipe.execute()
