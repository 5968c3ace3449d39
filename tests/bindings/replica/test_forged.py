"""No forged store is adopted: what a replica serves is what slotbeam wrote.

What cannot be told apart without signatures, and is adopted: a whole next revision (records, digest and log entry
that fit each other, with whatever slots) by somebody who may write to the store, also when the log was emptied or its
entry of the served revision removed; a whole last-known-good file with its own SHA-256, by somebody who may write to
the data directory. Who may is what SECURITY.md is about.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from slotbeam.bindings.binding import canonical
from slotbeam.bindings.replica.lastgood import LastGood, file_name, folder, load, save, second
from slotbeam.bindings.replica.serving import judge
from slotbeam.bindings.replica.watch import Watcher
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import StoreUnavailable
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot
from support.forgeries import FORGERIES
from support.forging import Forgery, World, flipped
from support.live import binds, make_binding, make_listing, unbinds, until, watching, write
from support.replies import told

GUARD_S = 20.0
ROUNDS, EACH = 6, 3


class Silent(Store):
    """A store whose log hints at nothing: a replica looks when it is told to."""

    async def changed(self, revision: int) -> None:
        await asyncio.Event().wait()


@pytest.fixture
async def client(server: EmbeddedStore) -> AsyncIterator[Redis]:
    async with Redis.from_url(server.url) as made:
        yield made


def served(watcher: Watcher) -> tuple[Any, ...]:
    now = watcher.holder.current
    return now.overlay, now.epoch, now.revision, now.active


async def edit(store: Store, codebook: str, number: int, rng: random.Random) -> int:
    """A true edit: the first three bind, later ones replace one of these."""
    slot = Slot(1, 4 + number % 3)
    listing = await store.read(codebook)
    assert listing is not None
    if slot in listing.holders:
        await write(store, codebook, unbinds(listing.holders[slot]))
    ids = [f"i{rng.randrange(100):03d}" for _ in range(3)]
    done = await write(store, codebook, binds(make_binding(f"word{number}", ids=ids), slot), ids)
    return done.revision


async def forged(watcher: Watcher, kind: Forgery, bad: World, client: Redis) -> str:
    """Show `bad` to the replica. Returns the state it took, after checking that it serves what it served."""
    before = served(watcher)
    await bad.put(client)
    outcome = "refused"
    try:
        await watcher.sync()
        outcome = watcher.facts.state
    except StoreUnavailable:
        pass
    after = served(watcher)
    assert after[0] is before[0], f"{kind.name} was compiled: {bad}"
    assert after[1:] == before[1:], f"{kind.name} was adopted: {bad}"
    return outcome


async def test_no_forged_store_is_adopted_and_every_true_revision_is(
    store: Store, client: Redis, shop: Artifact, tmp_path: Path
) -> None:
    rng, outcomes, strangers = random.Random(4), Counter[str](), 0
    worlds = [await World.of(client, shop.codebook_sha)]
    silent = Silent(store.url)
    async with watching(silent, shop, tmp_path) as watcher:
        for number in range(3):
            await edit(store, shop.codebook_sha, number, rng)
            worlds.append(await World.of(client, shop.codebook_sha))
        for number in range(3, 3 + ROUNDS):
            revision = await edit(store, shop.codebook_sha, number, rng)
            await watcher.sync()
            assert served(watcher)[2] == revision, "a true revision is adopted"
            assert f"word{number}" in watcher.holder.current.overlay.words
            worlds.append(await World.of(client, shop.codebook_sha))
            for kind in FORGERIES * EACH:
                outcome = await forged(watcher, kind, kind.make(worlds, rng), client)
                assert outcome == "refused" if kind.refused else outcome.startswith("hold:"), kind.name
                outcomes[outcome] += 1
                if kind.alone and not kind.refused:
                    assert judge(None, await store.read(shop.codebook_sha)) in ("wait", "hold:DIVERGED"), kind.name
                    strangers += 1
                await worlds[-1].put(client)
                await watcher.sync()
                assert watcher.facts.state == "live", "the true store ends the hold"
        assert watcher.facts.reloads <= revision + 1, "each revision is compiled once at most"
        kept, problems = load(watcher.serving.path, shop.codebook_sha)
        assert kept is not None
        assert (kept.listing.revision, problems) == (revision, [])
    await silent.close()
    assert sum(outcomes.values()) == ROUNDS * EACH * len(FORGERIES) >= 500
    assert set(outcomes) == {"refused", "hold:DIVERGED", "hold:REGRESSED", "hold:NO_EPOCH"}
    assert strangers > 300


@pytest.mark.parametrize("seed", range(5))
async def test_a_forged_item_list_is_not_served(
    store: Store, client: Redis, shop: Artifact, tmp_path: Path, seed: int
) -> None:
    """Of a true revision the list that its hash does not fit is left out; the rest is served."""
    rng = random.Random(seed)
    one, two = make_binding("one", ids=["i001", "i002"]), make_binding("two", ids=["i003"])
    await write(store, shop.codebook_sha, binds(one, Slot(1, 4)), ["i001", "i002"])
    async with watching(store, shop, tmp_path) as watcher:
        assert await watcher.reached(1, GUARD_S)
        key, other = "{sb}:items:" + two.items, "{sb}:items:" + one.items
        others = told(bytes, await client.get(other))
        bad = [others, flipped(b'["i003"]', rng), b'["i003"', b"[]", b"\xff" * 9, b'["i003"] ', b""]
        for value in bad:
            async with client.pipeline(
                transaction=True
            ) as pipe:  # under the same commit: the script asks only if it is there
                pipe.delete(key)
                pipe.set(key, value)
                await pipe.execute()
            await write(store, shop.codebook_sha, binds(two, Slot(1, 5)), ["i003"])
            await watcher.sync()
            assert set(watcher.holder.current.overlay.words) == {"one"}
            assert watcher.facts.failed[two.id].startswith("NACK:ITEMS")
            await write(store, shop.codebook_sha, unbinds(two.id))
            await watcher.sync()
            assert watcher.facts.failed == {}
        await client.delete(key)
        await write(store, shop.codebook_sha, binds(two, Slot(1, 5)), ["i003"])
        await watcher.sync()
        assert set(watcher.holder.current.overlay.words) == {"one", "two"}


def resealed(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """A last-known-good file with `change` made, and the SHA-256 of that."""
    body = json.loads(data.partition(b"\n")[2])
    change(body)
    made = json.dumps(body, ensure_ascii=False).encode()
    return hashlib.sha256(made).hexdigest().encode() + b"\n" + made


def has_failed(watcher: Watcher) -> bool:
    return bool(watcher.facts.reload_failures)


def bad_file(good: bytes, number: int, rng: random.Random) -> bytes:
    """A last-known-good file that must not be believed."""
    digest, _, body = good.partition(b"\n")
    bad_values: dict[str, list[object]] = {
        "revision": ["7", 7.0, -1, None, True, [7], "9" * 400],
        "epoch": [1, None, ["e"]],
        "state": ["0" * 64, 0, None, []],
        "records": [{}, [], None, {"b_aaaa": "{}"}, {"b_aaaa": 1}],
        "slots": [[], None, {"1-4": ["b_aaaa"]}, {"1-4": 7}],
        "codebook": ["another", 7, None],
        "format": [0, 2, "1", None],
    }
    fields = [(name, value) for name, values in bad_values.items() for value in values]
    whole = [
        b"",
        b"\n",
        digest,
        good[: rng.randrange(len(good))],
        flipped(good, rng),
        digest + b"\n" + flipped(body, rng),
    ]
    whole += [flipped(digest, rng) + b"\n" + body, good + b" ", good[1:], body, b"[" * 100_000, rng.randbytes(200)]
    whole += [
        resealed(b"\n[]", lambda body: None),
        hashlib.sha256(b"[" * 9999).hexdigest().encode() + b"\n" + b"[" * 9999,
    ]
    if number % 2:
        name, value = fields[number // 2 % len(fields)]
        return resealed(good, lambda body: body.update({name: value}))
    return whole[number // 2 % len(whole)]


async def test_no_forged_file_is_booted_from(shop: Artifact, tmp_path: Path) -> None:
    """Without a store, each in its own directory: the older generation when that is whole, else nothing."""
    rng, binding = random.Random(4), make_binding("labubu")
    older, newer = (make_listing({Slot(1, 4): binding}, revision=revision) for revision in (6, 7))
    dead = Store(f"unix://{tmp_path}/nowhere")
    for number in range(64):
        async with asyncio.timeout(GUARD_S):
            directory = tmp_path / str(number)
            path = folder(directory) / file_name("data", shop.codebook_sha)
            save(path, shop.codebook_sha, LastGood(newer, {binding.items: ("i001", "i002")}))
            bad, spare = bad_file(path.read_bytes(), number, rng), number % 3 == 0
            if spare:
                save(path, shop.codebook_sha, LastGood(older, {binding.items: ("i001", "i002")}))
                second(path).write_bytes(path.read_bytes())
            path.write_bytes(bad)
            async with watching(dead, shop, directory) as watcher:
                await until(watcher, partial(has_failed, watcher))
                now = watcher.holder.current
                assert (now.revision, now.state) == ((6, "degraded") if spare else (0, "none")), bad
    await dead.close()


async def test_a_whole_file_is_booted_from_whatever_was_refused_before(shop: Artifact, tmp_path: Path) -> None:
    binding, dead = make_binding("labubu"), Store(f"unix://{tmp_path}/nowhere")
    listing = replace(make_listing({Slot(1, 4): binding}, revision=7))
    path = folder(tmp_path) / file_name("data", shop.codebook_sha)
    save(path, shop.codebook_sha, LastGood(listing, {binding.items: ("i001", "i002")}))
    path.write_bytes(resealed(path.read_bytes(), lambda body: None))
    assert canonical(json.loads(path.read_bytes().partition(b"\n")[2]))
    async with watching(dead, shop, tmp_path) as watcher:
        await until(watcher, partial(has_failed, watcher))
        assert watcher.holder.current.revision == 7
        assert set(watcher.holder.current.overlay.words) == {"labubu"}
    await dead.close()
