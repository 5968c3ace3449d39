"""A control plane waits until it serves an edit itself; where it cannot, it does not say that it does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from slotbeam.bindings.replica.pace import Pace
from slotbeam.catalog.item import Item
from slotbeam.search.artifact import Artifact

AT_ONCE = Pace(own_s=0.0)
MUG = {"title": "A red mug"}
ZORB = {"words": ["zorb"], "category": "brand", "items": {"ids": ["i001"]}}


class Held:
    """A sink that takes nothing until it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()

    async def apply(self, changed: Mapping[str, Item | None], seq: int) -> None:
        await self.may.wait()

    reset = apply


async def test_an_item_that_this_plane_cannot_serve_in_time_is_202_and_a_read_says_what_it_has_seen(
    plane: Any, shop: Artifact
) -> None:
    async with plane(artifact=shop, pace=AT_ONCE) as admin:
        held = Held()
        admin.plane.follower.serving._handing.sink = held
        made = await admin.put("/admin/items/new-1", json=MUG)
        assert (made.status_code, made.json()["did"], made.json()["look"]) == (202, "created", "/admin/replicas")
        behind = await admin.get("/admin/items")
        assert int(behind.headers["x-items-seq"]) < int(made.headers["x-items-seq"])
        batch = await admin.post("/admin/items:batch", json={"operations": [{"op": "put", "id": "new-2", "item": MUG}]})
        assert batch.status_code == 202
        held.may.set()
        assert await admin.plane.follower.reached(batch.json()["seq"], 20)
        read = await admin.get("/admin/items/new-1")
        assert (read.status_code, read.headers["x-items-seq"]) == (200, batch.headers["x-items-seq"])


async def test_a_binding_that_this_plane_cannot_serve_in_time_is_202_and_a_read_says_what_it_has_seen(
    plane: Any,
) -> None:
    async with plane(pace=AT_ONCE) as admin:
        watcher = admin.plane.watcher
        async with watcher._syncing:
            made = await admin.post("/admin/slots", json=ZORB)
            assert made.status_code == 202
            behind = await admin.get(f"/admin/slots/{made.json()['slot']}")
            assert (behind.json()["state"], behind.headers["x-bindings-revision"]) == ("free", "0")
        assert await watcher.reached(1, 20)
        read = await admin.get(f"/admin/slots/{made.json()['slot']}")
        assert (read.json()["state"], read.headers["x-bindings-revision"]) == ("active", "1")
