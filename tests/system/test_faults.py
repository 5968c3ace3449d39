"""The fault matrix again, on Debian's redis-server."""

from __future__ import annotations

from pathlib import Path

import pytest

from torture.faults import FAULTS, Scene

pytestmark = pytest.mark.timeout(400)  # a hang guard: every wait inside has its own of a minute


@pytest.mark.parametrize("name", sorted(FAULTS))
async def test_nothing_is_lost_torn_or_refused_on_redis_when(
    name: str, redis_server: str, tmp_path: Path, tiny_artifact: Path
) -> None:
    await FAULTS[name](Scene(tmp_path, tiny_artifact, Path(redis_server), seed=1, executed=True))
