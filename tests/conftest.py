"""Fixtures of the whole suite. `async def` tests run on asyncio through anyio's plugin (`anyio_mode = "auto"`)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from support.tiny import write_tiny_artifact


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SLOTBEAM_") and name != "SLOTBEAM_SYSTEM"]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def tiny_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete artifact of 120 items and random weights; made once, shared by all workers. Do not change it."""
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    directory = base / "tiny"
    with (base / "tiny.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "manifest.json").exists():
            write_tiny_artifact(directory)
    return directory
