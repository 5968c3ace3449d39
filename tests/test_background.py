"""What runs in the background ends for nobody unnoticed: logged, counted, begun again; and nothing runs otherwise."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.retrieve import following
from slotbeam.api.retrieve.metrics import Metrics
from slotbeam.background import SETTLED_S, Background, Ended, in_turns, rest
from slotbeam.bindings.replica.pace import Pace
from slotbeam.bindings.replica.replica import Replica
from slotbeam.bindings.replica.watch import Watcher
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.items.replica.follower import Follower
from slotbeam.items.replica.switching import Switching
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from slotbeam.suggestions.reporting import TrendReporter

SERVICE = Path(__file__).parent.parent / "service" / "slotbeam"
HANG_S = 30.0
STARTERS = {"create_task", "ensure_future", "run_coroutine_threadsafe", "Thread", "Timer", "Process", "BackgroundTask"}
AWAITED = {
    "api/retrieve/admission.py _wait": "whether the client left; ends with the request that waits for it",
    "cli/parent.py until": "a race of three that ends there, before anything is said to be up",
    "cli/parent.py gone": "gathered there",
    "cli/sharing.py _take": "the beginning of a connection, as asyncio's own server has it",
    "indexing/workers.py _started": "encodes what comes through its pipe, and ends with it",
    "bench/service.py bench_commits": "a client of the benchmark: joined, and a run without its sightings fails",
    "bench/switch.py __init__": "a client of the benchmark: joined, and what it asked is what is told",
}
"""Where something runs beside its caller and is no work of the background: it does not outlive the call."""


async def fails() -> None:
    raise ValueError("broken")


async def returns() -> None:
    return


async def meets_a_cancelled_future() -> None:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


async def ends() -> None:
    raise Ended("its process ended", status=3)


class Sleepless(Background):
    """Notes how long it would have waited, and does not."""

    def __init__(self, settled_s: float = SETTLED_S) -> None:
        super().__init__(settled_s, self.note)
        self.slept: list[float] = []

    async def note(self, seconds: float) -> None:
        self.slept.append(seconds)


def lives(*works: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Work that is one of `works` after the other, and at last cancels its task."""
    left = iter(works)

    async def work() -> None:
        one = next(left, None)
        if one is not None:
            return await one()
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return await asyncio.Event().wait() and None

    return work


@pytest.mark.parametrize(
    ("work", "why", "trace"),
    [
        (fails, "broken", True),
        (returns, "it returned", False),
        (meets_a_cancelled_future, "CancelledError", True),
        (ends, "its process ended", False),
    ],
)
async def test_whatever_ends_is_logged_counted_and_begun_again(
    work: Callable[[], Awaitable[None]], why: str, trace: bool
) -> None:
    kept = Sleepless()
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await kept.keep("thing", lives(work, work))
    assert kept.restarts == {"thing": 2}
    assert [(line["log_level"], line["part"], line["why"], bool(line["exc_info"])) for line in logs] == [
        ("error", "thing", why, trace)
    ] * 2
    assert [line.get("status") for line in logs] == [3 if work is ends else None] * 2


@pytest.mark.parametrize(("settled_s", "delays"), [(-1.0, [0.1] * 6), (HANG_S, [0.1, 0.2, 0.4, 0.8, 1.0, 1.0])])
async def test_what_does_not_live_long_is_begun_later_and_later_and_anything_else_soon(
    settled_s: float, delays: list[float]
) -> None:
    kept = Sleepless(settled_s)
    with pytest.raises(asyncio.CancelledError):
        await kept.keep("thing", lives(*[fails] * 6), last_delay_s=1.0)
    assert kept.slept == delays


async def test_what_is_to_be_done_once_is_tried_until_it_is() -> None:
    kept = Sleepless()
    await kept.keep("thing", lives(fails, fails, returns), once=True)
    assert kept.restarts == {"thing": 2}


async def test_what_is_done_in_turns_rests_as_long_as_its_steps_took_in_another_thread_too() -> None:
    slept: list[float] = []

    def work() -> None:
        while len(slept) < 2:
            rest()

    with in_turns(slept.append):
        await asyncio.to_thread(work)
    rest()  # not in turns
    assert len(slept) == 2
    assert all(0.002 <= seconds <= 0.02 for seconds in slept)


async def test_a_log_that_cannot_be_written_ends_nothing() -> None:
    kept = Sleepless()
    with (
        open("/dev/full", "wb", buffering=0) as full,
        io.TextIOWrapper(full, write_through=True) as words,
        contextlib.redirect_stdout(words),
    ):
        with pytest.raises(OSError, match="No space left"):
            structlog.get_logger().error("it is full")
        await kept.keep("thing", lives(fails, returns), once=True)
    assert kept.restarts == {"thing": 1}


async def test_stop_ends_what_was_started_and_waits_for_it() -> None:
    kept, begun, gone = Background(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    kept.start("thing", work)
    await begun.wait()
    await kept.stop()
    assert gone.is_set()
    assert kept.restarts == {"thing": 0}


def once_broken(monkeypatch: pytest.MonkeyPatch, owner: object, method: str) -> asyncio.Event:
    """Let `method` raise the first time; the event is set when it is called again."""
    calls: Iterator[int] = iter(range(1_000_000))
    again, real = asyncio.Event(), getattr(owner, method)

    async def broken(self: object, *arguments: object) -> object:
        if next(calls) == 0:
            raise RuntimeError("broken for once")
        again.set()
        return await real(self, *arguments)

    monkeypatch.setattr(owner, method, broken)
    return again


DATA = {
    "bindings": (Watcher, "run"),
    "bindings-follow": (Watcher, "_follow"),
    "bindings-clock": (Watcher, "_cross_boundaries"),
    "bindings-heartbeat": (Watcher, "_beat"),
    "items": (Follower, "run"),
    "items-follow": (Follower, "_follow"),
    "index": (Switching, "run"),
    "index-follow": (Switching, "_follow"),
    "bindings-ready": (Replica, "_wait"),
    "bindings-observe": (following, "observe"),
    "trends": (TrendReporter, "run"),
}
SHARED = (
    *("bindings", "bindings-follow", "bindings-clock", "bindings-heartbeat"),
    *("items", "items-follow", "index", "index-follow"),
)
CONTROL = {
    **{name: DATA[name] for name in SHARED},
    "begin": (Replica, "_begin"),
    "expiry": (AdminPlane, "_expire"),
    "items-feed": (AdminPlane, "_keep_feed"),
}


@pytest.fixture
def holder(tiny_artifact: Path) -> Holder:
    return Holder(Snapshot(Artifact.load(tiny_artifact)))


@pytest.mark.parametrize("name", DATA)
async def test_every_task_of_a_data_plane_is_begun_again_when_it_fails_and_is_counted(
    name: str, monkeypatch: pytest.MonkeyPatch, server: EmbeddedStore, holder: Holder, tmp_path: Path
) -> None:
    again = once_broken(monkeypatch, *DATA[name])
    settings = Settings(data_dir=tmp_path, redis_url=server.url, replica_id="kept")
    replica, metrics = following.data_replica(settings, holder, Pace()), Metrics(holder)
    assert replica is not None
    async with asyncio.timeout(HANG_S), following.following(replica, TrendReporter(), metrics):
        await again.wait()
        assert await replica.watcher.ready()
        assert replica.restarts() == {**dict.fromkeys(DATA, 0), name: 1}


@pytest.mark.parametrize("name", CONTROL)
async def test_every_task_of_a_control_plane_is_begun_again_when_it_fails_and_is_counted(
    name: str, monkeypatch: pytest.MonkeyPatch, server: EmbeddedStore, holder: Holder, tmp_path: Path
) -> None:
    again = once_broken(monkeypatch, *CONTROL[name])
    plane = AdminPlane(Settings(data_dir=tmp_path, redis_url=server.url, replica_id="kept"), holder)
    assert plane.restarts() == {}
    async with asyncio.timeout(HANG_S), plane.running():
        await again.wait()
        assert await plane.watcher.ready()
        assert plane.restarts() == {**dict.fromkeys(CONTROL, 0), name: 1}


def beside() -> Iterator[tuple[str, bool]]:
    """("module function", whether a `Background` keeps it) of everything that is started beside its caller."""

    def look(node: ast.AST, where: str) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            where = f"{module} {node.name}"
        if isinstance(node, ast.Call) and _name(node.func) in STARTERS:
            yield where, bool(node.args) and isinstance(node.args[0], ast.Call) and _name(node.args[0].func) == "keep"
        for child in ast.iter_child_nodes(node):
            yield from look(child, where)

    for path in sorted(SERVICE.rglob("*.py")):
        module = path.relative_to(SERVICE).as_posix()
        yield from look(ast.parse(path.read_text()), module)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def test_nothing_is_started_beside_its_caller_that_could_end_unnoticed() -> None:
    found = list(beside())
    loose = {where for where, kept in found if not kept and not where.startswith("background.py ")}
    assert loose == set(AWAITED), "keep it with slotbeam.background, or say above why it cannot end unnoticed"
    assert sum(kept for _, kept in found) >= 3
