"""A running `slotbeam up` for commands to speak to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.processes import Up


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Iterator[Up]:
    """Run one for each module, on the small artifact."""
    with Up(tmp_path_factory.mktemp("up") / "data", tiny_artifact) as running:
        yield running
