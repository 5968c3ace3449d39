"""docker-compose.yml is what Debian's docker-compose accepts; it needs no engine to say so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def run(docker_compose: str, *arguments: str, **variables: str) -> str:
    argv = [docker_compose, "-f", str(ROOT / "docker-compose.yml"), "config", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, env={**os.environ, **variables})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_docker_compose_accepts_the_file(docker_compose: str) -> None:
    assert set(run(docker_compose, "--services").split()) == {"redis", "serve", "admin"}


def test_an_acknowledged_edit_is_on_disk_and_never_evicted(docker_compose: str) -> None:
    command = " ".join(run(docker_compose).split())
    assert "--appendonly yes --appendfsync always --maxmemory-policy noeviction" in command


def test_both_planes_follow_the_store_with_a_token_from_outside(docker_compose: str) -> None:
    text = run(docker_compose, SLOTBEAM_ADMIN_TOKEN="from-outside-123")
    assert text.count("SLOTBEAM_REDIS_URL: redis://redis:6379/0") == 2
    assert text.count("SLOTBEAM_ADMIN_TOKEN: from-outside-123") == 2
    assert "SLOTBEAM_REPLICA_ID: serve-1" in text
    assert "SLOTBEAM_REPLICA_ID: admin-1" in text
