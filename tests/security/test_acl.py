"""The users of the store (deploy/redis/users.acl): each does its work, and nothing else the server knows."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from slotbeam.api.admin import create_admin_app
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.bindings.recovery.backup import newest_last_good
from slotbeam.bindings.recovery.restore import plan_restore, restore
from slotbeam.bindings.store.commit import _SCRIPT as COMMIT
from slotbeam.bindings.store.store import Store
from slotbeam.cli.doctor.finding import GOOD, WARN
from slotbeam.cli.doctor.store import examine_store
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from slotbeam.types import Slot
from support.clients import client_of
from support.live import NOW, binds, make_binding, write
from support.secured import REDIS, Secured, passwords

ALWAYS = {"auth", "hello", "quit", "reset"}
"""Who a connection is, and its end: no server refuses these."""
ALLOWED = {
    "serve": "ping select multi exec discard hgetall mget xread xrange xrevrange set del",
    "admin": "ping select echo readonly readwrite asking wait waitaof multi exec discard eval evalsha exists type scan "
    "expire persist pttl set mget del hget hmget hgetall hkeys hexists hset hsetnx hdel xadd xread xrange xrevrange "
    "time info config|get",
}
NEVER = (
    "flushall flushdb config|set config|rewrite acl|setuser acl|whoami shutdown debug keys module|load replicaof save \
bgrewriteaof migrate restore function|load script|flush client|kill client|pause monitor sync failover rename swapdb"
)
BINDINGS = [
    f"{{sb}}:{name}" for name in ("meta", "binding", "slots:abc", "items:abc", "word", "log", "idem", "dismissed")
] + [f"{{sb}}:{name}" for name in ("imeta", "item", "feed", "iidem", "index")]
OWN = ("{sb}:replica:", "{sb}:stats:")
UNREAD = [
    "{sb}:word",
    "{sb}:idem",
    "{sb}:iidem",
    "{sb}:dismissed",
    "{sb}:replica:r1",
    "{sb}:stats:r1",
    "elsewhere",
    "{sb}",
]


def send(store: Secured, user: str, *words: str) -> Any:
    """The reply to one command on a connection of its own; an error reply is returned."""
    connection = store.client(user).connection_pool.make_connection()
    try:
        connection.connect()
        connection.send_command(*words)
        return connection.read_response()
    except redis.ResponseError as error:
        return error
    finally:
        connection.disconnect()


def refused(reply: Any) -> bool:
    """By the user's rules, or because the server refuses it to everyone (DEBUG, MODULE)."""
    return isinstance(reply, redis.exceptions.NoPermissionError) or "command not allowed." in str(reply)


def contents(store: Secured) -> dict[str, Any]:
    """Everything of the bindings, as the admin user reads it."""
    with store.client("admin") as client:
        found: dict[str, Any] = {}
        for key in sorted(client.scan_iter("{sb}:*")):
            kind = client.type(key)
            read = {"hash": client.hgetall, "string": lambda key: client.mget([key]), "stream": client.xrange}[kind]
            found[key] = read(key)
        return found


async def bound(store: Secured) -> None:
    """One binding in the store."""
    admin = Store(store.url("admin"), strict=True)
    await admin.initialise()
    await write(admin, "abc", binds(make_binding(), Slot(1, 4)))
    await admin.dismiss("pop", {"at": NOW})
    await admin.close()


@pytest.mark.parametrize("user", ALLOWED)
def test_a_user_may_send_its_commands_and_no_other_that_the_server_knows(guarded: Secured, user: str) -> None:
    known = {name: words for name, words in guarded.commands.items() if name not in ALWAYS}
    assert set(NEVER.split()) <= set(known)
    sent = {}
    for name, words in known.items():
        argv = name.split("|")
        sent[name] = send(guarded, user, *argv, *["{sb}:binding"] * (words - len(argv)))
    runs = {name for name, reply in sent.items() if not (refused(reply) and " command" in str(reply))}
    assert runs == set(ALLOWED[user].split()) & set(known)


async def test_serve_reads_what_it_serves_and_nothing_else(guarded: Secured) -> None:
    await bound(guarded)
    items = next(key for key in contents(guarded) if key.startswith("{sb}:items:"))
    assert send(guarded, "serve", "HGETALL", "{sb}:binding")
    assert send(guarded, "serve", "XRANGE", "{sb}:log", "-", "+")
    assert send(guarded, "serve", "MGET", items) != [None]
    for key in UNREAD:
        for command in (["HGETALL", key], ["MGET", key], ["MGET", items, key], ["XRANGE", key, "-", "+"]):
            assert refused(send(guarded, "serve", *command)), command


async def test_serve_cannot_write_what_it_serves(guarded: Secured) -> None:
    await bound(guarded)
    before = contents(guarded)
    for key in [*BINDINGS, *before, "elsewhere"]:
        for command in (
            ["SET", key, "x"],
            ["DEL", key],
            ["DEL", "{sb}:replica:r1", key],
            ["SET", key, "x", "NX", "PX", "1"],
        ):
            assert refused(send(guarded, "serve", *command)), command
    assert refused(send(guarded, "serve", "SET", "{sb}:replica:r1", "x", "GET"))
    keys = BINDINGS[:6]
    assert refused(send(guarded, "serve", "EVAL", COMMIT.text, str(len(keys)), *keys, json.dumps({"epoch": "e"})))
    with guarded.client("serve") as client:
        transaction = client.pipeline(transaction=True).hgetall("{sb}:meta").delete("{sb}:meta")
        with pytest.raises(redis.exceptions.NoPermissionError):
            transaction.execute()
    assert contents(guarded) == before


WORDS = [*ALLOWED["serve"].split(), *NEVER.split(), "get", "xadd", "hset", "eval", "copy", "restore", "sort", "store"]
WORDS += [*BINDINGS, *UNREAD, "{sb}:replica:x", "nx", "streams", "0", "1", "*"]
COMMANDS = st.sampled_from(["set", "del"]) | st.sampled_from(WORDS)
KEYS = st.sampled_from([*BINDINGS, "{sb}:replica:x"]) | st.sampled_from(WORDS)
FURTHER = st.lists(st.sampled_from(WORDS), max_size=5)
LINES = st.builds(lambda command, key, further: [command, key, *further], COMMANDS, KEYS, FURTHER)


async def test_no_line_that_serve_can_send_changes_a_binding(guarded: Secured) -> None:
    await bound(guarded)
    before = contents(guarded)

    @settings(max_examples=300, suppress_health_check=list(HealthCheck))
    @given(LINES)
    def any_line(line: list[str]) -> None:
        send(guarded, "serve", *line[0].split("|"), *line[1:])

    any_line()
    assert {key: value for key, value in contents(guarded).items() if not key.startswith(OWN)} == before


@pytest.mark.parametrize("words", [["GET", "elsewhere"], ["DEL", "elsewhere"], ["HSET", "sb:binding", "b", "{}"]])
def test_admin_touches_no_key_of_others(guarded: Secured, words: list[str]) -> None:
    assert refused(send(guarded, "admin", *words))
    script = f"return redis.call({', '.join(map(repr, words))})"
    assert isinstance(send(guarded, "admin", "EVAL", script, "0"), redis.ResponseError)


@pytest.mark.parametrize(
    "script", ["redis.call('FLUSHALL')", "redis.call('CONFIG','SET','appendonly','no')", "redis.call('KEYS','*')"]
)
def test_a_script_of_admin_may_do_no_more_than_admin(guarded: Secured, script: str) -> None:
    assert isinstance(send(guarded, "admin", "EVAL", f"return {script}", "0"), redis.ResponseError)
    assert guarded.client("admin").config_get("append*")["appendonly"] == "yes"


def test_without_a_user_nothing_is_answered(guarded: Secured) -> None:
    for url in (f"unix://{guarded.socket}", f"unix://default@{guarded.socket}", f"unix://:{'x' * 20}@{guarded.socket}"):
        with redis.Redis.from_url(url, driver_info=None) as client, pytest.raises(redis.RedisError) as error:
            client.ping()
        assert isinstance(error.value, redis.AuthenticationError), url


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await true():
            await asyncio.sleep(0.005)


async def test_both_planes_do_all_their_work_through_their_users(
    guarded: Secured, shop: Artifact, tmp_path: Path
) -> None:
    token = "t" * 32
    folders = {user: tmp_path / user for user in ALLOWED}
    given: dict[str, dict[str, Any]] = {
        user: {"redis_url": guarded.url(user), "data_dir": path} for user, path in folders.items()
    }
    serve = create_data_app(Settings(**given["serve"], replica_id="serve-1"), shop)
    admin = create_admin_app(Settings(**given["admin"], replica_id="admin-1", admin_token=SecretStr(token)), shop)
    async with client_of(admin) as ops, client_of(serve) as data:
        ops.headers["authorization"] = f"Bearer {token}"

        async def ready() -> bool:
            return all([(await client.get("/readyz")).status_code == 200 for client in (ops, data)])

        async def served(count: int) -> bool:
            return len((await data.post("/retrieve", json={"query": "labubu"})).json()["applied_bindings"]) == count

        await until(ready)
        body = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i003"]}}
        made = await ops.post("/admin/slots?wait=all&timeout=20s", json=body)
        assert made.status_code == 201, made.text
        assert made.json()["durability"] == "appendfsync always"
        assert {row["id"] for row in made.json()["propagation"]["replicas"]} == {"serve-1", "admin-1"}
        assert await served(1)
        plane = serve.state.plane
        await data.post("/retrieve", json={"query": "zorblax"})
        store = Store(guarded.url("serve"))
        assert await plane.trends.report(store, "serve-1")
        assert (await ops.get("/admin/suggestions")).json()["queries"] >= 1
        assert (await ops.post("/admin/suggestions/zorblax:dismiss")).json()["new"]
        for path in ("/admin/replicas", "/admin/audit"):
            assert (await ops.get(path)).status_code == 200

        with guarded.client("admin") as client:  # what the admin user can destroy, it can bring back
            client.delete(*client.scan_iter("{sb}:*"))

        async def held() -> bool:
            return bool((await data.get("/info")).json()["bindings"]["state"] == "hold:NO_EPOCH")

        await until(held)
        assert await served(1)
        control = Store(guarded.url("admin"))
        plan = await plan_restore(
            control, newest_last_good(folders["serve"], shop.codebook_sha), shop.codebook_sha, tmp_path
        )
        assert await restore(control, plan, "test", NOW) == "appendfsync always"
        gone = {"words": ["crocs"], "category": "brand", "items": {"ids": ["i004"]}}

        async def again() -> bool:
            return (await ops.post("/admin/slots?wait=all&timeout=20s", json=gone)).status_code in (201, 409)

        await until(again)
        slot = made.json()["slot"]
        etag = (await ops.get(f"/admin/slots/{slot}")).headers["etag"]
        unbound = await ops.delete(f"/admin/slots/{slot}?wait=all&timeout=20s", headers={"if-match": etag})
        assert unbound.status_code == 200, unbound.text
        assert await served(0)
        found = await examine_store(control, shop.codebook_sha)
        assert {mark for _, mark, _ in found} == {GOOD}, found
        for used in (store, control):
            await used.close()
    stats = guarded.client("admin").info("stats")  # Redis 7.0 does not count yet
    assert not [name for name, count in stats.items() if name.startswith("acl_access_denied") and count]


async def test_doctor_says_what_the_user_of_a_data_plane_may_not_ask(guarded: Secured) -> None:
    await bound(guarded)
    store = Store(guarded.url("serve"))
    found = {name: (mark, text) for name, mark, text in await examine_store(store, "abc")}
    await store.close()
    assert found["store"][0] == found["items"][0] == GOOD
    assert list(found) == ["store", "items", "replicas"]
    mark, text = found["replicas"]
    assert mark == WARN
    assert "may not ask for replicas, durability" in text


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"serve": ""}, "PASSWORD: is not set"),
        ({"admin": "short"}, "the password of admin has 5 characters; give at least 16"),
        ({"admin": "with/a/slash/and/@/signs"}, "may have letters, digits"),
    ],
)
def test_a_store_without_good_passwords_does_not_start(tmp_path: Path, changed: dict[str, str], why: str) -> None:
    (tmp_path / "redis-server").symlink_to("/bin/true")
    variables = {**os.environ, **passwords(**changed), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", REDIS / "start.sh"], env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert why in done.stderr
    assert not any(word in done.stderr for word in changed.values() if word)
