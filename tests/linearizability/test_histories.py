"""What concurrent clients are answered under fault is what one client after the other could have been answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from linearizability.worlds import planes_world, store_world


async def test_items_are_linearizable_while_the_store_dies_and_replies_are_lost(tmp_path: Path) -> None:
    recording, found = await store_world(tmp_path, seed=0, operations=8000)
    assert not found, "\n".join(found[:5])
    assert recording.total() >= 8000
    assert min(recording.counts[did] for did in ("read", "created", "updated", "deleted", "refused")) > 0


@pytest.mark.timeout(300)  # processes are killed and started: a hang guard for a busy machine
async def test_items_and_slots_are_linearizable_over_http_and_no_replica_goes_back(
    tmp_path: Path, tiny_artifact: Path
) -> None:
    recording, found, asked = await planes_world(tmp_path, tiny_artifact, seed=0, operations=300, executed=False)
    assert not found, "\n".join(found[:5])
    assert recording.total() >= 300
    assert asked > 0
