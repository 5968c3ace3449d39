"""Every program in `examples/` runs as a newcomer runs it, against a real `slotbeam up`."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from support.processes import CLI, HANG_S, Up, environment

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
TESTED = {"search_client.py", "campaign.sh", "catalog_to_live_edit.sh"}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("examples") / "data", tiny_artifact) as running:
        yield running


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a PATH on which `slotbeam` is the one under test."""
    folder = tmp_path_factory.mktemp("bin")
    command = folder / "slotbeam"
    command.write_text(f'#!/bin/sh\nexec {" ".join(CLI)} "$@"\n')
    command.chmod(0o700)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def run(*command: object, **variables: str) -> str:
    """Run one of them; returns what it printed."""
    done = subprocess.run(
        [str(part) for part in command], env=variables, capture_output=True, text=True, timeout=2 * HANG_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_example_is_run_by_a_test() -> None:
    assert {file.name for file in EXAMPLES.iterdir() if file.is_file()} == TESTED | {"README.md", "labubu.txt"}


def test_the_search_client_turns_pages_shows_bindings_and_reports_what_users_did(up: Up) -> None:
    assert up.cli("slots", "bind", "labubu", "-c", "brand", "--item", "i003", "--item", "i004").returncode == 0
    try:
        said = run(
            sys.executable, EXAMPLES / "search_client.py", "labubu mug", **environment(data_url=up.record["data"])
        )
        items = up.retrieve("labubu mug", k=10)["items"]
        metrics = httpx.get(f"{up.record['data']}/metrics", timeout=HANG_S).text
    finally:
        assert up.cli("slots", "unbind", "labubu").returncode == 0
    shown = re.findall(r"^ +(\d+) ([● ]) .*\((\w+)\)$", said, re.MULTILINE)
    assert shown == [
        (str(rank), "●" if item["source"] == "binding" else " ", item["id"]) for rank, item in enumerate(items, 1)
    ], "two pages are the first ten items, each once"
    assert "bound: labubu → slot 1-4, 2 items" in said
    assert 'slotbeam_events_total{k="10",result="click"} 1.0' in metrics
    assert 'slotbeam_hits_total{event="order"} 1.0' in metrics


def test_the_search_client_says_what_the_service_refuses(up: Up) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "search_client.py", "x" * 300],
        env=environment(data_url=up.record["data"]),
        capture_output=True,
        text=True,
        timeout=HANG_S,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "256" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_search_client_says_that_nothing_answers() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        argv = [sys.executable, str(EXAMPLES / "search_client.py"), "mug"]
        done = subprocess.run(argv, env=environment(data_url=url), capture_output=True, text=True, timeout=HANG_S)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{url} does not answer: ")


def test_the_campaign_is_previewed_bound_served_found_listed_and_ended(up: Up, path: str) -> None:
    before = up.retrieve("labubu")
    last_day = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
    said = run(
        *(EXAMPLES / "campaign.sh", "labubu", "brand", last_day, "--item", "i003", "--item", "i004"),
        **{**up.environment, "PATH": path},
    )
    preview, bound, found, listed, ended = said.split("== ")[1:]
    assert "would take slot 1-4 with 2 items; nothing was changed" in preview
    assert "labubu is bound to slot 1-4 (2 items, top)" in bound
    assert "active from" in bound
    assert "live in 2 of 2 replicas" in bound
    assert found.count("binding") == 2
    assert "merchandising" in listed
    assert "active" in listed
    assert "slot 1-4 is free" in ended
    assert up.retrieve("labubu")["items"] == before["items"]


def test_a_campaign_that_lacks_its_last_day_changes_nothing_and_says_what_it_takes(path: str) -> None:
    done = subprocess.run([EXAMPLES / "campaign.sh", "labubu", "brand"], capture_output=True, text=True, timeout=HANG_S)
    assert done.returncode == 2
    assert "usage:" in done.stderr


def test_a_catalog_becomes_an_artifact_that_is_served_and_edited_live_and_nothing_is_left(
    path: str, tmp_path: Path
) -> None:
    said = run(
        EXAMPLES / "catalog_to_live_edit.sh",
        **{**environment(), "PATH": path, "TMPDIR": str(tmp_path), "OMP_NUM_THREADS": "1"},
    )
    *_, before, bound, after = said.split("== ")
    assert "24 items" in said
    assert "binding" not in before
    assert "labubu is bound to slot" in bound
    assert "live in 2 of 2 replicas" in bound
    shown = re.findall(r"^ +\d +(binding|model) .* (p\d+) ", after, re.MULTILINE)
    assert shown[:2] == [("binding", "p5"), ("binding", "p20")], "a mug was asked for, too"
    assert shown[2][0] == "model"
    assert not list(tmp_path.glob("tmp.*")), "its folder; PyTorch leaves some of its own"
