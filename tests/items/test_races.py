"""What makes an edit of items safe against others, and against the end of its process, at the worst moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from slotbeam.bindings.store.store import Store
from slotbeam.catalog.item import Item
from slotbeam.errors import StoreUnavailable
from slotbeam.items.recovery import items_of, plan_items_restore, restore_items
from slotbeam.items.replica.lastgood import ItemsFile
from slotbeam.items.store.commit import commit_items
from slotbeam.items.store.store import ItemStore, Seen
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import ServingState
from support.items import RULES, Remembering, edit, following, make_follower, outcomes, put, titles

HANG_S = 60


class Meddled(ItemStore):
    """A store that somebody else uses just before, or just after, a commit has read what it plans on."""

    def __init__(
        self,
        store: Store,
        before: Callable[[], Awaitable[object]] | None = None,
        after: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        super().__init__(store)
        self.before, self.after = before, after

    async def records(self, ids: Sequence[str]) -> tuple[Seen | None, dict[str, bytes | None]]:
        before, after, self.before, self.after = self.before, self.after, None, None
        if before is not None:
            await before()
        found = await super().records(ids)
        if after is not None:
            await after()
        return found


@pytest.fixture
async def items(store: Store) -> Store:
    await ItemStore(store).initialise()
    return store


async def test_the_same_request_at_two_control_planes_at_once_is_one_edit_told_twice(items: Store) -> None:
    """The second would find everything as it asks for, and call its own edit unchanged."""
    other = Store(items.url)
    late = Meddled(items, before=lambda: edit(other, put("a"), idempotency_key="k", fingerprint="f"))
    again = await commit_items(late, [put("a")], RULES, actor="t", at=0, idempotency_key="k", fingerprint="f")
    await other.close()
    assert (again.seq, again.replayed, outcomes(again)) == (1, True, ["created"])
    head = await late.head()
    assert head is not None
    assert head.seq == 1


async def test_a_key_that_a_lookup_missed_is_not_used_twice(items: Store) -> None:
    looked: list[str] = []

    class Missing(ItemStore):
        async def used_for(self, idempotency_key: str, *, to_write: bool = True) -> bytes | str | None:
            looked.append(idempotency_key)
            return await super().used_for(idempotency_key, to_write=to_write) if looked[1:] else None

    await edit(items, put("a"), idempotency_key="k", fingerprint="f")
    missing = Missing(items)
    again = await commit_items(missing, [put("b")], RULES, actor="t", at=0, idempotency_key="k", fingerprint="f")
    assert (again.seq, again.replayed, looked) == (1, True, ["k", "k"])


async def test_an_edit_planned_before_a_restore_is_refused(items: Store, shop: Artifact, tmp_path: Path) -> None:
    async with following(make_follower(items, shop, tmp_path)) as follower:
        await edit(items, put("a"))
        assert await follower.reached(1, HANG_S)
    store = ItemStore(items)
    plan = await plan_items_restore(store, *items_of(tmp_path / "last-good" / "items-data"), tmp_path)
    restored = Meddled(items, after=lambda: restore_items(store, plan, "test", 0))
    with pytest.raises(StoreUnavailable, match="began another epoch"):
        await commit_items(restored, [put("b")], RULES, actor="t", at=0)
    _, records = await store.listing()
    assert set(records) == {"a"}


async def test_an_edit_is_on_disk_before_it_is_served(items: Store, shop: Artifact, tmp_path: Path) -> None:
    """Else a process that is killed in between would go back behind what it was seen to serve."""
    file = ItemsFile(tmp_path / "last-good" / "items-data")
    kept: list[tuple[int, int]] = []

    class Looking(Remembering):
        async def apply(self, changed: Mapping[str, Item | None], seq: int) -> None:
            good, _ = file.load()
            kept.append((seq, good.head.seq if good else -1))
            await super().apply(changed, seq)

    sink = Looking()
    async with following(make_follower(items, shop, tmp_path, sink)) as follower:
        assert await follower.ready(HANG_S)
        for seq in (1, 2, 3):
            await edit(items, put(f"item {seq}"))
            assert await follower.reached(seq, HANG_S)
    assert len(titles(sink.items)) == 3
    assert [seq for seq, _ in kept] == [on_disk for _, on_disk in kept] == [1, 2, 3]


async def test_a_replica_whose_store_has_no_edits_is_ready_from_its_file_when_the_store_is_dead(
    items: Store, shop: Artifact, tmp_path: Path
) -> None:
    async with following(make_follower(items, shop, tmp_path)) as follower:
        assert await follower.ready(HANG_S)
    dead = Store("unix:///nowhere/redis.sock")
    again = make_follower(dead, shop, tmp_path)
    await again.boot()
    await dead.close()
    assert await again.ready(0.0)
    assert (again.facts.state, again.facts.seq) == (ServingState.DEGRADED, 0)
