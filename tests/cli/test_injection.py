"""A running service is told every evil text in every place: no log, audit, export or screen holds one of them raw."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from slotbeam.bindings.store.store import Store
from slotbeam.embedded.address import store_url
from slotbeam.search.artifact import read_manifest
from slotbeam.types import Slot
from support.live import binds, make_binding, write
from support.processes import HANG_S, Up, wait_for

FORGED = '{"event": "forged", "outcome": "accepted", "level": "info"}'
EVIL = {
    "LF": f"labubu\n{FORGED}\n",
    "CRLF": f"labubu\r\n{FORGED}\r\n",
    "CR": f"labubu\r{FORGED}",
    "ANSI": "labubu\x1b[2J\x1b[1;31mforged",
    "C1": "labubu\x9b2Jforged",
    "title": "labubu\x1b]0;forged\x07",
    "override": "labubu\u202edegrof",
    "isolate": "labubu\u2066forged\u2069",
    "LS": f"labubu\u2028{FORGED}\u2029",
    "NEL": f"labubu\x85{FORGED}\x0b\x0c",
    "NUL": "labubu\0forged",
    "tag": "labubu\U000e0066",
}


def raw_requests(up: Up) -> list[bytes]:
    """Return requests as bytes: what an HTTP client would not send."""
    found = []
    for text in EVIL.values():
        evil = text.encode()
        for line in (b"GET /" + evil + b" HTTP/1.1", b"GET /admin/slots/" + quote(text).encode() + b" HTTP/1.1", evil):
            found.append(line + b"\r\nHost: t\r\n\r\n")
        for name in (b"X-Evil", b"User-Agent", b"Authorization", b"If-Match", b"Idempotency-Key", b"Content-Type"):
            found.append(b"POST /admin/slots HTTP/1.1\r\nHost: t\r\n" + name + b": " + evil + b"\r\n\r\n")
        found.append(b"GET /readyz HTTP/1.1\r\nHost: " + evil + b"\r\n\r\n")
        found.append(evil + b" /admin/slots HTTP/1.1\r\nHost: t\r\n\r\n")
    return found


def send_raw(url: str, data: bytes) -> None:
    place = urlsplit(url)
    with socket.create_connection((str(place.hostname), place.port), HANG_S) as wire:
        wire.sendall(data)
        wire.shutdown(socket.SHUT_WR)
        while wire.recv(65_536):
            pass


def tell(up: Up) -> list[str]:
    """Every evil text in every place that takes text over HTTP. Returns the answers."""
    data, control = str(up.record["data"]), str(up.record["admin"])
    said = []
    with httpx.Client(verify=False, timeout=HANG_S, headers={"authorization": f"Bearer {up.token}"}) as http:
        for text in EVIL.values():
            good = {"words": ["crocs"], "category": "brand", "items": {"ids": ["i003", text]}, "draft": True}
            changes: tuple[dict[str, Any], ...] = (
                {},
                {"words": [text]},
                {"owner": text},
                {"reason": text},
                {"category": text},
                {"slot": text},
            )
            more: tuple[dict[str, Any], ...] = (
                {"placement": text},
                {"ends_at": text},
                {text: 1},
                {"sample_queries": [text]},
            )
            requests: list[tuple[str, object]] = [("/admin/slots", {**good, **change}) for change in (*changes, *more)]
            requests += [("/admin/slots?dry_run=true", {**good, "words": [text], "sample_queries": [text]})]
            row = {"words": [text], "category": "brand", "items": [text, "i004"], "owner": text, "draft": True}
            requests += [("/admin/slots:import", [row]), ("/admin/slots:import", [{**row, "owner": ""}])]
            said += [http.post(control + path, json=body).text for path, body in requests]
            said.append(http.post(f"{control}/admin/suggestions/{quote(text, safe='')}:accept").text)
            said.append(http.get(f"{control}/admin/slots", params={"q": text, "state": text}).text)
            said.append(http.post(f"{control}/admin/slots?wait={quote(text)}", json=good).text)
            bodies = ({"query": text, "explain": True}, {"query": "mug", "filter": {text: text}}, {"query": [text]})
            for body in (*bodies, {"query": "mug", "user": {"recent_queries": [text], "recent_item_ids": [text]}}):
                said.append(http.post(f"{data}/retrieve", json=body).text)
            said.append(http.post(f"{data}/{quote(text)}").text)
            csv = f'words,category\n"{text}",brand\n'.encode()
            headers = {"content-type": "text/csv"}
            said.append(http.post(f"{control}/admin/slots:import", content=csv, headers=headers).text)
    for request in raw_requests(up):
        send_raw(data, request)
        send_raw(control, request)
    return said


async def poison(up: Up) -> None:
    """Bindings that no control plane would have made, written past it."""
    store = Store(store_url(None, up.data_dir))
    codebook = str(read_manifest(Path(up.environment["SLOTBEAM_ARTIFACT"]))["model"]["codebook_sha"])
    try:
        for number, text in enumerate(EVIL.values()):
            evil = make_binding(text[:60], category="brand", owner=text, reason=text)
            await write(store, codebook, binds(evil, Slot(1, 4 + number) if number < 2 else None))
    finally:
        await store.close()


def commands(up: Up, tmp_path: Path) -> Iterator[subprocess.CompletedProcess[str]]:
    """Yield what people read on a terminal."""
    for arguments in (["slots", "list"], ["slots", "list", "--json"], ["suggestions", "list"], ["doctor"]):
        yield up.cli(*arguments)
    file = tmp_path / "rows.json"
    rows = [{"words": [text], "category": text, "owner": text} for text in EVIL.values()]
    file.write_text(json.dumps(rows))
    yield up.cli("slots", "import", str(file))
    yield up.cli("slots", "export", "--csv", "--out", str(tmp_path / "bindings.csv"))
    sheet = (tmp_path / "bindings.csv").read_bytes().decode()
    assert all(line.isprintable() for line in sheet.split("\r\n"))
    for text in (text for name, text in EVIL.items() if name != "NUL"):
        for arguments in (
            ["query", text],
            ["slots", "unbind", text],
            ["tokens", "create", text, "--scope", "slots:read"],
            ["slots", "preview", text, "-c", text, "--item", text],
        ):
            yield up.cli(*arguments)


@pytest.mark.timeout(400)
def test_no_evil_text_reaches_a_log_the_audit_an_export_or_a_screen(tmp_path: Path, tiny_artifact: Path) -> None:
    with Up(tmp_path / "data", tiny_artifact, log_level="debug", admin_rate=0) as up:
        answers = tell(up)
        asyncio.run(poison(up))
        wait_for(lambda: any("labubu" in word for slot in slots(up) for word in slot.get("words", ())))
        screens = list(commands(up, tmp_path))
        up.process.send_signal(signal.SIGTERM)
        up.process.wait(HANG_S)
    problems = [json.loads(answer) for answer in answers if '"urn:slotbeam:problem:' in answer]
    assert len(problems) > 5 * len(EVIL)
    assert all(problem["detail"].isprintable() for problem in problems)
    for screen in screens:
        assert all(line.isprintable() for stream in (screen.stdout, screen.stderr) for line in stream.split("\n"))
        assert not any(line.startswith('{"event": "forged"') for line in (screen.stdout + screen.stderr).split("\n"))
    for line in (up.output + up.errors).split("\n"):
        assert line.isprintable()
    events = [json.loads(line) for line in up.errors.splitlines()]
    assert events
    assert all(event["event"] != "forged" and {"level", "timestamp"} <= set(event) for event in events)
    for name in ("audit.jsonl", "audit-unknown.jsonl"):
        lines = (up.data_dir / name).read_bytes().decode("ascii").removesuffix("\n").split("\n")
        assert len(lines) > len(EVIL)
        assert all(line.isprintable() and "path" in json.loads(line) for line in lines)


def slots(up: Up) -> list[dict[str, Any]]:
    return list(json.loads(up.cli("slots", "list", "--json").stdout)["slots"])
