"""What the tests of security share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slotbeam.embedded.server import find_binary
from support.secured import Secured, secured


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Secured]:
    """The store with its two users, empty."""
    (tmp_path / "store").mkdir()
    with secured(find_binary(), tmp_path / "store") as running:
        yield running
