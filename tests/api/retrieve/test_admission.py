"""What nobody waits for is never begun; who waits is served."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from slotbeam.api.retrieve.admission import NEWEST_FIRST_S, Admission, ClientGone, Job
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.errors import Overloaded, QueueTimeout
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import Answer
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from support.wire import HANG_S, Served, served


class Pool:
    """One worker that is busy until `free` is set, and the names of the jobs that ran since, in order."""

    def __init__(self, queue: int = 8, queue_s: float = HANG_S, newest_first_s: float = NEWEST_FIRST_S) -> None:
        self.admission = Admission(1, queue, queue_s, newest_first_s)
        self.free, self.ran = threading.Event(), list[str]()
        self.left = asyncio.Event()

    def job(self, name: str) -> Job[str]:
        def run(waited_s: float) -> str:
            assert waited_s >= 0
            self.ran.append(name)
            return name

        return run

    async def leave(self) -> None:
        await self.left.wait()

    def ask(self, *names: str, waits: bool = True) -> asyncio.Task[list[str]]:
        """Ask for jobs; with `waits` as a client that is gone once `left` is set."""
        jobs = [self.job(name) for name in names]
        return asyncio.create_task(self.admission.run(jobs, self.leave if waits else None))

    async def occupy(self) -> asyncio.Task[list[bool]]:
        """Keep the worker busy."""
        begun = threading.Event()

        def hold(_: float) -> bool:
            begun.set()
            return self.free.wait(HANG_S)

        task = asyncio.create_task(self.admission.run([hold]))
        await asyncio.to_thread(begun.wait, HANG_S)
        return task

    async def depth(self, wanted: int) -> None:
        async with asyncio.timeout(HANG_S):
            while self.admission.depth != wanted:
                await asyncio.sleep(0)


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Pool]]:
    made: list[Pool] = []

    def pool(**options: Any) -> Pool:
        made.append(Pool(**options))
        return made[-1]

    yield pool
    for one in made:
        one.free.set()
        one.admission.close()


async def test_who_came_first_is_served_first(make: Callable[..., Pool]) -> None:
    pool = make()
    await pool.occupy()
    asked = [pool.ask("a"), pool.ask("b", "c"), pool.ask("d")]
    await pool.depth(5)
    pool.free.set()
    assert await asyncio.gather(*asked) == [["a"], ["b", "c"], ["d"]]
    assert pool.ran == ["a", "b", "c", "d"]
    await pool.depth(0)


async def test_a_request_whose_client_left_is_dropped_and_makes_room_at_once(make: Callable[..., Pool]) -> None:
    pool = make(queue=2)
    await pool.occupy()
    gone = pool.ask("a", "b")
    await pool.depth(3)
    with pytest.raises(Overloaded):
        await pool.ask("c")
    pool.left.set()
    with pytest.raises(ClientGone):
        await gone
    assert pool.admission.depth == 1
    stays = pool.ask("d", waits=False)
    await pool.depth(2)
    pool.free.set()
    assert await stays == ["d"]
    assert pool.ran == ["d"]


async def test_a_request_that_waited_too_long_is_dropped_and_told_when_to_come_back(make: Callable[..., Pool]) -> None:
    pool = make(queue_s=0.01)
    await pool.occupy()
    with pytest.raises(QueueTimeout, match="no worker was free for 10 ms; try again in 1 s") as late:
        await pool.ask("a", "b")
    assert late.value.details == {"retry_after_s": 1}
    pool.free.set()
    await pool.depth(0)
    assert pool.ran == []


async def test_a_batch_that_is_begun_is_never_late(make: Callable[..., Pool]) -> None:
    pool = make(queue_s=0.01)
    begun = threading.Event()

    def first(_: float) -> str:
        begun.set()
        pool.free.wait(HANG_S)
        return "first"

    batch = asyncio.create_task(pool.admission.run([first, pool.job("b"), pool.job("c")], pool.leave))
    await asyncio.to_thread(begun.wait, HANG_S)
    with pytest.raises(QueueTimeout):
        await pool.ask("d")  # came later, so the batch has waited longer
    pool.free.set()
    assert await batch == ["first", "b", "c"]


async def test_a_batch_that_is_begun_ends_before_another_request_begins(make: Callable[..., Pool]) -> None:
    pool = make(newest_first_s=HANG_S)
    begun, batch_free = threading.Event(), threading.Event()

    def first(_: float) -> str:
        begun.set()
        batch_free.wait(HANG_S)
        return "first"

    batch = asyncio.create_task(pool.admission.run([first, pool.job("b"), pool.job("c")]))
    await asyncio.to_thread(begun.wait, HANG_S)
    gone = pool.ask("gone")
    await pool.depth(4)
    pool.left.set()
    with pytest.raises(ClientGone):
        await gone
    newer = pool.ask("newer", waits=False)
    await pool.depth(4)
    batch_free.set()
    assert (await batch, await newer) == (["first", "b", "c"], ["newer"])
    assert pool.ran == ["b", "c", "newer"]


async def test_what_a_batch_has_left_is_dropped_when_its_client_leaves(make: Callable[..., Pool]) -> None:
    pool = make()
    begun = threading.Event()

    def first(_: float) -> str:
        begun.set()
        pool.free.wait(HANG_S)
        return "first"

    batch = asyncio.create_task(pool.admission.run([first, pool.job("b"), pool.job("c")], pool.leave))
    await asyncio.to_thread(begun.wait, HANG_S)
    pool.left.set()
    with pytest.raises(ClientGone):
        await batch
    assert pool.admission.depth == 1
    pool.free.set()
    await pool.depth(0)
    assert pool.ran == []


async def test_the_newest_is_served_first_while_clients_leave(make: Callable[..., Pool]) -> None:
    """In a queue that is longer than its clients' patience the oldest are the next to leave."""
    pool = make(newest_first_s=HANG_S)
    await pool.occupy()
    gone = pool.ask("gone")
    await pool.depth(2)
    asked = []
    for number in range(3):
        asked.append(pool.ask(str(number), waits=False))
        await pool.depth(3 + number)
    pool.left.set()
    with pytest.raises(ClientGone):
        await gone
    pool.free.set()
    await asyncio.gather(*asked)
    assert pool.ran == ["2", "1", "0"]


async def test_a_job_that_runs_is_answered_whether_its_client_left_or_not(make: Callable[..., Pool]) -> None:
    pool = make(queue_s=0.01)
    holding = await pool.occupy()
    with pytest.raises(QueueTimeout):
        await pool.ask("late")
    pool.free.set()
    assert await holding == [True]


async def test_nothing_asks_after_the_client_of_a_request_that_need_not_wait(make: Callable[..., Pool]) -> None:
    pool = make()

    async def never() -> None:
        raise AssertionError("asked")

    assert await pool.admission.run([pool.job("a")], never) == ["a"]


async def test_an_error_drops_the_rest_of_its_batch_alone(make: Callable[..., Pool]) -> None:
    pool = make()
    await pool.occupy()

    def fails(_: float) -> str:
        raise ValueError("no")

    batch = asyncio.create_task(pool.admission.run([fails, *(pool.job(name) for name in "abc")]))
    await pool.depth(5)
    other = pool.ask("d")
    await pool.depth(6)
    pool.free.set()
    with pytest.raises(ValueError, match="no"):
        await batch
    assert await other == ["d"]
    await pool.depth(0)


# ---------------------------------------------------------------- behind real connections

QUERY = b'{"query": "mug", "k": 1}'
BATCH = b'{"queries": [%s]}' % b", ".join([QUERY] * 3)


def post(path: bytes, body: bytes) -> bytes:
    head = b"POST %s HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (path, len(body)) + body


async def counted(server: Served, outcome: str, wanted: int) -> None:
    """Wait until that many requests had this outcome."""
    async with asyncio.timeout(HANG_S):
        while True:
            text = (await server.ask(b"GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n")).body.decode()
            [found] = re.findall(rf'^slotbeam_retrieve_requests_total{{outcome="{outcome}"}} (\S+)', text, re.MULTILINE)
            if float(found) >= wanted:
                assert float(found) == wanted
                return


class Decoder:
    """`retrieve` that waits until `free` is set; counts the queries."""

    def __init__(self) -> None:
        self.free, self.begun, self.count = threading.Event(), threading.Event(), 0

    def search(self, *asked: Any) -> Answer:
        self.count += 1
        self.begun.set()
        self.free.wait(HANG_S)
        return retrieve(*asked)


async def test_of_sixty_requests_whose_clients_leave_only_those_that_ran_are_decoded(
    bound_shop: Snapshot, tmp_path: Path
) -> None:
    decoder, settings = Decoder(), Settings(data_dir=tmp_path, workers=1, queue_ms=60_000, queue=100)
    app = create_data_app(settings, holder=Holder(bound_shop), search=decoder.search)
    async with served(app) as server:
        patient = await server.connect()
        await patient.send(post(b"/retrieve", QUERY))
        await asyncio.to_thread(decoder.begun.wait, HANG_S)
        leaving = [await server.connect() for _ in range(60)]
        for number, wire in enumerate(leaving):
            await wire.send(post(b"/retrieve:batch", BATCH) if number % 30 == 0 else post(b"/retrieve", QUERY))
        async with asyncio.timeout(HANG_S):
            while app.state.plane.admission.depth < 1 + 58 + 2 * 3:
                await asyncio.sleep(0)
        for wire in leaving:
            wire.writer.transport.abort()
        await counted(server, "gone", 60)
        assert app.state.plane.admission.depth == 1
        decoder.free.set()
        assert (await patient.reply()).status == 200
        assert decoder.count == 1


async def test_a_request_that_waited_too_long_is_a_503_that_says_when_to_come_back(
    bound_shop: Snapshot, tmp_path: Path
) -> None:
    decoder, settings = Decoder(), Settings(data_dir=tmp_path, workers=1, queue_ms=1)
    app = create_data_app(settings, holder=Holder(bound_shop), search=decoder.search)
    async with served(app) as server:
        patient = await server.connect()
        await patient.send(post(b"/retrieve", QUERY))
        await asyncio.to_thread(decoder.begun.wait, HANG_S)
        for path, body in ((b"/retrieve", QUERY), (b"/retrieve:batch", BATCH)):
            late = await server.ask(post(path, body))
            assert (late.status, late.problem) == (503, "queue-timeout")
            assert int(late.headers["retry-after"]) >= 1
        await counted(server, "late", 2)
        decoder.free.set()
        assert (await patient.reply()).status == 200
        assert decoder.count == 1
