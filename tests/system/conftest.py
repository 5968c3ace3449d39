"""Tests that need what `make test-system` or Debian installs: they skip without it; there, that is a failure."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from slotbeam.embedded.address import store_url
from support.processes import CLI, environment, wait_for

from .browsing import TOKEN, WIDTHS, sign_in


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
def prometheus_path() -> str:
    return need("prometheus")


@pytest.fixture(scope="session")
def client_generator() -> str:
    return need("openapi-python-client", f"{sys.prefix}/client/bin", "make test-system does it")


@pytest.fixture(scope="session")
def page_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a `slotbeam up`."""
    return tmp_path_factory.mktemp("page") / "data"


@pytest.fixture(scope="session")
def addresses(page_data: Path, tiny_artifact: Path) -> Iterator[dict[str, str]]:
    """Of its planes."""
    variables = environment(
        port=0, admin_port=0, data_dir=page_data, artifact=tiny_artifact, log_level="error", admin_token=TOKEN
    )
    with subprocess.Popen([*CLI, "up"], env=variables, stdout=subprocess.DEVNULL) as up:
        try:
            wait_for(lambda: (page_data / "up.json").exists() or up.poll() is not None)
            yield json.loads((page_data / "up.json").read_text())
        finally:
            up.terminate()


@pytest.fixture(scope="session")
def origin(addresses: dict[str, str]) -> str:
    return addresses["admin"]


@pytest.fixture(scope="session")
def page_store(addresses: dict[str, str], page_data: Path) -> str:
    return store_url(None, page_data)


@pytest.fixture(scope="session")
def data_plane(addresses: dict[str, str]) -> str:
    return addresses["data"]


@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """A browser. While it is there the thread has a running event loop: it ends with its module, before other tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=WIDTHS)
def page(request: pytest.FixtureRequest, chromium: Browser, origin: str) -> Iterator[Page]:
    """A page that is signed in; whatever it asked for was of its own origin, and no script of it failed."""
    context = chromium.new_context(viewport=WIDTHS[request.param], base_url=origin, timezone_id="Europe/Berlin")
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    sign_in(page, TOKEN)
    page.width = request.param  # type: ignore[attr-defined]
    yield page
    context.close()
    assert [url for url in asked if not url.startswith(origin)] == []
    assert wrong == []
