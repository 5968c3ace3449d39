"""The trail of attempts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Scope

from slotbeam.access.audit import GENERATIONS, Attempt, Audit, Trail

KNOWN = Attempt(token="t_1", name="ci", scope="slots:read")


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_an_entry_says_who_tried_what_and_how_it_ended(tmp_path: Path) -> None:
    trail = Trail(tmp_path / "new")
    trail.add(KNOWN, 1_800_000_000.25, "GET", "/admin/slots", 200, "10.0.0.7")
    trail.add(Attempt(scope="slots:write", why="unknown"), 1_800_000_001, "POST", "/admin/slots", 401, None)
    [known] = entries(tmp_path / "new" / "audit.jsonl")
    assert known == {
        "at": "2027-01-15T08:00:00.250Z",
        "outcome": "accepted",
        "token": "t_1",
        "name": "ci",
        "scope": "slots:read",
        "why": None,
        "dry_run": None,
        "revision": None,
        "seq": None,
        "method": "GET",
        "path": "/admin/slots",
        "status": 200,
        "peer": "10.0.0.7",
    }
    [unknown] = entries(tmp_path / "new" / "audit-unknown.jsonl")
    assert (unknown["outcome"], unknown["why"], unknown["status"], unknown["token"]) == (
        "refused",
        "unknown",
        401,
        None,
    )
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()} == {0o600}


def test_whoever_has_no_token_pushes_nobody_out_who_has(tmp_path: Path) -> None:
    trail = Trail(tmp_path, limit_bytes=1000)
    trail.add(KNOWN, 0, "GET", "/admin/slots", 200, None)
    for number in range(200):
        trail.add(Attempt(why="unknown"), number, "GET", "/admin/slots", 401, None)
    assert len(entries(tmp_path / "audit.jsonl")) == 1
    kept = sorted(path.name for path in tmp_path.glob("audit-unknown*"))
    assert kept == ["audit-unknown.jsonl", *(f"audit-unknown.jsonl.{n}" for n in range(1, GENERATIONS))][-len(kept) :]
    assert len(kept) >= GENERATIONS - 1
    assert all(path.stat().st_size < 1300 for path in tmp_path.glob("audit-unknown*"))
    newest = [row for path in tmp_path.glob("audit-unknown*") for row in entries(path)]
    assert max(row["at"] for row in newest) == "1970-01-01T00:03:19.000Z"


def test_a_path_forges_no_line_and_no_terminal_code(tmp_path: Path) -> None:
    path = '/admin/slots/1-4"}\n{"outcome": "accepted\x1b[31m\u202e\ud800' + "x" * 10_000
    Trail(tmp_path).add(Attempt(), 0, "G\nET" * 100, path, 404, None)
    [line] = (tmp_path / "audit-unknown.jsonl").read_text(encoding="ascii").splitlines()
    assert line.isprintable()
    assert len(line) < 2500
    assert json.loads(line)["path"] == path[:200]


def test_a_disk_that_is_full_refuses_nobody_and_is_counted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    trail = Trail(tmp_path / "file" / "dir")
    trail.add(KNOWN, 0, "GET", "/admin/slots", 200, None)
    trail.add(Attempt(why="missing"), 0, "GET", "/admin/slots", 401, None)
    assert trail.failures == 2
    assert (trail.counts["accepted"], trail.counts["missing"]) == (1, 1)


def test_a_disk_that_takes_half_an_entry_leaves_whole_lines_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = Trail(tmp_path)
    trail.add(KNOWN, 0, "GET", "/admin/slots", 200, None)
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, line: real(descriptor, line[: len(line) // 2]))
        trail.add(KNOWN, 1, "GET", "/admin/slots", 200, None)
    trail.add(KNOWN, 2, "GET", "/admin/slots", 200, None)
    assert [row["at"][17:19] for row in entries(tmp_path / "audit.jsonl")] == ["00", "02"]
    assert trail.failures == 1


async def test_a_request_without_an_answer_is_noted_too(tmp_path: Path) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    audit = Audit(broken, Trail(tmp_path), clock=lambda: 0.0)
    for path in ("/admin", "/admin/slots", "/administer", "/livez"):
        scope: Scope = {"type": "http", "method": "GET", "path": path, "headers": []}
        with pytest.raises(RuntimeError):
            await audit(scope, receive, send)
    rows = entries(tmp_path / "audit-unknown.jsonl")
    assert [(row["path"], row["status"], row["outcome"]) for row in rows] == [
        ("/admin", 500, "failed"),
        ("/admin/slots", 500, "failed"),
    ]
