"""`slotbeam up`: real processes, a real store, real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from slotbeam.bindings.store.store import Store
from slotbeam.embedded.address import store_url
from slotbeam.suggestions.reporting import TrendReporter
from slotbeam.suggestions.trends import BUCKET_S
from slotbeam_train.lexicon import read_absorbed
from support.posting import POSTS, Post
from support.processes import HANG_S, Up, alive, listening, wait_for


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("up") / "data", tiny_artifact) as running:
        yield running


def test_a_bound_word_is_live_in_every_replica_and_unbinding_restores_the_answer(up: Up) -> None:
    before = up.retrieve("labubu mug", k=20)
    bound = up.cli("slots", "bind", "Labubu", "--category", "brand", "--item", "i003", "--item", "i004")
    assert bound.returncode == 0, bound.stderr
    assert "labubu is bound to slot 1-4 (2 items, top)" in bound.stdout
    assert "live in 2 of 2 replicas" in bound.stdout
    during = up.retrieve("labubu mug", k=20)
    assert {item["id"] for item in during["items"][:2]} == {"i003", "i004"}
    assert during["bindings"]["revision"] == before["bindings"]["revision"] + 1
    assert "labubu" in up.cli("slots", "list").stdout
    freed = up.cli("slots", "unbind", "labubu", "--json")
    assert json.loads(freed.stdout)["propagation"]["applied"] == 2
    after = up.retrieve("labubu mug", k=20)
    assert after["items"] == before["items"]
    assert "(model" not in freed.stderr


def test_an_export_holds_every_binding_with_its_items_and_drafts_can_be_removed_by_their_word(
    up: Up, tmp_path: Path
) -> None:
    file = tmp_path / "bindings.json"
    bound = json.loads(
        up.cli("slots", "bind", "Labubu", "-c", "brand", "--item", "i004", "--item", "i003", "--json").stdout
    )
    draft = {"words": ["crocs"], "category": "brand", "items": {"ids": ["i005"]}, "draft": True}
    made = httpx.post(
        f"{up.record['admin']}/admin/slots", json=draft, headers={"authorization": f"Bearer {up.token}"}, timeout=HANG_S
    )
    assert made.status_code in (200, 201, 202), made.text
    try:
        done = up.cli("slots", "export", "--out", str(file))
        assert f"{file} holds 2 bindings, 3 items in all" in done.stdout, done.stderr
        labubu, crocs = json.loads(file.read_text())
        assert {name: labubu[name] for name in ("id", "words", "category", "items", "placement", "slot", "state")} == {
            "id": bound["id"],
            "words": ["labubu"],
            "category": "brand",
            "items": ["i003", "i004"],
            "placement": "top",
            "slot": bound["slot"],
            "state": "active",
        }
        assert (crocs["words"], crocs["slot"], crocs["state"]) == (["crocs"], None, "draft")
        found, skipped = read_absorbed(file)
        assert [one.word for one in found] == ["labubu"]
        assert len(skipped) == 1
    finally:
        assert up.cli("slots", "unbind", "labubu").returncode == 0
        assert "is removed" in up.cli("slots", "unbind", "crocs").stdout


def test_the_history_says_who_changed_what_and_the_list_who_and_since_when(up: Up) -> None:
    times = ("--starts", "2026-01-01", "--ends", "2031-01-01 00:00 Europe/Berlin")
    bound = up.cli("slots", "bind", "ugg", "uggs", "-c", "brand", "--item", "i003", "--item", "i004", *times, "--json")
    made = json.loads(bound.stdout)
    listed = up.cli("slots", "list", "--zone", "Europe/Berlin").stdout
    [row] = [line for line in listed.splitlines() if "ugg" in line]
    assert {"2026-01-01", "01:00", "2031-01-01", "00:00", "admin"} <= set(row.split())
    [shown] = json.loads(up.cli("slots", "list", "--q", "ugg", "--json").stdout)["slots"]
    assert (shown["changed_by"], shown["starts_at"]) == ("admin", "2026-01-01T00:00:00.000Z")
    assert up.cli("slots", "unbind", "ugg").returncode == 0
    newest, first = json.loads(up.cli("slots", "history", "--word", "uggs", "--json").stdout)
    assert (newest["op"], first["op"], first["actor"]) == ("unbind", "bind", "admin")
    assert (first["revision"], first["at"]) == (made["revision"], shown["changed_at"])
    assert newest["changes"][0]["items"]["first_removed"] == ["i003", "i004"]
    told = up.cli("slots", "history", "--slot", made["slot"], "--count", "1").stdout
    assert {"unbind", "admin", made["slot"], "ugg,", "uggs", "−2"} <= set(told.split())
    assert "1 revision shown" in told
    assert "0 revisions shown" in up.cli("slots", "history", "--word", "ugg", "--until", "2026-01-01").stdout
    refused = up.cli("slots", "history", "--since", "yesterday")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "since" in refused.stderr


def test_match_binds_every_item_whose_text_holds_the_word(up: Up) -> None:
    bound = json.loads(up.cli("slots", "bind", "acme", "-c", "brand", "--match", "--json").stdout)
    try:
        items = up.retrieve("acme", k=1000)["items"]
        assert bound["item_count"] == sum(item["source"] == "binding" for item in items) > 0
        assert all("acme" in item["title"] for item in items if item["source"] == "binding")
    finally:
        assert up.cli("slots", "unbind", bound["slot"]).returncode == 0


def test_a_bind_of_a_match_says_first_how_many_items_and_which_queries_it_takes(up: Up) -> None:
    preview = up.cli("slots", "preview", "blue", "-c", "color", "--match").stdout
    bound = up.cli("slots", "bind", "blue", "-c", "color", "--match")
    try:
        [items] = [line for line in preview.splitlines() if line.startswith("the text of ")]
        said = bound.stdout.splitlines()
        assert said[0] == items
        assert "queries sampled from the last day" in said[1] or "no query of the last day is known" in said[1]
        count = int(items.split()[3])
        assert count > 0
        assert said[2].startswith(f"blue is bound to slot 2-4 ({count} items")
    finally:
        assert up.cli("slots", "unbind", "blue").returncode == 0


def test_a_bind_under_another_category_says_what_it_warns_of(up: Up) -> None:
    words = [f"filler{number}" for number in range(4)]
    for word in words:
        assert "warning" not in up.cli("slots", "bind", word, "-c", "brand", "--item", "i003").stdout
    try:
        bound = up.cli("slots", "bind", "acme", "-c", "entity", "--item", "i003")
        words.append("acme")
        assert 'warning: "acme" has the category brand in the dictionary' in bound.stdout
    finally:
        for word in words:
            assert up.cli("slots", "unbind", word).returncode == 0


def test_a_preview_changes_nothing(up: Up) -> None:
    revision = up.retrieve("mug")["bindings"]["revision"]
    shown = up.cli("slots", "preview", "crocs", "-c", "brand", "--item", "i003", "--item", "nowhere")
    assert "would take slot 1-4 with" in shown.stdout
    assert "not in the catalog: nowhere" in shown.stdout
    assert up.retrieve("mug")["bindings"]["revision"] == revision


def test_a_refused_edit_is_one_line_and_a_status(up: Up) -> None:
    refused = up.cli("slots", "bind", "crocs", "-c", "fruit", "--item", "i003")
    assert refused.returncode == 1
    assert refused.stderr.startswith("slotbeam: ")
    assert "fruit" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert refused.stdout == ""


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
    line = wait_for(lambda: next((each for each in up.said()[0].splitlines() if "/docs" in each), None))
    pages = [word for word in line.split() if word.startswith("http")]
    assert pages == [f"{up.record['data']}/docs", f"{up.record['admin']}/docs"]
    assert [httpx.get(page, timeout=HANG_S, verify=False).status_code for page in pages] == [200, 200]


def test_a_wrong_token_is_refused(up: Up) -> None:
    response = httpx.get(f"{up.record['admin']}/admin/slots", headers={"Authorization": "Bearer wrong"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_the_token_is_for_its_owner_only(up: Up) -> None:
    assert stat.S_IMODE((up.data_dir / "admin.token").stat().st_mode) == 0o600


def test_query_prints_the_answer(up: Up) -> None:
    shown = up.cli("query", "red mug", "-k", "3")
    assert "entity=mug" in shown.stdout
    assert "model tiny, revision" in shown.stdout
    assert len(json.loads(up.cli("query", "red mug", "-k", "3", "--json").stdout)["items"]) == 3


async def report_burst(url: str, word: str) -> None:
    """Report a day of queries without `word`, then an hour with it, as a replica reports it."""
    store, now = Store(url), time.time()
    reporter = TrendReporter(lambda: now - hours * BUCKET_S)
    for hours in range(24, -1, -1):
        if hours == 0:
            reporter.note(f"=2+3 \x1b[31m{word}", [word])  # past the data plane, which drops control characters
        for number in range(20):
            reporter.note(f"red {word} {number}" if hours == 0 else "red mug", [word] if hours == 0 else [])
        if hours:
            reporter.drain()
    try:
        assert await reporter.report(store, "elsewhere")
    finally:
        await store.close()


def test_a_suggestion_is_listed_accepted_twice_and_dismissed_from_the_shell(up: Up) -> None:
    word = "拉布布"
    asyncio.run(report_burst(store_url(None, up.data_dir), word))
    listed = up.cli("suggestions", "list")
    assert listed.returncode == 0, listed.stderr
    assert word in listed.stdout
    assert "1 shown" in listed.stdout
    assert "=2+3" in listed.stdout
    assert "\x1b" not in listed.stdout
    made = up.cli("suggestions", "accept", word, "-c", "brand", "--item", "i003")
    assert f"{word} is a draft: brand, 1 item, b_" in made.stdout, made.stderr
    assert '{"draft": false}' in made.stdout
    try:
        again = json.loads(up.cli("suggestions", "accept", word, "--json").stdout)
        assert (again["state"], again["item_count"], again["replayed"]) == ("draft", 1, True)
    finally:
        assert up.cli("slots", "unbind", word).returncode == 0
    assert up.cli("suggestions", "dismiss", word).stdout == f"{word} is never suggested again\n"
    assert "0 shown" in up.cli("suggestions", "list").stdout


def test_doctor_finds_everything_well(up: Up) -> None:
    def well() -> dict[str, dict[str, str]] | None:
        done = up.cli("doctor", "--json")
        findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
        marks = {finding["mark"] for finding in findings.values()}
        return findings if done.returncode == 0 and marks == {"✓"} else None

    findings = wait_for(well)  # the last edit's file may still be on its way to the disk
    assert findings is not None
    assert "durable (appendfsync always)" in findings["durability"]["found"]
    assert "last known good" in findings


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
        (event["process"], event["level"], event["status"]) for event in up.events() if event.get("part") == "serve"
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
