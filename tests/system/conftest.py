"""Tests that need a Debian package: they skip without it, except under `make test-system`, where that is a failure."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.system)


def need(program: str) -> str:
    """Return the path of `program`; skip (or fail, under `make test-system`) when it is not installed."""
    path = shutil.which(program)
    if path is None:
        reason = f"{program} is not installed (Debian package {program})"
        if os.environ.get("SLOTBEAM_SYSTEM") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture
def docker_compose() -> str:
    return need("docker-compose")


@pytest.fixture
def redis_server() -> str:
    return need("redis-server")
