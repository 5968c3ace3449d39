"""What commands print of an answer of the control plane: with --json that answer, else a sentence for each fact."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from slotbeam.cli import app
from slotbeam.cli.client import plane_url
from slotbeam.settings import Settings
from support.failing import no_room

RUN = CliRunner()
BINDING = {"id": "b_1", "slot": None, "state": "draft", "category": "brand", "words": ["labubu"], "item_count": 2}
MADE = {**BINDING, "etag": '"7"', "replayed": True}
PREVIEW = {
    "slot": "1-4",
    "items": {"count": 1, "missing_count": 1, "missing": ["i9"], "matched": None},
    "words": [
        {
            "word": "labubu",
            "overrides": [{"word": "labu", "slot": "1-2"}],
            "spellings": [{"text": "la-bubu", "seen": "queries"}, {"text": "labúbu", "seen": None}],
            "spelling_of": None,
            "characters": {"words": [{"text": "labubux", "found": False}], "titles": []},
        },
        {"word": "labúbu", "overrides": [], "spellings": [], "spelling_of": "labubu", "characters": None},
    ],
    "traffic": {"sampled": 0},
    "warnings": ["a warning"],
    "samples": [],
}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Path → document that a control plane answers with, whatever is asked of it there; commands find it."""
    told: dict[str, Any] = {}

    class Plane(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            body = json.dumps(told[self.path.partition("?")[0]]).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Plane) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("SLOTBEAM_ADMIN_TOKEN", "a" * 40)
        monkeypatch.setenv("SLOTBEAM_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("SLOTBEAM_ADMIN_PORT", str(server.server_port))
        yield told
        server.shutdown()
        thread.join()


def said(*arguments: str) -> str:
    done = RUN.invoke(app, arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


PREVIEWED = ("slots", "preview", "labubu", "--category", "brand", "--item", "i1")
ASKED: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (
    (("suggestions", "list"), "/admin/suggestions", {"suggestions": []}),
    (("suggestions", "accept", "labubu", "--item", "i1"), "/admin/suggestions/labubu:accept", MADE),
    (("suggestions", "dismiss", "labubu"), "/admin/suggestions/labubu:dismiss", {"word": "labubu", "new": False}),
    (PREVIEWED, "/admin/slots", PREVIEW),
)


@pytest.mark.parametrize(("command", "path", "answer"), ASKED, ids=[" ".join(command[:2]) for command, *_ in ASKED])
def test_with_json_a_command_prints_the_answer_as_it_came(
    answers: dict[str, Any], command: tuple[str, ...], path: str, answer: Any
) -> None:
    answers[path] = answer
    assert json.loads(said(*command, "--json")) == answer


def test_an_edit_done_before_is_said_to_be_and_a_draft_says_how_it_is_published(answers: dict[str, Any]) -> None:
    answers["/admin/suggestions/labubu:accept"] = MADE
    text = said("suggestions", "accept", "labubu", "--item", "i1")
    assert "labubu is already a draft: brand, 2 items, b_1" in text
    assert "publish it: slotbeam slots publish b_1" in text
    answers["/admin/suggestions/labubu:dismiss"] = {"word": "labubu", "new": False}
    assert "(it was dismissed before)" in said("suggestions", "dismiss", "labubu")


@pytest.mark.parametrize("how", [(), ("--csv",)])
def test_an_export_that_cannot_be_written_leaves_the_one_of_before(
    answers: dict[str, Any], tmp_path: Path, how: tuple[str, ...]
) -> None:
    answers |= {"/admin/slots.json": [], "/admin/slots.csv": [], "/admin/slots": {"slots": [], "next": None}}
    file = tmp_path / "bindings"
    file.write_text("of before")
    with no_room():
        done = RUN.invoke(app, ("slots", "export", "--out", str(file), *how))
    assert f"{file} cannot be written: File too large; give another --out" in str(done.exception)
    assert (file.read_text(), [path.name for path in tmp_path.glob("*bindings*")]) == ("of before", ["bindings"])


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::1", "http://[::1]:8000"),
        ("::", "http://[::1]:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("shop", "http://shop:8000"),
    ],
)
def test_commands_find_a_plane_at_the_address_that_it_listens_on(host: str, url: str, tmp_path: Path) -> None:
    assert plane_url(Settings(host=host, port=8000, data_dir=tmp_path), "data") == url


def test_a_preview_names_what_is_missing_what_it_overrides_and_what_it_warns_of(answers: dict[str, Any]) -> None:
    answers["/admin/slots"] = PREVIEW
    text = said(*PREVIEWED)
    assert "would take slot 1-4 with 1 item; nothing was changed" in text
    assert "not in the catalog: i9 (1 in all)" in text
    assert "labubu overrides the base word labu (slot 1-2)" in text
    assert "no query of the last day is known" in text
    assert "warning: a warning" in text


def test_an_export_names_the_bindings_that_it_leaves_out(answers: dict[str, Any], tmp_path: Path) -> None:
    answers["/admin/slots.json"] = [{"items": ["i1", "i2"]}]
    answers["/admin/slots"] = {
        "slots": [{"id": "b_1", "words": ["whole"]}, {"id": "b_2", "error": "its record cannot be read"}],
        "next": None,
    }
    text = said("slots", "export", "--out", str(tmp_path / "bindings.json"))
    assert "left out b_2: its record cannot be read" in text
    assert "b_1" not in text
    assert "holds 1 binding or rule, 2 items in all" in text
