"""How a server ends: it says so first, answers what still comes, and loses nothing."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path

import httpx
import orjson
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from slotbeam.api.http.problems import EVERY
from slotbeam.embedded.server import EmbeddedStore
from support.processes import CLI, HANG_S, environment, listening
from support.wire import Reply, Served, served


def app() -> FastAPI:
    made = FastAPI()
    made.add_api_route("/readyz", lambda: Response(b'{"status":"ready"}'), methods=["GET", "HEAD"])
    made.add_api_route("/hello", lambda: Response(b"hello"))
    return made


def get(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode()


@asynccontextmanager
async def told(drain_s: float, *signals: int) -> AsyncIterator[Served]:
    """Run a server that was sent signals."""
    async with served(app(), drain_s=drain_s) as server:
        assert (await server.ask(get("/readyz"))).status == 200
        for number in signals:
            server.server.handle_exit(number, None)
        server.server._captured_signals.clear()  # at its end it would send them to this process
        yield server


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_S):
        while not true():
            await asyncio.sleep(0.005)


async def ended(server: Served) -> None:
    """Wait until nobody listens."""
    async with asyncio.timeout(HANG_S):
        while True:
            try:
                await (await server.connect()).closed()
            except ConnectionRefusedError:
                return


async def test_a_server_that_drains_says_that_it_is_not_ready_and_answers_on_new_connections() -> None:
    async with told(HANG_S, signal.SIGTERM) as server:
        await until(lambda: server.server.ending.draining)
        said: Reply = await server.ask(get("/readyz"))
        assert (said.status, orjson.loads(said.body), said.headers["retry-after"]) == (503, {"status": "draining"}, "1")
        assert set(EVERY) <= {(name.encode(), value.encode()) for name, value in said.headers.items()}
        wire = await server.connect()
        await wire.send(get("/readyz", "HEAD"))
        assert b"503" in await wire.closed()
        answered = await server.ask(get("/hello"))
        assert (answered.status, answered.body) == (200, b"hello")


async def test_an_answer_of_a_server_that_drains_closes_its_connection() -> None:
    async with served(app(), drain_s=HANG_S) as server:
        wire = await server.connect()
        await wire.send(get("/hello"))
        assert "connection" not in (await wire.reply()).headers
        server.server.handle_exit(signal.SIGTERM, None)
        server.server._captured_signals.clear()
        await until(lambda: server.server.ending.draining)
        await wire.send(get("/hello"))
        assert (await wire.reply()).headers["connection"] == "close"
        assert await wire.closed() == b""


@pytest.mark.parametrize(
    ("drain_s", "signals"),
    [
        (0.01, [signal.SIGTERM]),
        (0.0, [signal.SIGTERM]),
        (1000.0, [signal.SIGINT]),
        (1000.0, [signal.SIGTERM, signal.SIGTERM]),
        (1000.0, [signal.SIGTERM, signal.SIGINT]),
        (1000.0, [signal.SIGINT, signal.SIGTERM]),
    ],
)
async def test_a_server_ends_after_its_drain_or_at_once_with_ctrl_c_or_a_second_signal(
    drain_s: float, signals: list[int]
) -> None:
    async with told(drain_s, *signals) as server:
        await ended(server)


# ---------------------------------------------------------------- a rolling update


class Balancer:
    """A client that asks `/readyz` of every replica and sends queries to those that are ready, in turn."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.ready: dict[str, bool] = {}
        self.running: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []

    async def watch(self) -> None:
        while True:
            for url in list(self.ready):
                try:
                    self.ready[url] = (await self.client.get(f"{url}/readyz")).status_code == 200
                except httpx.TransportError:
                    self.ready[url] = False
            await asyncio.sleep(0.01)

    async def call(self) -> None:
        for number in count():
            await asyncio.sleep(0.005)  # a load that leaves the machine room to start replicas
            urls = [url for url, ready in self.ready.items() if ready]
            if not urls:
                self.failures.append("no replica is ready")
                return
            await self.ask(urls[number % len(urls)])

    def is_rid_of(self, url: str) -> bool:
        """Whether nothing is sent there any more, and nothing that was is open."""
        return not self.ready[url] and not self.running[url]

    async def ask(self, url: str) -> None:
        self.running[url] += 1
        try:
            response = await self.client.post(f"{url}/retrieve", json={"query": "red mug", "k": 5})
            if response.status_code == 200:
                self.answers[url] += 1
            else:
                self.failures.append(f"{url}: {response.status_code} {response.text}")
        except httpx.TransportError as error:
            self.failures.append(f"{url}: {error!r}")
        finally:
            self.running[url] -= 1

    async def answered(self, wanted: int, url: str) -> None:
        """Wait for that many further answers of a replica."""
        goal = self.answers[url] + wanted
        await until(lambda: self.answers[url] >= goal or bool(self.failures))
        assert self.failures == []


class Replica:
    """`slotbeam serve` on a free port, whose drain is so long that only a second signal ends it."""

    def __init__(self, store: EmbeddedStore, artifact: Path, data_dir: Path) -> None:
        variables = environment(port=0, redis_url=store.url, artifact=artifact, data_dir=data_dir, drain_s=600)
        self.process = subprocess.Popen(
            [*CLI, "serve"], env=variables, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.url = ""

    async def address(self) -> str:
        self.url, _ = await asyncio.to_thread(listening, self.process)
        return self.url

    async def end(self) -> list[dict[str, object]]:
        """End it at once. Returns what it logged since it listened."""
        self.process.send_signal(signal.SIGTERM)
        _, said = await asyncio.to_thread(self.process.communicate, timeout=HANG_S)
        return [orjson.loads(line) for line in said.splitlines()]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()


async def test_two_replicas_restarted_in_turn_under_load_refuse_and_lose_nothing(
    server: EmbeddedStore, tiny_artifact: Path, tmp_path: Path
) -> None:
    started: list[Replica] = []

    def start() -> Replica:
        started.append(Replica(server, tiny_artifact, tmp_path / str(len(started))))
        return started[-1]

    tasks: list[asyncio.Task[None]] = []
    async with httpx.AsyncClient(verify=False, timeout=HANG_S, trust_env=False) as client:
        balancer = Balancer(client)
        try:
            tasks.append(asyncio.create_task(balancer.watch()))
            first = [start(), start()]
            for replica in first:
                balancer.ready[await replica.address()] = False
            await until(lambda: all(balancer.ready.values()))
            tasks += [asyncio.create_task(balancer.call()) for _ in range(2)]
            for old in first:
                await balancer.answered(5, old.url)
                old.process.send_signal(signal.SIGHUP)
                await balancer.answered(5, old.url)
                old.process.send_signal(signal.SIGTERM)
                await until(partial(balancer.is_rid_of, old.url))
                late = await client.post(f"{old.url}/retrieve", json={"query": "red mug", "k": 5})
                assert (late.status_code, late.headers["connection"]) == (200, "close")
                said = await old.end()
                [warned] = [str(line["event"]) for line in said if line["level"] == "warning"]
                assert "SIGHUP changes nothing: one process cannot replace itself; restart it, or" in warned
                del balancer.ready[old.url]
                new = start()
                balancer.ready[await new.address()] = False
                await balancer.answered(5, new.url)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for replica in started:
                replica.kill()
    assert balancer.failures == []
