"""Bindings come back to a store that lost them: whole, in a new epoch, and never over something newer unasked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from slotbeam.bindings.binding import Binding, encode_items
from slotbeam.bindings.edits.plan import Change, Edit
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.recovery.backup import Backup, from_file, from_revision, newest_last_good, same
from slotbeam.bindings.recovery.restore import AHEAD, Restoration, plan_restore, restore
from slotbeam.bindings.replica.lastgood import LastGood, file_name, folder, save
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import Conflict, OutcomeUnknown, SetupError, StoreUnavailable
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot
from support.live import NOW, binds, make_binding, unbinds, until, watching, write
from support.replies import log_entries
from torture.proxy import Proxy

S4, S5, S6 = Slot(1, 4), Slot(1, 5), Slot(1, 6)
IDS = ("i001", "i002")
GUARD_S = 20.0


def keep(directory: Path, listing: Listing, codebook: str, role: str = "data") -> Path:
    """Write a last-known-good file of `listing`, whose every list is IDS."""
    path = folder(directory) / file_name(role, codebook)
    save(path, codebook, LastGood(listing, {encode_items(IDS)[0]: IDS}))
    return path


def saved_revision(directory: Path, shop: Artifact) -> int:
    try:
        return newest_last_good(directory, shop.codebook_sha).revision
    except SetupError:  # not yet
        return -1


async def listed(store: Store, shop: Artifact) -> Listing:
    found = await store.read(shop.codebook_sha)
    assert found is not None
    assert found.verify()
    return found


async def planned(store: Store, shop: Artifact, directory: Path, backup: Backup | None = None) -> Restoration:
    backup = backup or newest_last_good(directory, shop.codebook_sha)
    return await plan_restore(store, backup, shop.codebook_sha, directory)


def what(listing: Listing) -> Mapping[str, tuple[Binding, Slot | None]]:
    """Bindings and slots without the revisions that wrote them."""
    return {key: (replace(b, revision=0), listing.placed.get(key)) for key, b in listing.bindings.items()}


async def test_a_wiped_store_gets_back_every_binding_and_every_replica_takes_it_over(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path
) -> None:
    draft = make_binding("crocs", draft=True)
    await write(store, shop.codebook_sha, binds(make_binding("labubu", "拉布布"), S4))
    await write(store, shop.codebook_sha, binds(draft, None))
    before = await listed(store, shop)
    async with watching(store, shop, tmp_path) as watcher:
        assert await watcher.reached(2, GUARD_S)
        await until(watcher, lambda: saved_revision(tmp_path, shop) == 2)
        raw.flushall()
        await until(watcher, lambda: watcher.facts.state == "hold:NO_EPOCH")
        plan = await planned(store, shop, tmp_path)
        assert not raw.exists("{sb}:meta"), "a plan writes nothing"
        assert (len(plan.added), plan.changed, plan.removed, plan.risks) == (2, (), (), ())
        assert await restore(store, plan, "test", NOW) == "appendfsync always"
        assert await watcher.reached(2 + AHEAD, GUARD_S)
        assert (watcher.facts.state, watcher.facts.epoch) == ("live", plan.epoch)
        assert set(watcher.holder.current.overlay.words) == {"labubu", "拉布布"}
    after = await listed(store, shop)
    assert what(after) == what(before)
    assert after.epoch != before.epoch
    assert raw.hgetall("{sb}:word") == {"labubu": after.holders[S4], "拉布布": after.holders[S4]}
    assert raw.ttl(f"{{sb}}:items:{draft.items}") == -1
    [entry] = await store.log(1)
    assert (entry["op"], entry["actor"], entry["state"]) == ("restore", "test", after.state)
    done = await write(store, shop.codebook_sha, unbinds(draft.id))
    assert done.revision == 2 + AHEAD + 1, "commits go on from there"


async def test_a_store_that_began_anew_and_grew_past_a_replica_is_not_taken_for_a_restore(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path
) -> None:
    await write(store, shop.codebook_sha, binds(make_binding("labubu"), S4))
    async with watching(store, shop, tmp_path) as watcher:
        await until(watcher, lambda: saved_revision(tmp_path, shop) == 1)
        raw.flushall()
        await store.initialise()
        for word, slot in (("crocs", S4), ("dyson", S5)):
            await write(store, shop.codebook_sha, binds(make_binding(word), slot))
        await until(watcher, lambda: watcher.facts.state == "hold:DIVERGED")
        assert set(watcher.holder.current.overlay.words) == {"labubu"}
        plan = await planned(store, shop, tmp_path)
        assert (len(plan.added), len(plan.removed), len(plan.risks)) == (1, 2, 2)
        await restore(store, plan, "test", NOW)
        await until(watcher, lambda: watcher.facts.state == "live")
        assert (watcher.facts.revision, set(watcher.holder.current.overlay.words)) == (plan.revision, {"labubu"})
        await write(store, shop.codebook_sha, binds(make_binding("crocs"), S5))
        assert await watcher.reached(plan.revision + 1, GUARD_S)


async def test_bindings_of_the_store_are_never_changed_or_removed_without_saying_so(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path
) -> None:
    kept, moved, gone = make_binding("labubu"), make_binding("crocs"), make_binding("dyson")
    for binding, slot in ((kept, S4), (moved, S5)):
        await write(store, shop.codebook_sha, binds(binding, slot))
    keep(tmp_path, await listed(store, shop), shop.codebook_sha)
    old = (await listed(store, shop)).bindings
    await write(
        store,
        shop.codebook_sha,
        lambda seen: Change("update", (Edit(seen.bindings[moved.id], replace(moved, owner="toys"), S5),)),
    )
    await write(store, shop.codebook_sha, binds(gone, S6))
    plan = await planned(store, shop, tmp_path)
    assert (plan.added, plan.changed, plan.removed, plan.kept) == ((), (moved.id,), (gone.id,), 1)
    assert "revision 4, newer than 2" in plan.risks[0]
    assert "1 bindings of the store would change, 1 would be removed" in plan.risks[1]
    await restore(store, plan, "test", NOW)
    after = await listed(store, shop)
    assert after.records[kept.id] == old[kept.id].record(), "what did not change keeps its ETag"
    assert same(after.bindings[moved.id], moved)
    assert after.bindings[moved.id].revision == plan.revision, "what changed has a new one"
    assert set(after.placed.values()) == {S4, S5}
    assert not raw.hexists("{sb}:word", "dyson")
    again = await planned(store, shop, tmp_path)
    assert (again.added, again.changed, again.removed, again.risks) == ((), (), (), ())


async def test_going_back_behind_what_a_replica_serves_is_said(store: Store, shop: Artifact, tmp_path: Path) -> None:
    await write(store, shop.codebook_sha, binds(make_binding(), S4))
    keep(tmp_path, await listed(store, shop), shop.codebook_sha)
    await store.redis.flushall()
    await store.beat("r7", {"revision": 40, "failed": {}})
    plan = await planned(store, shop, tmp_path)
    assert plan.revision == 40 + AHEAD
    assert plan.risks == ("replica r7 serves revision 40, newer than 1 of the backup",)


@pytest.mark.parametrize("forged", [2**52 - 1, 2**52, 2**64, 10**30])
async def test_no_forged_heartbeat_leaves_a_restore_without_a_revision(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path, forged: int
) -> None:
    await write(store, shop.codebook_sha, binds(make_binding(), S4))
    keep(tmp_path, await listed(store, shop), shop.codebook_sha)
    raw.flushall()
    await store.beat("forged", {"revision": forged, "state": "live", "failed": {}})
    plan = await planned(store, shop, tmp_path)
    assert await restore(store, plan, "test", NOW) == "appendfsync always"
    assert (await write(store, shop.codebook_sha, binds(make_binding("crocs"), S5))).revision == plan.revision + 1


async def test_a_store_that_changed_since_the_plan_is_left_alone(store: Store, shop: Artifact, tmp_path: Path) -> None:
    await write(store, shop.codebook_sha, binds(make_binding(), S4))
    keep(tmp_path, await listed(store, shop), shop.codebook_sha)
    plan = await planned(store, shop, tmp_path)
    await write(store, shop.codebook_sha, binds(make_binding("crocs"), S5))
    before = await listed(store, shop)
    with pytest.raises(Conflict, match="changed meanwhile"):
        await restore(store, plan, "test", NOW)
    assert (await listed(store, shop)).records == before.records


async def test_a_commit_planned_before_a_restore_is_refused(store: Store, shop: Artifact, tmp_path: Path) -> None:
    await write(store, shop.codebook_sha, binds(make_binding(), S4))
    keep(tmp_path, await listed(store, shop), shop.codebook_sha)
    plan = await planned(store, shop, tmp_path)

    class Restored(Store):
        """A restore comes just after the first listing was read."""

        reads = 0

        async def read(self, *asked: Any, **options: Any) -> Listing | None:
            listing = await super().read(*asked, **options)
            self.reads += 1
            if self.reads == 1:
                await restore(store, plan, "test", NOW)
            return listing

    def change(seen: Listing) -> Change:
        return Change("bind", (Edit(None, make_binding("crocs"), S5),))

    restored = Restored(store.url, strict=True)
    with pytest.raises(StoreUnavailable, match="began another epoch"):
        await write(restored, shop.codebook_sha, change)
    await restored.close()
    assert set((await listed(store, shop)).words) == {"labubu"}


@pytest.mark.parametrize("ran", [True, False])
async def test_a_lost_reply_is_looked_up_and_never_called_failed(
    server: EmbeddedStore, store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path, ran: bool
) -> None:
    await write(store, shop.codebook_sha, binds(make_binding(), S4))
    keep(tmp_path, await listed(store, shop), shop.codebook_sha)
    raw.script_flush()  # the first answer is that the script has to be sent whole
    async with Proxy(tmp_path / "sock", server.socket_path) as proxy:
        through = Store(proxy.url, strict=True, lookup_s=0.2)
        plan = await planned(through, shop, tmp_path)
        proxy.lose_reply(lambda chunk: (b"EVAL\r\n" if ran else b"EVALSHA\r\n") in chunk)
        if ran:
            assert await restore(through, plan, "test", NOW) == "appendfsync always"
            assert (await listed(store, shop)).epoch == plan.epoch
        else:
            with pytest.raises(OutcomeUnknown, match=f"at revision {plan.revision}"):
                await restore(through, plan, "test", NOW)
        assert not proxy.armed
        await through.close()


async def test_a_strict_store_that_could_lose_it_takes_no_restore(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path
) -> None:
    keep(tmp_path, await listed(store, shop), shop.codebook_sha)
    plan = await planned(store, shop, tmp_path)
    raw.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(StoreUnavailable, match="maxmemory-policy noeviction"):
            await restore(store, plan, "test", NOW)
    finally:
        raw.config_set("maxmemory-policy", "noeviction")


async def test_any_revision_of_the_log_comes_back_also_across_a_restore(
    store: Store, shop: Artifact, tmp_path: Path
) -> None:
    """Oracle: what the store said at each revision."""
    a, b, draft = make_binding("a"), make_binding("b"), make_binding("d", draft=True)
    seen = {0: what(await listed(store, shop))}

    async def done(change: Any) -> None:
        revision = (await write(store, shop.codebook_sha, change)).revision
        seen[revision] = what(await listed(store, shop))

    def edit(key: str, slot: Slot | None, **fields: Any) -> Any:
        return lambda now: Change("update", (Edit(now.bindings[key], replace(now.bindings[key], **fields), slot),))

    await done(binds(a, S4))
    await done(binds(draft, None))
    await done(binds(b, S5))
    await done(edit(draft.id, S6, draft=False))
    await done(unbinds(b.id))
    await done(edit(a.id, None, draft=True))
    plan = await planned(store, shop, tmp_path, await from_revision(store, shop.codebook_sha, 3, tmp_path))
    await restore(store, plan, "test", NOW)
    assert what(await listed(store, shop)) == seen[3]
    seen[plan.revision] = seen[3]
    await done(unbinds(a.id))
    for revision, expected in seen.items():
        found = await from_revision(store, shop.codebook_sha, revision, tmp_path)
        then = {key: (replace(one, revision=0), found.placed.get(key)) for key, one in found.bindings.items()}
        assert then == expected, revision
        assert not found.left_out


async def test_a_revision_that_the_log_does_not_hold_is_refused(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path
) -> None:
    for word, slot in (("a", S4), ("b", S5), ("c", S6)):
        await write(store, shop.codebook_sha, binds(make_binding(word), slot))
    raw.xdel("{sb}:log", "1-0")
    for revision in (0, 1, 77):
        with pytest.raises(SetupError, match=r"log|does not give the state"):
            await from_revision(store, shop.codebook_sha, revision, tmp_path)
    raw.hset("{sb}:binding", "b_intruder", "{}")
    with pytest.raises(SetupError, match="changed past slotbeam"):
        await from_revision(store, shop.codebook_sha, 2, tmp_path)


@pytest.mark.parametrize("changes", ["", "[" * 100_000, "5", "[{}]", '[{"id": 1}]', '[{"id": "b_a", "before": 1}]'])
async def test_a_log_entry_that_cannot_be_read_is_no_way_back(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path, changes: str
) -> None:
    for word, slot in (("a", S4), ("b", S5)):
        await write(store, shop.codebook_sha, binds(make_binding(word), slot))
    [_, (_, last)] = log_entries(str, raw.xrange("{sb}:log"))
    raw.xdel("{sb}:log", "2-0")
    raw.xadd("{sb}:log", dict((last | {"changes": changes}).items()), id="2-1")
    with pytest.raises(SetupError, match="does not give the state"):
        await from_revision(store, shop.codebook_sha, 1, tmp_path)


async def test_an_item_list_that_the_store_gave_up_is_taken_from_a_last_known_good_file(
    store: Store, shop: Artifact, raw: redis.Redis, tmp_path: Path
) -> None:
    binding = make_binding()
    await write(store, shop.codebook_sha, binds(binding, S4))
    before = await listed(store, shop)
    await write(store, shop.codebook_sha, unbinds(binding.id))
    raw.delete(f"{{sb}}:items:{binding.items}")
    assert set((await from_revision(store, shop.codebook_sha, 1, tmp_path)).left_out) == {binding.id}
    keep(tmp_path, before, shop.codebook_sha)
    found = await from_revision(store, shop.codebook_sha, 1, tmp_path)
    assert (found.items, found.left_out) == ({binding.items: IDS}, {})


async def test_last_good_is_the_newest_whole_file_of_any_role(store: Store, shop: Artifact, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="holds no file"):
        newest_last_good(tmp_path, shop.codebook_sha)
    await write(store, shop.codebook_sha, binds(make_binding("a"), S4))
    first = await listed(store, shop)
    await write(store, shop.codebook_sha, binds(make_binding("b"), S5))
    keep(tmp_path, first, shop.codebook_sha, "admin")
    keep(tmp_path, first, shop.codebook_sha)
    path = keep(tmp_path, await listed(store, shop), shop.codebook_sha)
    found = newest_last_good(tmp_path, shop.codebook_sha)
    assert (found.source, found.revision) == (str(path), 2)
    path.write_bytes(path.read_bytes()[:-9])
    assert newest_last_good(tmp_path, shop.codebook_sha).revision == 1
    with pytest.raises(SetupError, match="SHA-256 does not fit"):
        from_file(path)
    assert from_file(path.with_name(path.name + ".1")).revision == 1


async def test_a_binding_that_a_file_holds_in_part_is_named(store: Store, shop: Artifact, tmp_path: Path) -> None:
    binding = make_binding()
    await write(store, shop.codebook_sha, binds(binding, S4))
    path = keep(tmp_path, await listed(store, shop), shop.codebook_sha)
    (path.with_name(path.name + ".items") / binding.items).unlink()
    found = from_file(path)
    assert found.bindings == {}
    assert "is not there" in found.left_out[binding.id]


EXPORTED = {
    "id": "b_aaaa",
    "words": ["labubu"],
    "category": "brand",
    "items": list(IDS),
    "placement": "top",
    "slot": "1-4",
    "state": "active",
    "near_miss": False,
    "match": False,
    "starts_at": None,
    "ends_at": "2027-01-15T08:00:00.000Z",
    "owner": "",
    "reason": "",
    "created_at": "2026-01-01T00:00:00Z",
    "revision": 7,
}


def test_an_export_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "bindings.json"
    path.write_text(json.dumps([EXPORTED, {**EXPORTED, "id": "b_bbbb", "state": "draft", "slot": None}]))
    found = from_file(path)
    assert (found.revision, found.placed, found.bindings["b_bbbb"].draft) == (7, {"b_aaaa": S4}, True)
    assert found.bindings["b_aaaa"].ends_at == NOW
    assert found.items == {encode_items(IDS)[0]: IDS}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"id": "../x"}, "not a binding id"),
        ({"words": []}, "1 to 32"),
        ({"slot": "x"}, "slot id"),
        ({"ends_at": "2027-01-15T08:00:00"}, "offset"),
        ({"revision": "7"}, "wrong type"),
        ({"items": None}, "row 2"),
    ],
)
def test_a_row_that_is_no_binding_is_named(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    path = tmp_path / "bindings.json"
    path.write_text(json.dumps([EXPORTED, {**EXPORTED, "id": "b_bbbb", **change}]))
    with pytest.raises(SetupError, match="row 2 of") as refused:
        from_file(path)
    assert why in str(refused.value)


async def test_two_holders_of_one_word_or_slot_are_refused(store: Store, shop: Artifact, tmp_path: Path) -> None:
    path = tmp_path / "bindings.json"
    for twin, why in (({"slot": "1-5"}, "labubu is held by both"), ({"words": ["crocs"]}, "slot 1-4 is held by both")):
        path.write_text(json.dumps([EXPORTED, {**EXPORTED, "id": "b_bbbb", **twin}]))
        with pytest.raises(SetupError, match=why):
            await planned(store, shop, tmp_path, from_file(path))
