"""A damaged file of a served artifact is found beside the requests: told in the log, and at each scrape."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from slotbeam.api.http.integrity import Integrity
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, Snapshot


@pytest.fixture
def copy(tiny_artifact: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_artifact, tmp_path / "copy")


async def test_what_is_as_it_was_written_is_found_intact(copy: Path) -> None:
    integrity = Integrity(Holder(Snapshot(Artifact.load(copy))))
    with capture_logs() as said:
        await integrity.check()
    assert (integrity.damaged, said) == ([], [])


async def test_one_flipped_bit_and_a_file_that_is_gone_are_told_once_each_by_name(copy: Path) -> None:
    integrity = Integrity(Holder(Snapshot(Artifact.load(copy))))
    titles, prior = copy / "index" / "items" / "titles.npy", copy / "index" / "items" / "prior.npy"
    titles.write_bytes(titles.read_bytes()[:-1] + b"!")
    prior.unlink()
    with capture_logs() as said:
        await integrity.check()
        await integrity.check()
    assert sorted(integrity.damaged) == ["index/items/prior.npy", "index/items/titles.npy"]
    assert sorted(event["file"] for event in said) == sorted(integrity.damaged)
    assert {event["log_level"] for event in said} == {"error"}


async def test_a_plane_that_ends_does_not_wait_for_the_check(copy: Path) -> None:
    integrity = Integrity(Holder(Snapshot(Artifact.load(copy))))
    async with integrity.checking():
        pass
    assert integrity.damaged == []
    assert integrity._hash("index/items/titles.npy") is None, "what still runs gives up"


async def test_the_check_leaves_the_threads_that_others_use_at_their_priority(copy: Path) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = await asyncio.to_thread(niceness)
    await Integrity(Holder(Snapshot(Artifact.load(copy)))).check()
    assert await asyncio.to_thread(niceness) == before
