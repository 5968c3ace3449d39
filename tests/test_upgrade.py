"""deploy/upgrade.py at its edges: what it cannot know it says, and what it has changed it takes back.

That it upgrades real processes is in tests/system/test_upgrade.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent / "deploy" / "upgrade.py"
CUT = -1
"""A status: the answer is cut."""

Answer = tuple[int, bytes]
METRICS = b"process_start_time_seconds 5.0\nslotbeam_bindings_applied_revision 3.0\nslotbeam_items_applied_seq 4.0\n"


@contextmanager
def plane(answer: Callable[[str], Answer]) -> Iterator[str]:
    """Serve what `answer` says of each path. Yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            status, content = answer(self.path)
            self.send_response(200 if status == CUT else status)
            self.send_header("content-length", str(len(content) + (status == CUT)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def upgrade(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-I", "-S", str(SCRIPT), *arguments], capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done


class Planes:
    """A control plane and a data plane at one address.

    Attributes:
        items: that a query brings, before and after each switch.
        activated: what the request to activate answers.
        done: verbs of the switches that were asked for.
    """

    def __init__(self, items: list[Answer], activated: Answer, back: Answer = (200, b"{}")) -> None:
        self.items, self.activated, self.back, self.done = items, activated, back, list[str]()

    def answer(self, path: str) -> Answer:
        if path == "/retrieve":
            return self.items[len(self.done)]
        self.done.append(path.partition("?")[0].rpartition(":")[2])
        return self.activated if self.done[-1] == "activate" else self.back

    def upgraded(self, queries: Path) -> subprocess.CompletedProcess[str]:
        with plane(self.answer) as url:
            return upgrade(
                "index", "shop-2", "--control", f"c={url}", "--replica", f"r={url}", "--queries", str(queries)
            )


def switched(**spread: Any) -> Answer:
    told = {"applied": 1, "expected": 1, "error": None, "replicas": [{"id": "r", "applied": True, "error": ""}]}
    return 200, json.dumps({"did": "switched", "propagation": told | spread}).encode()


FOUND, NONE = (200, b'{"items": [1]}'), (200, b'{"items": []}')


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    path = tmp_path / "queries.txt"
    path.write_text("\ufeffmug\n", encoding="utf-8")
    return path


def test_an_index_whose_answers_are_as_before_stays(queries: Path) -> None:
    planes = Planes([FOUND, FOUND], switched())
    done = planes.upgraded(queries)
    assert (done.returncode, planes.done) == (0, ["activate"]), done.stderr
    assert "shop-2: served by 1 replicas, 1 queries have their items" in done.stdout


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (NONE, "1 of 1 queries have no items any more: mug"),
        ((CUT, b'{"items'), "answers with nothing"),
        ((200, b"<html>"), "answers with 200: <html>"),
        ((503, b"busy"), "answers with 503: busy"),
    ],
)
def test_an_index_of_which_no_good_is_known_is_taken_back(after: Answer, why: str, queries: Path) -> None:
    planes = Planes([FOUND, after], switched(), switched())
    done = planes.upgraded(queries)
    assert (done.returncode, planes.done) == (1, ["activate", "rollback"])
    assert why in done.stderr
    assert "went back, 1 of 1 replicas have" in done.stderr


def test_a_way_back_that_fails_hides_not_why_it_was_taken(queries: Path) -> None:
    done = Planes([FOUND, NONE], switched(), (409, b"another one is active")).upgraded(queries)
    assert "queries have no items any more: mug; and it did not go back: rollback of shop-2 is refused" in done.stderr


def test_a_switch_that_nobody_answers_is_not_called_refused(queries: Path) -> None:
    done = Planes([FOUND], (CUT, b"{")).upgraded(queries)
    assert done.returncode == 1
    assert "activate of shop-2 got no answer" in done.stderr
    assert "it may have happened; look with slotbeam index list" in done.stderr


@pytest.mark.parametrize(
    ("content", "why"), [(None, "cannot be read"), (b"\xff", "cannot be read"), (b" \n\n", "holds no query")]
)
def test_without_queries_nothing_is_pulled_nor_activated(content: bytes | None, why: str, tmp_path: Path) -> None:
    path, touched = tmp_path / "queries.txt", tmp_path / "pulled"
    if content is not None:
        path.write_bytes(content)
    planes = ["--control", "c=http://127.0.0.1:1", "--replica", "r=http://127.0.0.1:1"]
    done = upgrade("index", "shop-2", *planes, "--queries", str(path), "--pull", f"touch {touched}")
    assert (done.returncode, touched.exists()) == (1, False)
    assert f"{path} {why}" in done.stderr


def replaced(answers: Callable[[str], Answer], command: str) -> subprocess.CompletedProcess[str]:
    with plane(answers) as url:
        return upgrade("service", f"--replica=shop={url}", "--replace", command, "--timeout", "0")


def test_a_command_may_hold_braces_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "said"
    command = f"HOST={{name}}; echo ${{HOST}} {{url}} | awk '{{print $1}}' > {file}"
    done = replaced(lambda path: (200, METRICS if path == "/metrics" else b"{}"), command)
    assert file.read_text() == "shop\n"
    assert "shop is the process of before, 0 s after it was to be replaced" in done.stderr


def test_a_replica_that_is_cut_off_while_it_answers_is_not_ready() -> None:
    done = replaced(lambda path: (CUT, METRICS) if path == "/metrics" else (200, b"{}"), "true")
    assert done.returncode == 1
    assert "shop not ready" in done.stderr


def test_a_replica_has_a_name() -> None:
    done = upgrade("service", "--replica==http://a", "--replace", "true")
    assert done.returncode == 2
    assert "is no replica; give NAME=http://HOST:PORT" in done.stderr
