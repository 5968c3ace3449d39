"""A browser without scripts before the page of a control plane in this process."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest
import redis
from pydantic import SecretStr

from slotbeam.api.admin import create_admin_app
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from support.clients import AppClient, client_of, ready

TOKEN = "t" * 32
VIEWS = ["/", "/ops/slots/new", "/ops/try?q=labubu", "/ops/suggestions", "/ops/queries", "/ops/items?q=labubu",
         "/ops/history", "/ops/import", "/ops/replicas", "/ops/rules",
         "/ops/rules/new"]  # fmt: skip
BOUND = {"words": "labubu", "category": "brand", "items": "i003\ni004", "owner": "toys", "reason": "viral"}


class Browser:
    """Keeps cookies, and sends forms with what the page put into them."""

    def __init__(self, client: AppClient) -> None:
        self.client = client

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def csrf(self, path: str = "/") -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get(path)).text)
        assert found is not None
        return found[1]

    async def post(self, path: str, **fields: str) -> httpx.Response:
        return await self.client.post(path, data={"csrf": await self.csrf(), **fields})

    async def sign_in(self, token: str = TOKEN) -> httpx.Response:
        return await self.post("/ops/sign-in", token=token)


def etag_of(text: str) -> str:
    found = re.search(r'name="etag" value="([^"]+)"', text)
    assert found is not None
    return unescape(found[1])


@pytest.fixture
async def stranger(raw: redis.Redis, shop: Artifact, server: EmbeddedStore, tmp_path: Path) -> AsyncIterator[Browser]:
    settings = Settings(data_dir=tmp_path, redis_url=server.url, admin_token=SecretStr(TOKEN), replica_id="the-admin")
    async with client_of(create_admin_app(settings, shop)) as client:
        await ready(client)
        yield Browser(client)


@pytest.fixture
async def browser(stranger: Browser) -> Browser:
    """One that is signed in."""
    assert (await stranger.sign_in()).status_code == 303
    return stranger
