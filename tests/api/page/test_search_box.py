"""The search box at the root of a data plane."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from slotbeam.api.page.render import POLICY
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from support.clients import client_of


@pytest.fixture
async def data(shop: Artifact, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_data_app(Settings(data_dir=tmp_path, search_page=True), shop)) as client:
        yield client


async def test_it_is_there_where_it_was_asked_for_and_nowhere_else(
    data: httpx.AsyncClient, shop: Artifact, tmp_path: Path
) -> None:
    assert (await data.get("/")).headers["content-type"] == "text/html; charset=utf-8"
    async with client_of(create_data_app(Settings(data_dir=tmp_path), shop)) as other:
        assert (await other.get("/")).status_code == 404
    assert "/" not in (await data.get("/openapi.json")).json()["paths"]


async def test_it_loads_nothing_from_elsewhere_and_runs_nothing_inline(data: httpx.AsyncClient) -> None:
    answer = await data.get("/")
    assert answer.headers["content-security-policy"] == POLICY
    loaded = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert len(loaded) == 3
    for address in loaded:
        assert address.startswith("search/assets/"), "behind a proxy's prefix, too"
        assert (await data.get(f"/{address}")).status_code == 200
    assert not re.search(r"<script(?![^>]*src=)|<style|\son[a-z]+=|style=", answer.text)
    assert (await data.get("/search/assets/secret")).status_code == 404


async def test_it_begins_with_queries_that_the_artifact_understands(data: httpx.AsyncClient, shop: Artifact) -> None:
    told = (await data.get("/")).text
    assert re.findall(r'<button type="button">([^<]+)</button>', told) == list(shop.examples)
