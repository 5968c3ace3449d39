"""The users of the store keep the same promises on Debian's redis-server, and its health check asks as one of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from security.test_acl import (  # noqa: F401
    test_a_user_may_send_its_commands_and_no_other_that_the_server_knows,
    test_both_planes_do_all_their_work_through_their_users,
    test_doctor_says_what_the_user_of_a_data_plane_may_not_ask,
    test_serve_cannot_write_what_it_serves,
    test_serve_reads_what_it_serves_and_nothing_else,
    test_without_a_user_nothing_is_answered,
)
from slotbeam.search.artifact import Artifact
from support.secured import REDIS, Secured, passwords, secured
from support.shop import make_shop
from system.conftest import need


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def guarded(redis_server: str, tmp_path: Path) -> Iterator[Secured]:
    (tmp_path / "store").mkdir()
    with secured(Path(redis_server), tmp_path / "store") as running:
        yield running


@pytest.mark.parametrize(("password", "healthy"), [({}, True), ({"serve": "another-password-0"}, False)])
def test_the_health_check_asks_as_a_user(guarded: Secured, password: dict[str, str], healthy: bool) -> None:
    need("redis-cli")
    argv = ["sh", str(REDIS / "ping.sh"), "-s", str(guarded.socket)]
    done = subprocess.run(argv, env={**os.environ, **passwords(**password)}, capture_output=True, text=True, timeout=60)
    assert (done.returncode == 0, done.stdout.strip() == "PONG") == (healthy, healthy), done
