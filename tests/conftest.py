"""Fixtures of the whole suite. `async def` tests run on asyncio through anyio's plugin (`anyio_mode = "auto"`)."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
