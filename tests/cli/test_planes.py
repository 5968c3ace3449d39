"""Several data planes behind one port: real processes, a real store, one socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from slotbeam.api.admin import create_admin_app
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from support.clients import client_of
from support.processes import CLI, HANG_S, alive, environment, wait_for, written

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
BODY = {"query": "red mug", "k": 5}
TOKEN = "t" * 32


class Planes:
    """`slotbeam serve` of two processes on a free port. A context manager; leaving it kills what is left."""

    def __init__(self, url: str, **settings: object) -> None:
        # Not below the tests' own folder: the path of a unix socket has 107 bytes at most.
        self.sockets = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))
        given = {"processes": 2, "port": 0, "redis_url": url, "replica_id": "both", **settings}
        self.environment = environment(**given) | {"TMPDIR": str(self.sockets)}

    def __enter__(self) -> Planes:
        self._log = tempfile.TemporaryFile("a+")  # no pipe: a plane whose log nobody reads would stop
        self.process = subprocess.Popen(
            [*CLI, "serve"], env=self.environment, stdin=subprocess.DEVNULL, stderr=self._log
        )
        try:
            self.url = wait_for(self._address)
            wait_for(lambda: len(self.said("takes connections")) == 2)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()
        shutil.rmtree(self.sockets)

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in written(self._log).split("\n")[:-1]]

    def said(self, event: str) -> list[dict[str, object]]:
        return [line for line in self.events() if line["event"] == event]

    def _address(self) -> str | None:
        assert self.process.poll() is None, self.events()
        return next((str(line["url"]) for line in self.said("listening") if line["process"] == "serve"), None)

    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    @property
    def directory(self) -> Path:
        """Where the processes reach each other."""
        [directory] = self.sockets.glob("slotbeam-*")
        return directory

    def client(self, number: str) -> httpx.Client:
        """Of one of the processes, on its own socket."""
        transport = httpx.HTTPTransport(uds=str(self.directory / number))
        return httpx.Client(transport=transport, base_url="http://plane", timeout=HANG_S)

    def own(self, number: str, path: str) -> httpx.Response:
        """Ask one of the processes on its own socket."""
        with self.client(number) as client:
            return client.get(path)

    def held(self) -> int:
        """Return how many connections the processes say they have."""
        table = memoryview((self.directory / "connections").read_bytes()).cast("i")
        return sum(count - 1 for count in table if count)

    def metrics(self) -> Samples:
        return samples(httpx.get(f"{self.url}/metrics", timeout=HANG_S).text)


def samples(exposition: str) -> Samples:
    families = text_string_to_metric_families(exposition)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


OK = ("slotbeam_retrieve_requests_total", (("outcome", "ok"),))
RESTARTS = ("slotbeam_restarts_total", (("part", "serve"),))
FALLS = ("_total", "_count", "_sum", "_bucket")


@pytest.fixture(scope="module")
def planes(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Iterator[tuple[Planes, EmbeddedStore]]:
    folder = tmp_path_factory.mktemp("planes")
    (folder / "artifact").symlink_to(tiny_artifact)
    settings = {"artifact": folder / "artifact", "data_dir": folder / "data", "drain_s": HANG_S}
    with EmbeddedStore(folder / "store") as store, Planes(store.url, **settings) as running:
        yield running, store


def test_both_processes_answer_and_the_port_counts_for_both(planes: tuple[Planes, EmbeddedStore]) -> None:
    running, _ = planes
    before, asked = running.metrics()[OK], 0

    numbers = processes(running.metrics())
    assert len(numbers) == 2

    def counted() -> list[float]:
        return [samples(running.own(number, "/metrics").text)[OK] for number in numbers]

    with contextlib.ExitStack() as kept:

        def both() -> bool:
            nonlocal asked
            # One more connection that stays open: the process that has more of them leaves the next one to the other.
            client = kept.enter_context(httpx.Client(timeout=HANG_S))
            assert client.post(f"{running.url}/retrieve", json=BODY).status_code == 200
            asked += 1
            return all(counted())

        wait_for(both)
    whole = running.metrics()
    assert whole[OK] - before == asked
    assert whole[OK] == sum(counted())
    assert {dict(labels)["process"] for name, labels in whole if name == "process_resident_memory_bytes"} == numbers
    assert whole[RESTARTS] == 0
    ready = [running.own(number, "/readyz") for number in numbers]
    assert [one.status_code for one in ready] == [200, 200]


def test_a_connection_of_its_own_socket_is_no_load_of_a_process(planes: tuple[Planes, EmbeddedStore]) -> None:
    running, _ = planes

    def holds(connections: int) -> bool:
        return running.held() == connections

    with contextlib.ExitStack() as kept:
        for number in processes(running.metrics()):
            assert kept.enter_context(running.client(number)).get("/livez").status_code == 200
        for asked in (1, 2, 3):
            client = kept.enter_context(httpx.Client(timeout=HANG_S))
            assert client.post(f"{running.url}/retrieve", json=BODY).status_code == 200
            wait_for(partial(holds, asked))
    wait_for(partial(holds, 0))


async def test_each_process_is_a_replica_that_an_edit_waits_for_with_a_file_of_its_own(
    planes: tuple[Planes, EmbeddedStore], tiny_artifact: Path, tmp_path: Path
) -> None:
    running, store = planes
    artifact = Artifact.load(tiny_artifact)
    settings = Settings(data_dir=tmp_path, redis_url=store.url, admin_token=SecretStr(TOKEN), replica_id="control")
    async with client_of(create_admin_app(settings, artifact)) as admin, asyncio.timeout(HANG_S):
        admin.headers["authorization"] = f"Bearer {TOKEN}"
        while (await admin.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.01)
        body = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i003"]}}
        made = await admin.post("/admin/slots?wait=all&timeout=30s", json=body)
        assert made.status_code == 201, made.text
        spread = made.json()["propagation"]
        assert {one["id"] for one in spread["replicas"]} == {"control", "both-1", "both-2"}
        assert (spread["expected"], spread["applied"]) == (3, 3)
    kept = Path(running.environment["SLOTBEAM_DATA_DIR"]) / "last-good"
    sha = artifact.codebook_sha[:12]
    assert {f"data-{sha}", f"data-2-{sha}"} <= {file.name for file in kept.iterdir()}
    for _ in range(8):
        answer = httpx.post(f"{running.url}/retrieve", json={"query": "labubu", "k": 1}, timeout=HANG_S).json()
        assert answer["items"][0]["id"] == "i003"


def fallen(before: Samples, now: Samples) -> list[object]:
    """Series of counters and histograms that are less than before, or gone."""
    return [series for series, value in before.items() if series[0].endswith(FALLS) and now.get(series, -1) < value]


def processes(of: Samples) -> set[str]:
    return {dict(labels)["process"] for name, labels in of if name == "slotbeam_bindings_applied_revision"}


def test_one_that_is_killed_is_replaced_and_no_counter_falls(planes: tuple[Planes, EmbeddedStore]) -> None:
    running, _ = planes
    before = running.metrics()
    restarts, numbers = before[RESTARTS], processes(before)
    first, second = running.children()
    os.kill(first, signal.SIGKILL)

    def whole_again() -> bool:
        nonlocal before
        with contextlib.suppress(httpx.TransportError):  # of a connection that the dead one had taken
            now = running.metrics()
            assert fallen(before, now) == []
            before = now
        return processes(before) == numbers and before[RESTARTS] == restarts + 1

    wait_for(whole_again)
    again = running.children()
    assert len(again) == 2
    assert again[0] == second
    [said] = [line for line in running.events() if line.get("status") == -signal.SIGKILL]
    assert (said["level"], str(said["part"])[:-1], said["process"]) == ("error", "serve-", "serve")


def test_sighup_replaces_each_in_turn_and_nobody_by_one_that_does_not_start(
    planes: tuple[Planes, EmbeddedStore], tiny_artifact: Path, tmp_path: Path
) -> None:
    running, _ = planes
    link, old = Path(running.environment["SLOTBEAM_ARTIFACT"]), running.children()
    before, numbers = running.metrics(), processes(running.metrics())

    def leads_to(artifact: Path) -> None:
        link.with_name("next").symlink_to(artifact)
        link.with_name("next").rename(link)
        running.process.send_signal(signal.SIGHUP)

    leads_to(tmp_path)
    [line] = wait_for(lambda: running.said("not replaced; what serves goes on"))
    assert "ended with status 1 before it was ready" in str(line["why"])
    assert running.children() == old
    leads_to(tiny_artifact)
    with httpx.Client(timeout=HANG_S) as client:

        def replaced() -> bool:
            assert client.post(f"{running.url}/retrieve", json=BODY).status_code == 200
            return bool(running.said("replaced"))

        wait_for(replaced)
    assert set(running.children()).isdisjoint(old)
    now = running.metrics()
    assert fallen(before, now) == []
    assert now[OK] > before[OK]
    assert now[RESTARTS] == before[RESTARTS], "nothing ended by itself"
    assert processes(now) != numbers, "both have names of their own while they live side by side"
    assert len(processes(now)) == 2


async def test_sigterm_under_load_refuses_and_loses_nothing(
    server: EmbeddedStore, tiny_artifact: Path, tmp_path: Path
) -> None:
    answers: list[int] = []
    stopped = asyncio.Event()

    async def ask(url: str) -> None:
        async with httpx.AsyncClient(timeout=HANG_S, trust_env=False) as client:
            while not stopped.is_set():
                answers.append((await client.post(f"{url}/retrieve", json=BODY)).status_code)

    async def more(count: int) -> None:
        goal = len(answers) + count
        while len(answers) < goal:
            await asyncio.sleep(0.005)

    with Planes(server.url, artifact=tiny_artifact, data_dir=tmp_path, drain_s=600) as running:
        async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(ask(running.url))
            await more(20)
            children = running.children()
            running.process.send_signal(signal.SIGTERM)
            while len(running.said("draining")) < 2:
                await asyncio.sleep(0.005)
            await more(20)
            stopped.set()
        assert httpx.get(f"{running.url}/readyz").json() == {"status": "draining"}
        assert httpx.get(f"{running.url}/metrics").status_code == 200
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(HANG_S) == 0
        assert not any(alive(pid) for pid in children)
        assert list(running.sockets.iterdir()) == []
    assert set(answers) == {200}


def test_kill_9_of_the_parent_leaves_no_process_behind(
    server: EmbeddedStore, tiny_artifact: Path, tmp_path: Path
) -> None:
    with Planes(server.url, artifact=tiny_artifact, data_dir=tmp_path) as running:
        children = running.children()
        running.process.kill()
        wait_for(lambda: not any(alive(pid) for pid in children))


def test_one_that_cannot_start_says_why_and_so_does_the_parent(tmp_path: Path) -> None:
    variables = environment(
        processes=2, port=0, redis_url=f"unix://{tmp_path}/none", artifact=tmp_path / "none", data_dir=tmp_path
    )
    done = subprocess.run([*CLI, "serve"], env=variables, capture_output=True, text=True, timeout=HANG_S)
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert str(tmp_path / "none") in said[0]
    assert "ended with status 1 before it was ready; its message is above" in said[-1]
