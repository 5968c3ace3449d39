"""Tests that need what `make test-system` or Debian installs: they skip without it; there, that is a failure."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.system)


def need(program: str, where: str | None = None, by: str | None = None) -> str:
    """Return the path of `program`; skip (or fail, under `make test-system`) when it is not installed.

    Args:
        where: a directory to look in, instead of those of `PATH`.
        by: what installs it, instead of a Debian package of its name.
    """
    path = shutil.which(program, path=where)
    if path is None:
        reason = f"{program} is not installed ({by or f'Debian package {program}'})"
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


@pytest.fixture(scope="session")
def chromium_path() -> str:
    return need("chromium")


@pytest.fixture(scope="session")
def client_generator() -> str:
    return need("openapi-python-client", f"{sys.prefix}/client/bin", "make test-system does it")
