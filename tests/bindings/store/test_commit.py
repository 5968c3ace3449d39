"""Commits on a real store: whole or not at all, once, and never called failed when unsure."""

from __future__ import annotations

import asyncio
import inspect
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slotbeam.bindings.binding import EMPTY_STATE, Binding, encode_items, state_digest
from slotbeam.bindings.edits.plan import LINGER_S, LOG_KEPT, Change, Edit
from slotbeam.bindings.edits.wanted import MakeChange
from slotbeam.bindings.listing import Listing, first_free
from slotbeam.bindings.store import commit as module
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import (
    Conflict,
    IdempotencyReused,
    NoFreeSlot,
    OutcomeUnknown,
    SlotTaken,
    StoreError,
    StoreUnavailable,
    WordTaken,
)
from slotbeam.types import Slot
from support.live import NOW, binds, make_binding, unbinds, write
from support.replies import log_entries
from torture.proxy import Proxy

BOOK = "c0de"
S4, S5 = Slot(1, 4), Slot(1, 5)


async def test_a_new_store_is_initialised_once(store: Store, raw: redis.Redis) -> None:
    meta = raw.hgetall("{sb}:meta")
    assert not await store.initialise()
    assert raw.hgetall("{sb}:meta") == meta
    assert meta == {"epoch": meta["epoch"], "rev": "0", "state": EMPTY_STATE, "count": "0", "schema": "1"}


async def test_a_commit_writes_these_keys_and_no_other(store: Store, raw: redis.Redis) -> None:
    binding = make_binding("labubu", "拉布布")
    done = await write(store, BOOK, binds(binding, S4), idempotency_key="key-1", fingerprint="f")
    stamped = replace(binding, revision=1)
    assert done == module.Committed(1, (Edit(None, stamped, S4),), False, "appendfsync always")
    items = "{sb}:items:" + binding.items
    assert set(raw.keys()) == {
        *("{sb}:meta", "{sb}:binding", "{sb}:slots:c0de", "{sb}:word", "{sb}:log", "{sb}:idem"),
        items,
    }
    state = state_digest({binding.id: stamped.record()})
    meta = raw.hgetall("{sb}:meta")
    assert (meta["rev"], meta["count"], meta["state"]) == ("1", "1", state)
    assert raw.hgetall("{sb}:binding") == {binding.id: stamped.record().decode()}
    assert raw.hgetall("{sb}:slots:c0de") == {"1-4": binding.id}
    assert raw.hgetall("{sb}:word") == {"labubu": binding.id, "拉布布": binding.id}
    assert raw.get(items) == '["i001","i002"]'
    assert raw.ttl(items) == -1
    [(entry, fields)] = log_entries(str, raw.xrange("{sb}:log"))
    assert entry == "1-0"
    assert (fields["op"], fields["actor"], fields["state"], fields["key"]) == ("bind", "test", state, "key-1")
    assert json.loads(fields["changes"])[0]["after"] == stamped.record().decode()
    assert json.loads(raw.hget("{sb}:idem", "key-1") or "")["revision"] == 1


async def test_unbinding_leaves_nothing_but_the_log(store: Store, raw: redis.Redis) -> None:
    binding = make_binding()
    await write(store, BOOK, binds(binding, S4))
    await write(store, BOOK, unbinds(binding.id))
    assert raw.hgetall("{sb}:binding") == raw.hgetall("{sb}:slots:c0de") == raw.hgetall("{sb}:word") == {}
    assert raw.hget("{sb}:meta", "state") == EMPTY_STATE
    assert 0 < raw.ttl("{sb}:items:" + binding.items) <= LINGER_S
    assert [entry["op"] for entry in await store.log()] == ["unbind", "bind"]


async def test_an_item_list_that_another_binding_uses_stays(store: Store, raw: redis.Redis) -> None:
    one, two = make_binding("a"), make_binding("b")
    await write(store, BOOK, binds(one, S4))
    await write(store, BOOK, binds(two, S5))
    await write(store, BOOK, unbinds(one.id))
    assert raw.ttl("{sb}:items:" + two.items) == -1


async def test_the_same_key_and_request_answers_again_and_does_nothing(store: Store, raw: redis.Redis) -> None:
    first = await write(store, BOOK, binds(make_binding(), S4), idempotency_key="k", fingerprint="f")
    before = raw.hgetall("{sb}:meta")
    again = await write(store, BOOK, binds(make_binding(), S4), idempotency_key="k", fingerprint="f")
    assert again == replace(first, replayed=True)
    assert raw.hgetall("{sb}:meta") == before
    with pytest.raises(IdempotencyReused, match=r"used for another request \(revision 1\)"):
        await write(store, BOOK, binds(make_binding(), S4), idempotency_key="k", fingerprint="other")
    raw.hset("{sb}:idem", "k", "[")
    with pytest.raises(IdempotencyReused, match="cannot be read; use a new key"):
        await write(store, BOOK, binds(make_binding(), S4), idempotency_key="k", fingerprint="f")


async def test_a_taken_word_or_slot_changes_nothing(store: Store, raw: redis.Redis) -> None:
    await write(store, BOOK, binds(make_binding("crocs"), S4))
    before = raw.hgetall("{sb}:meta"), raw.hgetall("{sb}:binding"), raw.xlen("{sb}:log")
    with pytest.raises(WordTaken):
        await write(store, BOOK, binds(make_binding("crocs"), S5))
    with pytest.raises(SlotTaken):
        await write(store, BOOK, binds(make_binding("labubu"), S4))
    assert before == (raw.hgetall("{sb}:meta"), raw.hgetall("{sb}:binding"), raw.xlen("{sb}:log"))


async def test_the_script_itself_refuses_what_was_written_past_us(store: Store, raw: redis.Redis) -> None:
    """Words and slots are checked on the server, too: here the indexes disagree with the records."""
    other = make_binding("crocs")
    await write(store, BOOK, binds(other, S4))
    raw.hset("{sb}:word", "labubu", other.id)
    with pytest.raises(WordTaken, match=other.id):
        await write(store, BOOK, binds(make_binding("labubu"), S5))
    raw.hset("{sb}:slots:c0de", "1-5", "b_gone")  # a dangling entry is no holder
    assert (await write(store, BOOK, binds(make_binding("clogs"), S5))).revision == 2


async def test_a_batch_with_one_bad_edit_applies_nothing(store: Store, raw: redis.Redis) -> None:
    edits = (Edit(None, make_binding("a"), S4), Edit(None, make_binding("b"), S4))
    with pytest.raises(SlotTaken):
        await write(store, BOOK, lambda listing: Change("import", edits))
    assert raw.hget("{sb}:meta", "rev") == "0"


async def test_concurrent_commits_of_several_writers_all_succeed(server: EmbeddedStore, store: Store) -> None:
    others = [Store(server.url) for _ in range(3)]
    try:

        def taking(word: str) -> MakeChange:
            binding = make_binding(word)
            return lambda ls: Change("bind", (Edit(None, binding, first_free(ls, 1, range(4, 40), "brand")),))

        done = await asyncio.gather(
            *(write(s, BOOK, taking(f"w{i}-{j}")) for i, s in enumerate([store, *others]) for j in range(6))
        )
    finally:
        for other in others:
            await other.close()
    assert sorted(c.revision for c in done) == list(range(1, 25))
    listing = await store.read(BOOK)
    assert listing is not None
    assert (listing.revision, len(listing.placed), len(listing.holders)) == (24, 24, 24)
    assert listing.verify()


async def test_a_read_during_writes_is_never_torn(server: EmbeddedStore, store: Store) -> None:
    writer, stop = Store(server.url), asyncio.Event()

    async def churn() -> None:
        while not stop.is_set():
            binding = make_binding()
            await write(writer, BOOK, binds(binding, S4))
            await write(writer, BOOK, unbinds(binding.id))

    task = asyncio.create_task(churn())
    seen = set()
    for _ in range(300):
        listing = await store.read(BOOK)
        assert listing is not None
        assert listing.verify()
        assert set(listing.slots.values()) == set(listing.records)
        seen.add(listing.revision)
    stop.set()
    await task
    await writer.close()
    assert len(seen) > 5


async def test_the_script_is_sent_again_when_the_server_forgot_it(store: Store, raw: redis.Redis) -> None:
    await write(store, BOOK, binds(make_binding("a"), S4))
    raw.script_flush()
    assert (await write(store, BOOK, binds(make_binding("b"), S5))).revision == 2


async def test_idempotency_keys_are_pruned_with_the_log(store: Store, raw: redis.Redis) -> None:
    async def bind_and_unbind(number: int) -> None:
        binding = make_binding()
        await write(store, BOOK, binds(binding, S4), idempotency_key=f"bind-{number}")
        await write(store, BOOK, unbinds(binding.id), idempotency_key=f"unbind-{number}")

    await bind_and_unbind(1)
    await bind_and_unbind(2)
    raw.hset("{sb}:meta", "rev", LOG_KEPT - 1)  # as many others might have brought it there
    await bind_and_unbind(3)
    assert set(raw.hkeys("{sb}:idem")) == {"bind-2", "unbind-2", "bind-3", "unbind-3"}
    await bind_and_unbind(4)
    assert set(raw.hkeys("{sb}:idem")) == {"bind-3", "unbind-3", "bind-4", "unbind-4"}


@pytest.mark.parametrize(
    ("name", "value", "usual", "why"),
    [
        ("appendonly", "no", "yes", "keeps nothing on disk"),
        ("maxmemory-policy", "allkeys-lru", "noeviction", r"may evict bindings \(allkeys-lru\)"),
    ],
)
async def test_a_strict_store_refuses_writes_it_could_lose(
    server: EmbeddedStore, store: Store, raw: redis.Redis, name: str, value: str, usual: str, why: str
) -> None:
    lenient = Store(server.url)
    raw.config_set(name, value)
    try:
        with pytest.raises(StoreUnavailable, match=f"writes are refused: .*{why}"):
            await write(store, BOOK, binds(make_binding("a"), S4))
        assert raw.hget("{sb}:meta", "rev") == "0"
        assert (await write(lenient, BOOK, binds(make_binding("a"), S4))).durability == "unknown"
    finally:
        raw.config_set(name, usual)
        await lenient.close()


async def test_without_fsync_always_each_commit_waits_for_the_disk(store: Store, raw: redis.Redis) -> None:
    raw.config_set("appendfsync", "everysec")
    try:
        assert (await write(store, BOOK, binds(make_binding("a"), S4))).durability == "waitaof"
    finally:
        raw.config_set("appendfsync", "always")


async def test_an_answer_that_is_given_again_waits_for_the_disk_too(store: Store, raw: redis.Redis) -> None:
    """The first answer may have been that the disk did not confirm it: asking again is no way around that."""
    raw.config_set("appendfsync", "everysec")
    other = Store(store.url)  # whose connection has written nothing that WAITAOF could wait for
    try:
        await write(store, BOOK, binds(make_binding("a"), S4), idempotency_key="k")
        raw.config_resetstat()
        again = await write(other, BOOK, binds(make_binding("a"), S4), idempotency_key="k")
        assert (again.revision, again.replayed, again.durability) == (1, True, "waitaof")
        calls = raw.info("commandstats")
        assert (calls["cmdstat_hset"]["calls"], calls["cmdstat_waitaof"]["calls"] > 0) == (1, True)
    finally:
        raw.config_set("appendfsync", "always")
        await other.close()


@pytest.mark.parametrize("refusal", ["replica", "full"])
async def test_a_store_that_takes_no_writes_is_unavailable_and_unchanged(
    store: Store, raw: redis.Redis, refusal: str
) -> None:
    before = raw.hgetall("{sb}:meta")
    binding = make_binding("a")
    await store.redis.set(store.key(f"items:{binding.items}"), encode_items(["i001", "i002"])[1])
    if refusal == "replica":
        raw.replicaof("127.0.0.1", "1")
    else:
        raw.config_set("maxmemory", "1")
    try:
        with pytest.raises(StoreUnavailable, match="nothing was written"):
            await module.commit(store, BOOK, binds(binding, S4))
    finally:
        raw.replicaof("NO", "ONE")
        raw.config_set("maxmemory", "0")
    assert raw.hgetall("{sb}:meta") == before


async def test_a_log_that_is_ahead_refuses_the_commit_before_any_write(store: Store, raw: redis.Redis) -> None:
    raw.xadd("{sb}:log", {"op": "elsewhere"}, id="9-0")
    with pytest.raises(StoreError, match=r"did not write.*nothing was written"):
        await write(store, BOOK, binds(make_binding("a"), S4))
    assert raw.hgetall("{sb}:binding") == {}
    assert raw.hget("{sb}:meta", "rev") == "0"


async def test_a_key_of_another_type_refuses_the_commit_before_any_write(store: Store, raw: redis.Redis) -> None:
    raw.set("{sb}:word", "tampered")
    with pytest.raises(StoreError, match="did not write"):
        await write(store, BOOK, binds(make_binding("a"), S4))
    assert raw.xlen("{sb}:log") == 0


async def test_a_store_without_an_epoch_takes_no_commit(store: Store, raw: redis.Redis) -> None:
    raw.flushall()
    with pytest.raises(StoreUnavailable, match="no epoch"):
        await write(store, BOOK, binds(make_binding("a"), S4))
    assert raw.keys() == []


def has_script(chunk: bytes) -> bool:
    return b"EVALSHA" in chunk


async def test_a_lost_reply_is_looked_up_and_acknowledged(server: EmbeddedStore, store: Store, tmp_path: Path) -> None:
    await write(store, BOOK, binds(make_binding("other"), S5))  # the server knows the script
    async with Proxy(tmp_path / "sock", server.socket_path) as proxy:
        through = Store(proxy.url)
        proxy.lose_reply(has_script)
        done = await write(through, BOOK, binds(make_binding("a"), S4))
        await through.close()
    assert (done.revision, done.replayed, done.durability) == (2, False, "appendfsync always")


async def test_an_edit_whose_reply_was_lost_waits_for_the_disk_too(
    server: EmbeddedStore, store: Store, raw: redis.Redis, tmp_path: Path
) -> None:
    await write(store, BOOK, binds(make_binding("other"), S5))  # the server knows the script
    raw.config_set("appendfsync", "everysec")
    try:
        async with Proxy(tmp_path / "sock", server.socket_path) as proxy:
            through = Store(proxy.url)
            proxy.lose_reply(has_script)
            raw.config_resetstat()
            done = await write(through, BOOK, binds(make_binding("a"), S4))
            await through.close()
        assert (done.revision, done.durability) == (2, "waitaof")
        assert raw.info("commandstats")["cmdstat_waitaof"]["calls"] >= 2, "the commit's, and that of what was found"
    finally:
        raw.config_set("appendfsync", "always")


async def test_an_unsure_outcome_says_so_and_the_key_tells_later(
    server: EmbeddedStore, store: Store, raw: redis.Redis, tmp_path: Path
) -> None:
    """The server does not know the script yet: what is lost is that it has to be sent again, and it never ran."""
    raw.script_flush()
    async with Proxy(tmp_path / "sock", server.socket_path) as proxy:
        through = Store(proxy.url, lookup_s=0.05)
        proxy.lose_reply(has_script)
        with pytest.raises(OutcomeUnknown, match="may have been written") as error:
            await write(through, BOOK, binds(make_binding("a"), S4), idempotency_key="k", fingerprint="f")
        await through.close()
    assert error.value.details == {"outcome": "unknown", "idempotency_key": "k"}
    assert raw.hget("{sb}:meta", "rev") == "0"
    assert not (await write(store, BOOK, binds(make_binding("a"), S4), idempotency_key="k", fingerprint="f")).replayed


async def test_a_dead_store_is_unavailable(tmp_path: Any) -> None:
    dead = Store(f"unix://{tmp_path}/none")
    with pytest.raises(StoreUnavailable, match=r"did not answer .*nothing was written"):
        await write(dead, BOOK, binds(make_binding("a"), S4))
    await dead.close()


ASKED: dict[str, tuple[Any, ...]] = {
    "read": (BOOK,),
    "changed": (0,),
    "items": (["aa"],),
    "put_items": ({"aa": b"[]"}, 60),
    "used_for": ("key",),
    "commits": ([1],),
    "beat": ("r1", {}),
    "forget": ("r1",),
    "publish_stats": ("r1", {}),
    "dismiss": ("word", {}),
}


async def test_what_a_silent_store_is_said_to_do_claims_nothing_about_a_write(tmp_path: Any) -> None:
    """The text may be told beside a commit that was acknowledged."""
    dead = Store(f"unix://{tmp_path}/none")
    questions = [name for name, _ in inspect.getmembers(Store, inspect.iscoroutinefunction) if name[0] != "_"]
    assert {*ASKED, "replicas", "durability", "log"} < set(questions)
    for name in set(questions) - {"close"}:
        with pytest.raises(StoreError, match="did not answer") as told:
            await getattr(dead, name)(*ASKED.get(name, ()))
        assert "written" not in str(told.value), name
    await dead.close()


async def test_a_store_that_falls_silent_on_a_replay_is_not_said_to_hold_nothing(store: Store) -> None:
    await write(store, BOOK, binds(make_binding("a"), S4), idempotency_key="k", fingerprint="f")

    class Silent(Store):
        async def log(self, count: int = 100, before: int | None = None) -> list[dict[str, Any]]:
            raise StoreUnavailable("the store did not answer")

    silent = Silent(store.url)
    with pytest.raises(OutcomeUnknown, match="made revision 1, but the store did not answer") as told:
        await write(silent, BOOK, binds(make_binding("a"), S4), idempotency_key="k", fingerprint="f")
    await silent.close()
    assert "nothing was written" not in str(told.value)


# ---------------------------------------------------------------- against a pure model


@dataclass
class Model:
    """The store as a dictionary: what a commit must do, in ten lines."""

    revision: int = 0
    bindings: dict[str, Binding] = field(default_factory=dict)
    slots: dict[int, str] = field(default_factory=dict)

    def bind(self, binding: Binding) -> bool:
        free = [slot for slot in range(4, 7) if slot not in self.slots]
        taken = {word for b in self.bindings.values() for word in b.words}
        if taken & set(binding.words) or not free:
            return False
        self.revision += 1
        self.slots[free[0]] = binding.id
        self.bindings[binding.id] = replace(binding, revision=self.revision)
        return True

    def unbind(self, word: str) -> str | None:
        key = next((b.id for b in self.bindings.values() if word in b.words), None)
        if key is not None:
            self.revision += 1
            del self.bindings[key]
            self.slots = {slot: owner for slot, owner in self.slots.items() if owner != key}
        return key


steps = st.lists(
    st.tuples(st.booleans(), st.lists(st.sampled_from("abcde"), min_size=1, max_size=2, unique=True)), max_size=10
)


@given(steps=steps)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_commits_follow_the_model(server: EmbeddedStore, raw: redis.Redis, steps: list[tuple[bool, list[str]]]) -> None:
    async def play() -> None:
        store, model = Store(server.url, strict=True), Model()
        raw.flushall()
        await store.initialise()
        for adds, words in steps:
            if adds:
                binding = make_binding(*words)

                def change(listing: Listing, binding: Binding = binding) -> Change:
                    return Change("bind", (Edit(None, binding, first_free(listing, 1, range(4, 7), "brand")),), "", NOW)

                expected = model.bind(binding)
                try:
                    await write(store, BOOK, change)
                    assert expected
                except (Conflict, NoFreeSlot):
                    assert not expected
            else:
                key = model.unbind(words[0])
                if key is not None:
                    await write(store, BOOK, unbinds(key))
            listing = await store.read(BOOK)
            assert listing is not None
            assert listing.verify()
            assert listing.revision == model.revision
            assert dict(listing.bindings) == model.bindings
            assert listing.slots == {f"1-{slot}": owner for slot, owner in model.slots.items()}
            assert raw.hgetall("{sb}:word") == {word: b.id for b in model.bindings.values() for word in b.words}
        await store.close()

    asyncio.run(play())
