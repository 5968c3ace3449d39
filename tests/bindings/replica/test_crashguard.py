"""A binding whose build kills the process is left out; one death of another cause costs nothing."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slotbeam.bindings.binding import state_digest
from slotbeam.bindings.edits.plan import Change, Edit
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.compiling import compile_listing
from slotbeam.bindings.replica.crashguard import DEATHS, CrashGuard
from slotbeam.bindings.replica.lastgood import file_name, folder, load
from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot
from support.live import binds, heartbeat, make_binding, make_rule, unbinds, until, watching, write

S4, S5, S6 = Slot(1, 4), Slot(1, 5), Slot(1, 6)
A, B = make_binding("a"), make_binding("b")
RECORDS = {one.id: one.record() for one in (A, B)}
STATE = state_digest(RECORDS)
HANG_S = 60


class Process:
    """A replica that dies of "poison"; its lines are `state revision items`."""

    def __init__(self, running: asyncio.subprocess.Process) -> None:
        self.running = running

    async def line(self) -> str:
        """The next line; "" when the process has ended."""
        assert self.running.stdout is not None
        async with asyncio.timeout(HANG_S):
            return (await self.running.stdout.readline()).decode().strip()

    async def lines(self) -> list[str]:
        """Every line until it dies."""
        found = []
        while line := await self.line():
            found.append(line)
        return found


@asynccontextmanager
async def replica(url: str, directory: Path) -> AsyncIterator[Process]:
    script = Path(__file__).parents[2] / "support" / "replica_process.py"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script), url, str(directory), "poison"), stdout=subprocess.PIPE, env=environment
    )
    try:
        yield Process(running)
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def test_a_binding_that_kills_the_process_is_left_out_from_the_third_start_on(
    server: EmbeddedStore, store: Store, shop: Artifact, tmp_path: Path
) -> None:
    poison = make_binding("poison")
    async with replica(server.url, tmp_path) as first:
        assert await first.line() == "none 0"
        await write(store, shop.codebook_sha, binds(make_binding("labubu"), S4))
        while (line := await first.line()) != "live 1 i001,i002":
            assert line
        async with asyncio.timeout(HANG_S):
            while saved_revision(tmp_path, shop) != 1:
                await asyncio.sleep(0.01)
        await write(store, shop.codebook_sha, binds(poison, S5))
        assert not [line for line in await first.lines() if "live 2" in line], "it died of revision 2"
    async with replica(server.url, tmp_path) as second:
        assert "degraded 1 i001,i002" in await second.lines(), "it served what it knew, and died once more"
    async with replica(server.url, tmp_path) as third:
        while (line := await third.line()) != "live 2 i001,i002":
            assert line, "the process died again"
        beat = await heartbeat(store, 2)
        assert list(beat["failed"]) == [poison.id]
        assert beat["failed"][poison.id].startswith("NACK:CRASH")
        await write(store, shop.codebook_sha, binds(make_binding("crocs"), S6))
        assert await third.line() == "live 3 i001,i002", "other edits go on"
        await write(store, shop.codebook_sha, unbinds(poison.id))
        assert await third.line() == "live 4 i001,i002"
        assert (await heartbeat(store, 4))["failed"] == {}


def saved_revision(directory: Path, shop: Artifact) -> int:
    good, _ = load(folder(directory) / file_name("data", shop.codebook_sha), shop.codebook_sha)
    return good.listing.revision if good else -1


async def test_a_listing_that_no_binding_explains_is_held_and_the_next_one_is_tried(
    store: Store, shop: Artifact, tmp_path: Path
) -> None:
    await write(store, shop.codebook_sha, binds(make_binding("labubu"), S4))
    async with watching(store, shop, tmp_path) as watcher:
        await until(watcher, lambda: saved_revision(tmp_path, shop) == 1)
        path = watcher.serving.guard.path
    await write(store, shop.codebook_sha, binds(make_binding("crocs"), S5))
    listing = await store.read(shop.codebook_sha)
    assert listing is not None
    path.write_text(note(deaths={listing.state: DEATHS}))
    async with watching(store, shop, tmp_path) as watcher:
        await until(watcher, lambda: watcher.facts.state == "hold:CRASHED")
        assert set(watcher.holder.current.overlay.words) == {"labubu"}
        await write(store, shop.codebook_sha, binds(make_binding("dyson"), S6))
        assert await watcher.reached(3, HANG_S)
        await until(watcher, lambda: watcher.facts.state == "live")


def note(**says: Any) -> str:
    empty: dict[str, Any] = {"applying": "", "building": "", "record": "", "deaths": {}, "blamed": {}}
    return json.dumps({**empty, **says}) + "\n"


def read(path: Path) -> Mapping[str, Any]:
    return dict(json.loads(path.read_text()))


def die_in(path: Path, **says: Any) -> None:
    """What a process leaves that dies while it compiles the listing."""
    path.write_text(note(**{**read(path), "applying": STATE, **says}) if path.exists() else note(applying=STATE))


def test_one_death_costs_care_and_nothing_else(tmp_path: Path) -> None:
    guard = CrashGuard(tmp_path / "note")
    die_in(guard.path)
    with guard.applying(STATE, RECORDS, build_overlay) as care:
        assert (care.refused, care.blamed) == (False, {})
        assert care.build is not build_overlay
    with guard.applying(STATE, RECORDS, build_overlay) as care:
        assert care.build is build_overlay, "it was compiled: the death is forgotten"


def test_an_exception_is_no_death(tmp_path: Path) -> None:
    guard = CrashGuard(tmp_path / "note")
    with pytest.raises(MemoryError), guard.applying(STATE, RECORDS, build_overlay):
        raise MemoryError
    with guard.applying(STATE, RECORDS, build_overlay) as care:
        assert care.build is build_overlay


def test_a_blamed_binding_is_tried_again_when_its_record_changes(tmp_path: Path) -> None:
    guard = CrashGuard(tmp_path / "note")
    die_in(guard.path)
    with guard.applying(STATE, RECORDS, build_overlay):
        between = read(guard.path)
    guard.path.write_text(note(**{**between, "building": A.id, "record": sha_of(A.record())}))
    with guard.applying(STATE, RECORDS, build_overlay) as care:
        assert set(care.blamed) == {A.id}
        assert str(guard.path) in care.blamed[A.id]
    with guard.applying("older", {B.id: B.record()}, build_overlay) as care:
        assert care.blamed == {}, "the last known good listing, that a start compiles first"
    with guard.applying(STATE, RECORDS, build_overlay) as care:
        assert set(care.blamed) == {A.id}
    changed = {**RECORDS, A.id: make_binding("a", id=A.id, owner="toys").record()}
    with guard.applying(state_digest(changed), changed, build_overlay) as care:
        assert care.blamed == {}


def sha_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_deaths_without_a_binding_are_counted_and_then_refused(tmp_path: Path) -> None:
    guard = CrashGuard(tmp_path / "note")
    for death in range(DEATHS):
        with guard.applying(STATE, RECORDS, build_overlay) as care:
            assert not care.refused, death
            left = read(guard.path)
        guard.path.write_text(note(**left))
    for _ in range(2):
        with guard.applying(STATE, RECORDS, build_overlay) as care:
            assert care.refused


def test_with_care_each_binding_is_built_alone_and_the_result_is_the_same(shop: Artifact, tmp_path: Path) -> None:
    bounds = [Bound(one.id, slot, one.words, ("i001",)) for one, slot in ((A, S4), (B, S5))]
    guard = CrashGuard(tmp_path / "note")
    built: list[tuple[str, list[str]]] = []

    def build(artifact: Artifact, some: Any, previous: Any = None) -> Any:
        built.append((read(guard.path)["building"], [bound.id for bound in some]))
        return build_overlay(artifact, some, previous)

    die_in(guard.path)
    with guard.applying(STATE, RECORDS, build) as care:
        overlay = care.build(shop, bounds, None)
    assert built == [(A.id, [A.id]), (B.id, [B.id]), ("", [A.id, B.id])]
    expected = build_overlay(shop, bounds)
    assert (overlay.words, overlay.owners) == (expected.words, expected.owners)
    assert [pinned.built_from for pinned in overlay.pinned] == [pinned.built_from for pinned in expected.pinned]


def test_with_care_each_rule_is_tried_alone_while_the_file_names_it(shop: Artifact, tmp_path: Path) -> None:
    """A rule is no binding that is built, and yet a death in it is its own."""
    rules = {one.id: one.record() for one in (make_rule("mug", hide=("i001",)), make_rule("red", hide=("i002",)))}
    listing = Listing("e", 1, state_digest(rules), rules, {})
    guard, named = CrashGuard(tmp_path / "note"), list[str]()

    class Seen:
        """The catalog, whose fields are looked at for each rule that is checked."""

        @property
        def fields(self) -> Any:
            named.append(read(guard.path)["building"])
            return shop.catalog.fields

    watched = replace(shop, catalog=Seen())  # type: ignore[arg-type]
    guard.path.write_text(note(applying=listing.state))
    with guard.applying(listing.state, listing.records) as care:
        compiled = compile_listing(watched, listing, {}, 0, None, None, care.build, care.blamed, care.name)
    assert (set(named), set(compiled.active)) == (set(rules), set(rules))
    dead = min(rules)
    guard.path.write_text(note(applying=listing.state, building=dead, record=sha_of(rules[dead])))
    with guard.applying(listing.state, listing.records) as care:
        compiled = compile_listing(shop, listing, {}, 0, None, None, care.build, care.blamed, care.name)
    assert (set(compiled.failed), set(compiled.active)) == ({dead}, set(rules) - {dead})
    assert [rule.id for rule in compiled.overlay.rules.rules] == list(compiled.active)
    assert compiled.failed[dead].startswith("NACK:CRASH")


def test_another_process_that_compiles_is_not_a_dead_one(tmp_path: Path) -> None:
    path = tmp_path / "note"
    die_in(path)
    before = path.read_text()
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with CrashGuard(path).applying(STATE, RECORDS, build_overlay) as care:
            assert care.build is build_overlay
        assert path.read_text() == before


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"applying": 1}', b"{" * 9000, note()[:-9].encode()])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "note").write_bytes(content)
    with CrashGuard(tmp_path / "note").applying(STATE, RECORDS, build_overlay) as care:
        assert (care.refused, care.build) == (False, build_overlay)


def test_without_a_disk_nothing_is_guarded_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with CrashGuard(tmp_path / "file" / "note").applying(STATE, RECORDS, build_overlay) as care:
        assert care.build is build_overlay


async def test_an_edit_of_the_record_is_what_ends_the_blame(store: Store, shop: Artifact, tmp_path: Path) -> None:
    poison = make_binding("labubu")
    await write(store, shop.codebook_sha, binds(poison, S4))
    async with watching(store, shop, tmp_path) as watcher:
        assert await watcher.reached(1, HANG_S)
        assert watcher.listing is not None
        record = watcher.listing.records[poison.id]
        path = watcher.serving.guard.path
    path.write_text(note(blamed={poison.id: sha_of(record)}))
    async with watching(store, shop, tmp_path) as watcher:
        assert await watcher.reached(1, HANG_S)
        assert set(watcher.facts.failed) == {poison.id}
        assert set(watcher.holder.current.overlay.words) == set()

        def edit(seen: Any) -> Change:
            before = seen.bindings[poison.id]
            return Change("update", (Edit(before, make_binding("labubu", id=poison.id, owner="toys"), S4),))

        await write(store, shop.codebook_sha, edit)
        assert await watcher.reached(2, HANG_S)
        assert (watcher.facts.failed, set(watcher.holder.current.overlay.words)) == ({}, {"labubu"})
