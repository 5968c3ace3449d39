"""`slotbeam up`: real processes, a real store, real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from support.posting import POSTS, Post
from support.processes import HANG_S, Up, alive, listening, wait_for


def test_the_query_that_it_prints_is_understood_by_what_it_serves(up: Up) -> None:
    line = wait_for(lambda: next((each for each in up.said()[0].splitlines() if "/retrieve" in each), None))
    [*command, data] = shlex.split(line)
    assert command == ["curl", "-s", f"{up.record['data']}/retrieve", "-H", "content-type: application/json", "-d"]
    answer = up.retrieve(**json.loads(data), explain=True)
    assert len(answer["items"]) == 5
    assert {word for fact in answer["explain"]["words"] for word in fact["surface"].split()} == set(
        json.loads(data)["query"].split()
    )


def test_the_pages_that_it_prints_are_there(up: Up) -> None:
    wait_for(lambda: "/docs" in up.said()[0])
    pages = [word for word in up.said()[0].partition("in a browser\n")[2].split() if word.startswith("http")]
    data, admin = up.record["data"], up.record["admin"]
    assert pages == [data, admin, f"{data}/docs", f"{admin}/docs"]
    answers = [httpx.get(page, timeout=HANG_S, verify=False, follow_redirects=True) for page in pages]
    assert [(each.status_code, each.headers["content-type"][:9]) for each in answers] == [(200, "text/html")] * 4


def test_a_wrong_token_is_refused(up: Up) -> None:
    response = httpx.get(f"{up.record['admin']}/admin/slots", headers={"Authorization": "Bearer wrong"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_the_token_is_for_its_owner_only(up: Up) -> None:
    assert stat.S_IMODE((up.data_dir / "admin.token").stat().st_mode) == 0o600


def test_a_second_up_on_the_directory_names_the_first(up: Up) -> None:
    second = up.cli("up")
    assert second.returncode == 1
    assert f"in use by process {up.process.pid}" in second.stderr
    assert "SLOTBEAM_DATA_DIR" in second.stderr
    assert up.retrieve("mug")["items"]


def test_serve_alone_finds_the_store_of_the_directory(up: Up) -> None:
    """An edit made in one process is applied in another that was started by itself."""
    with subprocess.Popen(
        [sys.executable, "-m", "slotbeam.cli", "serve"],
        env={**up.environment, "SLOTBEAM_REPLICA_ID": "alone"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as serve:
        try:
            url, _ = listening(serve)
            wait_for(lambda: httpx.get(f"{url}/readyz", timeout=HANG_S, verify=False).status_code == 200)
            bound = json.loads(up.cli("slots", "bind", "crocs", "-c", "brand", "--item", "i005", "--json").stdout)
            assert "alone" in {replica["id"] for replica in bound["propagation"]["replicas"]}
            assert bound["propagation"]["applied"] == 3
            answer = httpx.post(f"{url}/retrieve", json={"query": "crocs"}, timeout=HANG_S, verify=False).json()
            assert answer["items"][0]["id"] == "i005"
        finally:
            serve.send_signal(signal.SIGTERM)
            up.cli("slots", "unbind", "crocs")


def test_a_plane_that_dies_is_started_again_on_its_port(up: Up) -> None:
    old = up.record["children"]["serve"]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: (record := up.read()) is not None and record["children"]["serve"] != old)
    assert up.retrieve("mug")["items"]
    up.record = up.read() or {}
    assert ("up", "error", -signal.SIGKILL) in [
        (event["process"], event["level"], event.get("status")) for event in up.events() if event.get("part") == "serve"
    ]
    metrics = httpx.get(f"{up.record['data']}/metrics", timeout=HANG_S, verify=False).text
    assert f'slotbeam_restarts_total{{part="serve"}} {float(up.record["restarts"]["serve"])}' in metrics


def test_the_store_dies_and_no_search_fails(up: Up) -> None:
    old = up.record["store_pid"]
    revision = up.retrieve("mug")["bindings"]["revision"]
    os.kill(old, signal.SIGKILL)
    answers = [up.retrieve("mug") for _ in range(20)]
    assert {answer["bindings"]["revision"] for answer in answers} == {revision}
    wait_for(lambda: (record := up.read()) is not None and record["store_pid"] != old)
    up.record = up.read() or {}
    wait_for(lambda: up.retrieve("mug")["bindings"]["state"] == "live")
    assert [event for event in up.events() if event.get("part") == "store" and event["level"] == "error"]
    metrics = httpx.get(f"{up.record['admin']}/metrics", timeout=HANG_S, verify=False).text
    assert f'slotbeam_restarts_total{{part="store"}} {float(up.record["restarts"]["store"])}' in metrics


def test_every_line_of_the_log_is_one_event_that_says_who_when_and_how_bad(up: Up) -> None:
    events = wait_for(lambda: [event for event in up.events() if event["event"] == "listening"] and up.events())
    assert {"up", "serve", "admin"} == {event["process"] for event in events}
    assert all({"event", "level", "timestamp", "logger", "process"} <= set(event) for event in events)
    assert {event["process"] for event in events if event["event"] == "listening"} == {"serve", "admin"}


def talk(url: str, raw: bytes) -> bytes:
    """Send raw bytes, and return the status line that comes back."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=HANG_S) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(raw)
        with connection.makefile("rb") as answer:
            return answer.readline()


HEAD = b"POST /retrieve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
RAW: list[tuple[str, bytes, bytes]] = [
    ("length and chunks", HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b" 400 "),
    ("100 KB of header", HEAD + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n", b" 431 "),
    ("text that forges a log line", HEAD.replace(b"retrieve", b"a%0d%0aERROR%1b[31m") + b"\r\n", b" 404 "),
]


@pytest.mark.parametrize(("raw", "status"), [row[1:] for row in RAW], ids=[row[0] for row in RAW])
def test_broken_http_is_refused_and_the_next_request_is_answered(up: Up, raw: bytes, status: bytes) -> None:
    assert status in talk(up.record["data"], raw)
    assert up.retrieve("mug")["items"]


EARLY: list[tuple[str, str, str, dict[str, str], int]] = [
    ("no token", "admin", "/admin/slots", {}, 401),
    ("nothing there", "data", "/nowhere", {}, 404),
    ("nothing there", "admin", "/nowhere", {}, 404),
    ("another method", "data", "/livez", {}, 405),
    ("too large", "data", "/retrieve", {}, 413),
    ("another type", "data", "/retrieve", {"Content-Type": "text/plain"}, 415),
    ("large headers", "admin", "/admin/slots", {"X-Long": "x" * 32_768}, 431),
]


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.__name__)
def test_five_of_five_answers_to_a_body_of_5_mb_reach_a_client_that_sends_it_whole(up: Up, post: Post) -> None:
    json_type, body = {"Content-Type": "application/json"}, b" " * 5_000_000
    for name, plane, path, headers, status in EARLY:
        answers = [post(up.record[plane], path, body, {**json_type, **headers}) for _ in range(5)]
        assert answers == [status] * 5, name


def test_kill_9_of_up_leaves_no_process_behind(tmp_path: Path, tiny_artifact: Path) -> None:
    with Up(tmp_path / "data", tiny_artifact) as killed:
        pids = killed.pids
        os.kill(killed.process.pid, signal.SIGKILL)
        killed.process.wait(HANG_S)
        wait_for(lambda: not any(alive(pid) for pid in pids))


def test_sigterm_drains_both_planes_ctrl_c_waits_for_nothing_and_bindings_survive_the_restart(
    tmp_path: Path, tiny_artifact: Path
) -> None:
    with Up(tmp_path / "data", tiny_artifact, drain_s=600) as first:
        token = first.token
        assert first.cli("slots", "bind", "labubu", "-c", "brand", "--item", "i003").returncode == 0
        pids = first.pids
        first.process.send_signal(signal.SIGTERM)
        for plane in ("data", "admin"):
            probe = f"{first.record[plane]}/readyz"
            wait_for(lambda: httpx.get(probe).json() == {"status": "draining"})  # noqa: B023
        assert first.retrieve("labubu")["items"][0]["id"] == "i003"
        assert "labubu" in first.cli("slots", "list").stdout
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(HANG_S) == 0
    assert not any(alive(pid) for pid in pids)
    assert not (tmp_path / "data" / "up.json").exists()
    assert f"data plane     {first.record['data']}" in first.output
    assert "Traceback" not in first.errors
    with Up(tmp_path / "data", tiny_artifact, drain_s=600) as second:
        assert second.token == token
        assert second.retrieve("labubu")["items"][0]["id"] == "i003"
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait(HANG_S) == 0
    assert not any(alive(pid) for pid in second.pids)
    assert "interrupted" not in second.errors
