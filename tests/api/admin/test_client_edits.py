"""slotbeam.client edits by the control plane: typed answers, and a key of its own for each edit."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from slotbeam.client import AsyncClient, ServiceError
from slotbeam.search.artifact import Artifact

from .conftest import TOKEN


async def test_edits_of_a_control_plane_are_typed_and_carry_a_key_of_their_own(plane: Any, whole: Artifact) -> None:
    asked: list[httpx.Request] = []

    async def note(request: httpx.Request) -> None:
        asked.append(request)

    async with (
        plane(artifact=whole) as app_client,
        AsyncClient(
            "http://t", TOKEN, transport=httpx.ASGITransport(app_client.app), event_hooks={"request": [note]}
        ) as client,
    ):
        told = await client.preview(["labubu"], "brand", items={"ids": ["i003"]})
        assert (told.slot, (await client.slots(bound=True)).slots) == ("1-4", [])
        bound = await client.bind(["labubu"], "brand", items={"ids": ["i003"]})
        assert (bound.slot, bound.propagation.expected) == ("1-4", 1)
        held = await client.binding("1-4")
        assert (held.words, held.item_ids) == (["labubu"], ["i003"])
        edited = await client.edit_binding("1-4", held.etag, owner="toys")
        with pytest.raises(ServiceError) as stale:
            await client.unbind("1-4", held.etag)
        assert (stale.value.status, edited.owner) == (412, "toys")
        assert (await client.unbind("1-4", "*")).words == ["labubu"]

        made = await client.add_rule(["rain"], hide=["i003"])
        changed = await client.edit_rule(made.id, (await client.rule(made.id)).etag, owner="toys")
        assert [(rule.id, rule.owner) for rule in (await client.rules()).rules] == [(changed.id, "toys")]
        assert (await client.remove_rule(made.id, "*")).id == made.id

        assert (await client.put_item("new/1", {"title": "A red mug"})).did == "created"
        assert (await client.patch_item("new/1", {"title": "A blue mug"})).did == "updated"
        assert (await client.item("new/1")).item["title"] == "A blue mug"
        batch = await client.edit_items([{"op": "delete", "id": "new/1"}])
        assert [one.did for one in batch.results] == ["deleted"]
        with pytest.raises(ServiceError, match="new/1"):
            await client.delete_item("new/1")

        assert [entry.op for entry in (await client.audit(count=4)).entries][2:] == ["add", "unbind"]
        assert len((await client.replicas()).replicas) == 1
    keys = [
        one.headers.get("idempotency-key")
        for one in asked
        if one.method != "GET" and not one.url.query.startswith(b"dry")
    ]
    assert None not in keys
    assert len(set(keys)) == len(keys)
