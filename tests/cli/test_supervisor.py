"""What `slotbeam up` says of itself to other commands."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

from structlog.testing import capture_logs

from slotbeam.cli.child import Child
from slotbeam.cli.supervisor import Up
from slotbeam.embedded.record import record_of
from slotbeam.settings import Settings
from support.processes import HANG_S


async def test_a_record_that_the_disk_refused_is_written_once_there_is_room(tmp_path: Path) -> None:
    data_dir = tmp_path / "full"
    up = Up(Settings(data_dir=data_dir, redis_url="redis://127.0.0.1:1"))
    with socket.create_server(("127.0.0.1", 0)) as serve, socket.create_server(("127.0.0.1", 0)) as admin:
        up.children = [Child("serve", serve, {}), Child("admin", admin, {})]
        with capture_logs() as logs:
            for _ in range(2):
                up._write_record()  # there is no such folder: as good as no room
            assert [line["event"] for line in logs] == ["up.json is not what runs; it is written again"]
            data_dir.mkdir()
            up.background.restarts["store"] = 3
            async with asyncio.timeout(HANG_S):
                while not record_of(data_dir).exists():
                    await asyncio.sleep(0.01)
    assert json.loads(record_of(data_dir).read_text())["restarts"]["store"] == 3
