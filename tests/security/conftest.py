"""What the tests of security share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slotbeam.bindings.server import find_binary
from slotbeam.search.artifact import Artifact
from support.secured import Secured, secured
from support.shop import make_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Secured]:
    """The store with its two users, empty."""
    (tmp_path / "store").mkdir()
    with secured(find_binary(), tmp_path / "store") as running:
        yield running
