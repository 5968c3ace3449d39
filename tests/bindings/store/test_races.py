"""What makes a commit or a read safe against others at the worst moment, each shown alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.lastgood import LastGood, save
from slotbeam.bindings.store.commit import Committed
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import SlotTaken
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot
from support.live import binds, make_binding, until, watching, write
from torture.proxy import Proxy

BOOK = "c0de"
S4, S5 = Slot(1, 4), Slot(1, 5)
HANG_S = 60


async def test_the_same_request_at_two_control_planes_at_once_is_one_edit_told_twice(
    server: EmbeddedStore, store: Store
) -> None:
    """The second would be refused for what the first did: its word is taken, its slot is bound."""
    first: list[Committed] = []

    class Late(Store):
        async def read(self, *args: Any, **options: Any) -> Listing | None:
            if not first:
                first.append(await write(store, BOOK, binds(make_binding(), S4), idempotency_key="k", fingerprint="f"))
            return await super().read(*args, **options)

    late = Late(server.url)
    again = await write(late, BOOK, binds(make_binding(), S4), idempotency_key="k", fingerprint="f")
    await late.close()
    assert (again.revision, again.replayed) == (first[0].revision, True)
    listing = await store.read(BOOK)
    assert listing is not None
    assert (listing.revision, len(listing.records)) == (1, 1)


async def test_a_key_that_a_lookup_missed_is_not_used_twice(server: EmbeddedStore, store: Store) -> None:
    looked: list[str] = []

    class Missing(Store):
        async def used_for(self, idempotency_key: str, *, to_write: bool = True) -> bytes | str | None:
            looked.append(idempotency_key)
            return await super().used_for(idempotency_key, to_write=to_write) if looked[1:] else None

    await write(store, BOOK, binds(make_binding("other"), S5), idempotency_key="k", fingerprint="f")
    missing = Missing(server.url)
    again = await write(missing, BOOK, binds(make_binding(), S4), idempotency_key="k", fingerprint="f")
    await missing.close()
    assert (again.revision, again.replayed, looked) == (1, True, ["k", "k"])


async def test_an_edit_planned_on_an_older_revision_is_planned_again(server: EmbeddedStore, store: Store) -> None:
    planned: list[int] = []

    class Early(Store):
        async def read(self, *args: Any, **options: Any) -> Listing | None:
            listing = await super().read(*args, **options)
            assert listing is not None
            planned.append(listing.revision)
            if len(planned) == 1:
                await write(store, BOOK, binds(make_binding("other"), S5))
            return listing

    early = Early(server.url)
    done = await write(early, BOOK, binds(make_binding(), S4))
    await early.close()
    assert (planned, done.revision) == ([0, 1], 2)


@asynccontextmanager
async def interrupted(socket: Path, target: Path, at: bytes, by: Callable[[], Awaitable[object]]) -> AsyncIterator[str]:
    """A way to the store that stops in the middle of the first request that holds `at`, awaits `by`, and goes on."""
    done = False

    async def serve(client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        nonlocal done
        store, request = await asyncio.open_unix_connection(str(target))
        back = asyncio.create_task(_forward(store, answer))
        while data := await client.read(1 << 16):
            if at in data and not done:
                done = True
                request.write(data[: data.index(at)])
                await request.drain()
                await by()
                data = data[data.index(at) :]
            request.write(data)
        request.close()
        await back

    async with await asyncio.start_unix_server(serve, str(socket)):
        yield f"unix://{socket}"
    assert done


async def _forward(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(1 << 16):
        target.write(data)
    target.close()


@pytest.mark.parametrize("at", [b"{sb}:binding", b"{sb}:slots", b"{sb}:log"], ids=bytes.decode)
async def test_a_commit_in_the_middle_of_a_read_is_seen_whole_or_not_at_all(
    server: EmbeddedStore, store: Store, tmp_path: Path, at: bytes
) -> None:
    await write(store, BOOK, binds(make_binding("other"), S5))

    async def edit() -> None:
        await write(store, BOOK, binds(make_binding(), S4))

    async with interrupted(tmp_path / "sock", server.socket_path, at, edit) as url, asyncio.timeout(HANG_S):
        reader = Store(url)
        listing = await reader.read(BOOK)
        await reader.close()
    assert listing is not None
    assert listing.verify()
    assert listing.logged()
    assert set(listing.slots.values()) == set(listing.records)
    assert listing.revision == 2, "the store runs the transaction when it has all of it"


async def test_a_commit_whose_reply_is_lost_is_sent_once(
    server: EmbeddedStore, raw: redis.Redis, store: Store, tmp_path: Path
) -> None:
    await write(store, BOOK, binds(make_binding("other"), S5))  # the server knows the script
    async with Proxy(tmp_path / "sock", server.socket_path) as proxy, asyncio.timeout(HANG_S):
        through = Store(proxy.url)
        await through.durability()
        raw.config_resetstat()
        proxy.lose_reply(lambda chunk: b"EVALSHA" in chunk)
        done = await write(through, BOOK, binds(make_binding(), S4))
        await through.close()
    assert (done.revision, done.replayed) == (2, False)
    assert raw.info("commandstats")["cmdstat_evalsha"]["calls"] == 1


async def test_a_revision_is_on_disk_before_it_is_served_and_reported(
    store: Store, shop: Artifact, tmp_path: Path
) -> None:
    before: list[tuple[int, int, int]] = []

    def seen_saving(path: Path, codebook_sha: str, good: LastGood) -> None:
        before.append((good.listing.revision, watcher.holder.current.revision, watcher.facts.revision))
        save(path, codebook_sha, good)

    async with watching(store, shop, tmp_path, keep=seen_saving) as watcher:
        await until(watcher, lambda: watcher.facts.state == "live")
        await write(store, shop.codebook_sha, binds(make_binding(), S4))
        assert await watcher.reached(1, HANG_S)
    assert before == [(0, 0, 0), (1, 0, 0)]


async def test_a_slot_that_is_held_past_the_reader_is_not_given_twice(store: Store, raw: redis.Redis) -> None:
    """The script looks, too: here the slot's holder is not in what the edit was planned on."""

    class Blind(Store):
        async def read(self, *args: Any, **options: Any) -> Listing | None:
            listing = await super().read(*args, **options)
            assert listing is not None
            return replace(listing, slots={})

    held, blind = make_binding("held"), Blind(store.url)
    await write(store, BOOK, binds(held, S4))
    with pytest.raises(SlotTaken, match=held.id):
        await write(blind, BOOK, binds(make_binding(), S4))
    await blind.close()
    assert raw.hgetall(f"{{sb}}:slots:{BOOK}") == {"1-4": held.id}


async def test_a_commit_whose_item_list_is_gone_writes_it_again(store: Store, raw: redis.Redis) -> None:
    binding, tries = make_binding(), 0

    class Losing(Store):
        async def put_items(self, items: Mapping[str, bytes], linger_s: int) -> None:
            nonlocal tries
            tries += 1
            await super().put_items(items, linger_s)
            if tries == 1:
                raw.delete("{sb}:items:" + binding.items)

    losing = Losing(store.url)
    await write(losing, BOOK, binds(binding, S4))
    await losing.close()
    assert tries == 2
    assert raw.ttl("{sb}:items:" + binding.items) == -1
