"""`up` folds live items into the next index when there are many; what fails is told and tried again."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from slotbeam.cli.child import run_command
from slotbeam.cli.folding import LAST_S, LOOK_S, AutoFolding, may_fold
from slotbeam.errors import SlotbeamError
from slotbeam.search.artifact import read_manifest, save_manifest, sha_of, write_manifest
from slotbeam.settings import Settings


class Stopped(Exception):
    """The end of a test's loop."""


def mark(name: str, seq: int = 0, sha: str = "0") -> dict[str, Any]:
    return {"name": name, "sha": sha, "epoch": "e1" if seq else "", "seq": seq}


class Plane:
    """What the control plane says, as it is asked: a client that is a context manager, and a command that folds.

    Attributes:
        asked: every call, the folds among them.
        refuses: the status of the next activation.
        fails: whether the next fold does.
        late: replicas that do not serve what is activated yet.
    """

    def __init__(self, indexes: Path) -> None:
        self.indexes, self.asked = indexes, list[str]()
        self.delta, self.active, self.before = 0, mark("shop"), None
        self.refuses, self.fails, self.late, self.made = 0, False, list[str](), 0

    before: dict[str, Any] | None

    def __enter__(self) -> Plane:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def call(self, method: str, path: str, timeout: float) -> httpx.Response:
        self.asked.append(f"{method} {path.partition('?')[0]}")
        if method == "GET":
            return httpx.Response(200, json={"active": self.active, "before": self.before, "delta": self.delta})
        if self.refuses:
            raise SlotbeamError("no", status=self.refuses)
        name = path.removeprefix("/admin/indexes/").partition(":")[0]
        self.before, self.active = self.active, mark(name, self.made, sha_of(read_manifest(self.indexes / name)))
        self.delta = 0
        replicas = [{"id": one, "applied": one not in self.late} for one in ("serve-1", "serve-2")]
        body = {"active": self.active, "before": self.before, "propagation": {"expected": 2, "replicas": replicas}}
        return httpx.Response(202 if self.late else 200, json=body)

    async def run(self, arguments: list[str], environment: Mapping[str, str], niceness: int) -> tuple[int, str, str]:
        self.asked.append("fold")
        assert arguments == ["index", "--fold", "--json", "--at-least", "10"]
        assert (environment, niceness) == ({"SLOTBEAM_REDIS_URL": "unix:///s"}, 19)
        if self.fails:
            return 1, "", "slotbeam: the disk is full"
        self.made += 1
        name = f"shop-{self.made}"
        (self.indexes / name).mkdir(parents=True)
        write_manifest(self.indexes / name, {"name": name, "index": {"folded_from": {"name": "shop", "sha": "0"}}})
        return 0, json.dumps({"name": name, "items": 5}), ""

    @property
    def there(self) -> list[str]:
        return sorted(path.name for path in self.indexes.iterdir())


@pytest.fixture
def plane(tmp_path: Path) -> Plane:
    return Plane(tmp_path)


Sleep = Callable[[float], Awaitable[object]]


def folding(plane: Plane, **more: Any) -> AutoFolding:
    settings = Settings(index_dir=plane.indexes, fold_at=10)
    environment = {"SLOTBEAM_REDIS_URL": "unix:///s"}
    return AutoFolding(settings, lambda: plane, lambda: environment, plane.run, **more)  # type: ignore[arg-type, return-value]


async def test_nothing_is_folded_below_the_threshold_and_at_it_an_index_is_made_and_activated(plane: Plane) -> None:
    plane.delta = 9
    work = folding(plane)
    await work.look()
    assert plane.asked == ["GET /admin/indexes"]
    plane.delta = 10
    await work.look()
    assert plane.asked[2:] == ["fold", "POST /admin/indexes/shop-1:activate"]
    await work.look()
    assert plane.asked[4:] == ["GET /admin/indexes"]


async def test_of_what_it_folded_the_active_one_and_the_one_before_stay(plane: Plane) -> None:
    work = folding(plane)
    for _ in range(3):
        plane.delta = 10
        await work.look()
    assert plane.there == ["shop-2", "shop-3"]


async def test_an_index_that_was_not_folded_or_is_another_by_now_is_never_removed(plane: Plane) -> None:
    work = folding(plane)
    for _ in range(2):
        plane.delta = 10
        await work.look()
    manifest = read_manifest(plane.indexes / "shop-1")
    save_manifest(plane.indexes / "shop-1", {**manifest, "name": "put there by hand"})
    plane.delta = 10
    await work.look()
    assert plane.there == ["shop-1", "shop-2", "shop-3"]


async def test_while_a_replica_serves_an_older_index_nothing_is_removed(plane: Plane) -> None:
    work = folding(plane)
    plane.late = ["serve-2"]
    for _ in range(3):
        plane.delta = 10
        with pytest.raises(SlotbeamError, match=r"shop-\d is active, but not served yet by serve-2"):
            await work.look()
    assert plane.there == ["shop-1", "shop-2", "shop-3"]
    plane.late, plane.delta = [], 10
    await work.look()
    assert plane.there == ["shop-3", "shop-4"]


async def test_an_index_that_is_refused_goes_and_one_whose_activation_is_unsure_is_activated_again(
    plane: Plane,
) -> None:
    work = folding(plane)
    plane.delta, plane.refuses = 10, 409
    with pytest.raises(SlotbeamError, match="no"):
        await work.look()
    assert plane.there == []
    plane.refuses = 503
    with pytest.raises(SlotbeamError, match="no"):
        await work.look()
    plane.refuses, plane.asked = 0, []
    await work.look()
    assert plane.asked == ["GET /admin/indexes", "POST /admin/indexes/shop-2:activate"]


async def test_who_rolled_back_is_not_outrun(plane: Plane) -> None:
    plane.delta, plane.active, plane.before = 10, mark("shop"), mark("shop-1", 4)
    await folding(plane).look()
    assert plane.asked == ["GET /admin/indexes"]


async def test_failures_are_told_and_tried_again_later_and_later(plane: Plane) -> None:
    plane.delta, plane.fails = 10, True
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 10:
            plane.fails = False
        if len(waits) == 12:
            raise Stopped

    with capture_logs() as logs, pytest.raises(Stopped):
        await folding(plane, sleep=sleep).run()
    assert waits[:3] == [LOOK_S, 2 * LOOK_S, 4 * LOOK_S]
    assert waits[9:] == [LAST_S, LOOK_S, LOOK_S]
    assert logs[0]["event"] == "live items are not folded into an index yet"
    assert logs[0]["why"] == "slotbeam: the disk is full"


async def test_where_replicas_may_be_elsewhere_it_folds_only_into_a_place_that_was_named(tmp_path: Path) -> None:
    elsewhere = {"redis_url": "redis://127.0.0.1:1"}
    assert may_fold(Settings())
    assert not may_fold(Settings(fold_at=0))
    assert not may_fold(Settings(**elsewhere))  # type: ignore[arg-type]
    assert may_fold(Settings(**elsewhere, index_dir=tmp_path))  # type: ignore[arg-type]


async def test_a_command_is_run_with_its_environment_and_what_it_says_is_returned() -> None:
    status, out, wrong = await run_command(["index", "verify", "/no/such/place"], niceness=19)
    assert (status, out) == (2, "")
    assert "/no/such/place" in wrong
