"""A small shop behind a data plane in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, ServingState, Snapshot
from slotbeam.settings import Settings
from slotbeam.types import Slot
from support.clients import client_of


@pytest.fixture(scope="session")
def bound_shop(shop: Artifact) -> Snapshot:
    """The shop with "labubu" bound to two items at revision 7."""
    slot = Slot(1, shop.kae.codebook.reserved(1)[0])
    overlay = build_overlay(shop, [Bound("b_labubu", slot, ("labubu",), ("i003", "i004"), "top")])
    return Snapshot(shop, overlay, epoch="e1", revision=7, state=ServingState.LIVE, active="c1")


@pytest.fixture
async def data(bound_shop: Snapshot, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a data plane that serves `bound_shop`, without a store."""
    async with client_of(create_data_app(Settings(data_dir=tmp_path), holder=Holder(bound_shop))) as client:
        yield client
