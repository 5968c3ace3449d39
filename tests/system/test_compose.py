"""docker-compose.yml is what Debian's docker-compose accepts; it needs no engine to say so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.secured import PASSWORDS, passwords

ROOT = Path(__file__).parent.parent.parent
SERVICES = ["redis", "serve", "admin"]


def run(docker_compose: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    argv = [docker_compose, "-f", str(ROOT / "docker-compose.yml"), "config", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, env={**os.environ, **variables})


def services(docker_compose: str, **variables: str) -> dict[str, Any]:
    done = run(docker_compose, **passwords(), **variables)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return found


def test_docker_compose_accepts_the_file(docker_compose: str) -> None:
    assert set(services(docker_compose)) == set(SERVICES)


@pytest.mark.parametrize("missing", passwords())
def test_without_both_passwords_nothing_starts(docker_compose: str, missing: str) -> None:
    done = run(docker_compose, **{**passwords(), missing: ""})
    assert done.returncode != 0
    assert missing in done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_runs_without_root_rights_or_a_writable_root(docker_compose: str, name: str) -> None:
    service = services(docker_compose)[name]
    user, group = map(int, service["user"].split(":"))
    assert user > 0
    assert group > 0
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "network_mode", "pid", "ipc", "devices"} & set(service)
    writable = [volume for volume in service["volumes"] if not volume.endswith(":ro")]
    assert [volume.split(":")[1] for volume in writable] == ["/data" if name == "redis" else "/var/lib/slotbeam/data"]


def test_each_plane_has_its_own_user_of_the_store_and_only_the_control_plane_a_token(docker_compose: str) -> None:
    found = services(docker_compose, SLOTBEAM_ADMIN_TOKEN="from-outside-123")
    given = {name: service["environment"] for name, service in found.items()}
    for name in ("serve", "admin"):
        assert given[name]["SLOTBEAM_REDIS_URL"] == f"redis://{name}:{PASSWORDS[name]}@redis:6379/0"
        assert given[name]["SLOTBEAM_REPLICA_ID"] == f"{name}-1"
    assert [name for name in SERVICES if "from-outside-123" in str(given[name])] == ["admin"]
    assert PASSWORDS["admin"] not in str(given["serve"])


def test_the_store_is_reached_from_no_other_machine_and_the_control_plane_from_this_one(docker_compose: str) -> None:
    found = services(docker_compose)
    assert "ports" not in found["redis"]
    assert found["admin"]["ports"] == ["127.0.0.1:8001:8001/tcp"]
