"""deploy/upgrade.py replaces what runs, its model and its index, and a shopper notices nothing: real processes."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from slotbeam.catalog.loaders import CatalogReader
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.indexing.build import build_index
from support.processes import CLI, HANG_S, environment, wait_for
from support.sharing import Once
from support.tiny import write_tiny_artifact

SCRIPT = Path(__file__).parent.parent.parent / "deploy" / "upgrade.py"
TOKEN = "t" * 32
DATA = ("serve-1", "serve-2")


def taken_port(stack: ExitStack) -> int:
    """A port that nobody else is given, and that who reuses addresses may listen on: it is bound to, no more."""
    held = stack.enter_context(socket.socket())
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return int(held.getsockname()[1])


class Fleet:
    """Two data planes and a control plane on one store, each begun again when it ends, as systemd would."""

    def __init__(self, directory: Path, artifact: Path, store: EmbeddedStore, stack: ExitStack) -> None:
        self.directory, self.urls = directory, dict[str, str]()
        (directory / "indexes").mkdir()
        self.environment = environment(
            redis_url=store.url, admin_token=TOKEN, drain_s=600, index_dir=directory / "indexes", log_level="error"
        )
        for name in ("admin", *DATA):
            port, command = taken_port(stack), name.partition("-")[0]
            self.urls[name] = f"http://127.0.0.1:{port}"
            self.leads_to(name, artifact)
            os.mkfifo(directory / f"{name}.rid")
            own = {"artifact": directory / name, "data_dir": directory / f"{name}.data", "replica_id": name}
            variables = {**self.environment, f"SLOTBEAM_{'ADMIN_' if name == 'admin' else ''}PORT": str(port)}
            variables |= {f"SLOTBEAM_{key.upper()}": str(value) for key, value in own.items()}
            log = stack.enter_context((directory / f"{name}.log").open("wb"))
            loop = f"while :; do {' '.join(CLI)} {command} & echo $! >{name}.pid; wait $!; sleep 0.1; done"
            unit = subprocess.Popen(
                ["sh", "-c", loop], env=variables, cwd=directory, stderr=log, start_new_session=True
            )
            stack.callback(self._end, unit)

    @staticmethod
    def _end(unit: subprocess.Popen[bytes]) -> None:
        os.killpg(unit.pid, signal.SIGKILL)
        unit.wait()

    def leads_to(self, name: str, artifact: Path) -> None:
        """Let one of them begin with `artifact` the next time."""
        link = self.directory / f"{name}.next"
        link.symlink_to(artifact)
        link.rename(self.directory / name)

    def upgrade(self, what: str, *arguments: str, control: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the script, as somebody would on a machine without slotbeam."""
        given = [f"--replica={name}={self.urls[name]}" for name in DATA]
        given += [f"--control=admin={self.urls['admin']}"] if control else [f"--replica=admin={self.urls['admin']}"]
        return subprocess.run(
            [sys.executable, "-I", "-S", str(SCRIPT), what, *given, *arguments],
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=HANG_S,
        )

    def admin(self, method: str, path: str, **request: Any) -> Any:
        headers = {"authorization": f"Bearer {TOKEN}"}
        answer = httpx.request(method, f"{self.urls['admin']}{path}", headers=headers, timeout=HANG_S, **request)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def pids(self) -> dict[str, str]:
        return {name: (self.directory / f"{name}.pid").read_text().strip() for name in self.urls}


class Shopper:
    """Asks those data planes in turn for a bound word whose `/readyz` says yes, as a balancer does.

    Attributes:
        models: of the answers → how many.
        failed: answers that were none.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet, self._stopped, self._lock = fleet, threading.Event(), threading.Lock()
        self._ready, self._running = dict.fromkeys(DATA, True), Counter[str]()
        self.models, self.failed = Counter[str](), list[str]()

    def watch(self) -> None:
        """Ask who is ready. Who is not, and answers nobody any more, may end: a command waits to be told."""
        while not self._stopped.wait(0.02):
            for name, url in self._fleet.urls.items():
                answers = ready(url)
                with self._lock:
                    self._ready[name] = answers
                    rid = not answers and not self._running[name]
                if rid:
                    with contextlib.suppress(OSError):  # nobody waits for it
                        os.close(os.open(self._fleet.directory / f"{name}.rid", os.O_WRONLY | os.O_NONBLOCK))

    def ask(self) -> None:
        with httpx.Client(timeout=HANG_S) as client:
            for number in itertools.count():
                if self._stopped.wait(0.005):
                    return
                with self._lock:
                    there = [name for name in DATA if self._ready[name]] or ["nobody"]
                    name = there[number % len(there)]
                    self._running[name] += 1
                try:
                    answer = client.post(f"{self._fleet.urls[name]}/retrieve", json={"query": "labubu", "k": 5})
                    assert answer.status_code == 200, answer.text
                    assert answer.json()["items"][0]["id"] == "i003", answer.text
                    self.models[answer.json()["model"]] += 1
                except (httpx.TransportError, AssertionError, KeyError) as error:
                    self.failed.append(f"{name}: {error!r}")
                finally:
                    with self._lock:
                        self._running[name] -= 1

    @contextmanager
    def asking(self) -> Iterator[Shopper]:
        threads = [threading.Thread(target=run) for run in (self.watch, self.ask, self.ask)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Iterator[Fleet]:
    """A running one with a bound word and an edited item."""
    directory = tmp_path_factory.mktemp("fleet")
    with EmbeddedStore(directory / "store") as store, ExitStack() as stack:
        fleet = Fleet(directory, tiny_artifact, store, stack)
        for url in fleet.urls.values():
            wait_for(partial(ready, url))
        body = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i003", "i004"]}}
        fleet.admin("POST", "/admin/slots?wait=all&timeout=60s", json=body)
        fleet.admin("PUT", "/admin/items/z1?wait=all&timeout=60s", json={"title": "zorblax plush"})
        yield fleet


KILL = "pid=$(cat {name}.pid); kill -TERM $pid; cat {name}.rid; kill -TERM $pid"
"""It drains until the shopper's balancer is rid of it, however long that takes here; then the drain is cut short."""


def test_every_process_is_replaced_and_no_request_fails(fleet: Fleet) -> None:
    old = fleet.pids()
    with Shopper(fleet).asking() as shopper:
        done = fleet.upgrade("service", f"--replace={KILL}", control=False)
        assert done.returncode == 0, done.stderr
    assert shopper.failed == []
    assert sum(shopper.models.values()) > 10
    assert all(old[name] != pid for name, pid in fleet.pids().items())
    lines = [line.partition(":")[0] for line in done.stdout.splitlines() if " serves, " in line]
    assert lines == [*DATA, "admin"]


def test_a_replica_that_does_not_come_back_stops_it_and_the_others_go_on(fleet: Fleet, tmp_path: Path) -> None:
    artifact = (fleet.directory / "serve-1").readlink()
    old = fleet.pids()
    with Shopper(fleet).asking() as shopper:
        fleet.leads_to("serve-1", tmp_path)
        stopped = fleet.upgrade("service", f"--replace={KILL}", "--timeout=2", control=False)
        again = fleet.upgrade("service", f"--replace={KILL}", control=False)
    assert (stopped.returncode, "stopped: serve-1 is not ready, 2 s after it was" in stopped.stderr) == (1, True)
    assert (again.returncode, "stopped: serve-1 not ready" in again.stderr) == (1, True)
    assert shopper.failed == []
    assert sum(shopper.models.values()) > 10
    fleet.leads_to("serve-1", artifact)
    wait_for(lambda: ready(fleet.urls["serve-1"]))
    failing = fleet.upgrade("service", "--replace=exit 3", control=False)
    assert (failing.returncode, "serve-1: the command ended with status 3" in failing.stderr) == (1, True)
    assert {name: pid for name, pid in fleet.pids().items() if name != "serve-1"} == {
        name: pid for name, pid in old.items() if name != "serve-1"
    }


def make_index(fleet: Fleet, model: Path, name: str, *further: bytes) -> None:
    catalog = fleet.directory / f"{name}.jsonl"
    catalog.write_bytes(b"\n".join([*model.with_name(f"{model.name}.jsonl").read_bytes().splitlines(), *further]))
    build_index(model, CatalogReader(catalog), fleet.directory / name, name=name)


def test_an_index_is_brought_activated_and_asked_and_one_that_loses_a_query_is_taken_back(
    fleet: Fleet, tiny_artifact: Path, tmp_path: Path
) -> None:
    make_index(fleet, tiny_artifact, "good", b'{"id": "q1", "title": "quuxly lamp"}')
    make_index(fleet, tiny_artifact, "bad")
    queries = tmp_path / "queries.txt"
    queries.write_text("mug\nlabubu\nquuxly\nzorblax\n")
    pull = "--pull=mkdir -p indexes; echo {name} >>pulled; test -d indexes/NAME || mv NAME indexes/"
    with Shopper(fleet).asking() as shopper:
        good = fleet.upgrade("index", "good", f"--queries={queries}", pull.replace("NAME", "good"))
        assert good.returncode == 0, good.stderr
        assert fleet.admin("GET", "/admin/indexes")["active"]["name"] == "good"
        bad = fleet.upgrade("index", "bad", f"--queries={queries}", pull.replace("NAME", "bad"))
        assert (bad.returncode, "of 4 queries have no items any more: quuxly; went back, 3 of 3" in bad.stderr) == (
            1,
            True,
        )
        none = fleet.upgrade("index", "none", f"--queries={queries}")
    assert (none.returncode, "activate of none is refused" in none.stderr) == (1, True)
    assert fleet.admin("GET", "/admin/indexes")["active"]["name"] == "good"
    assert (fleet.directory / "pulled").read_text().split() == ["admin", *DATA] * 2
    assert shopper.failed == []


def test_a_model_of_another_codebook_takes_over_with_every_binding_and_no_request_fails(
    fleet: Fleet, once: Once
) -> None:
    following = once("tiny-of-another-codebook", lambda place: write_tiny_artifact(place, name="next", reserved=12))
    link = f"ln -s {following} {{name}}.next && mv -T {{name}}.next {{name}} && {KILL}"
    carry = f"SLOTBEAM_ADMIN_TOKEN={TOKEN} {' '.join(CLI)} slots carry --url {{url}}"
    with Shopper(fleet).asking() as shopper:
        done = fleet.upgrade("model", f"--replace={link}", f"--carry={carry}", "--model=next")
        assert done.returncode == 0, done.stderr
        seen = dict(shopper.models)
        wait_for(lambda: sum(shopper.models.values()) > sum(seen.values()) + 10)
        wrong = fleet.upgrade("model", f"--replace={KILL}", "--carry=true", "--model=another")
    assert shopper.failed == []
    assert len(shopper.models) == 2
    for name in DATA:
        answer = httpx.post(f"{fleet.urls[name]}/retrieve", json={"query": "labubu", "k": 2}, timeout=HANG_S).json()
        assert ([item["id"] for item in answer["items"]], answer["model"]) == (["i003", "i004"], "next")
    assert (wrong.returncode, "admin serves the model next, not another" in wrong.stderr) == (1, True)
