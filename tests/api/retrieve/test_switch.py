"""Two codebooks at once: the switch from one artifact to the next, which has absorbed a binding, under load."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from pydantic import SecretStr

from slotbeam.api.admin import create_admin_app
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from slotbeam_train.command import train
from support.absorbing import IDS, LABUBU, small_options, write_bindings, write_world
from support.clients import AppClient, client_of
from support.processes import Up, wait_for

TOKEN = "t" * 32
HANG_S, DRAIN_S = 60, 2
CROCS = ("i020", "i021")
K = 160


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Artifact, Artifact]:
    """The artifact that serves, and the next one, which has absorbed "labubu"."""
    folder = tmp_path_factory.mktemp("switch")
    world, options = write_world(folder / "world"), small_options(steps=8)
    file = write_bindings(folder / "bindings.json", LABUBU)
    old = train(world, folder / "old", options=options)
    new = train(world, folder / "new", options=options, absorb=[file])
    return Artifact.load(old), Artifact.load(new)


@contextlib.asynccontextmanager
async def a_plane(kind: str, artifact: Artifact, url: str, folder: Path, name: str) -> AsyncIterator[AppClient]:
    """A ready plane of its own, with its own data directory."""
    settings = Settings(
        data_dir=folder / name, redis_url=url, admin_token=SecretStr(TOKEN), replica_id=name, workers=1, queue=64
    )
    settings.data_dir.mkdir()
    app = create_data_app(settings, artifact) if kind == "data" else create_admin_app(settings, artifact)
    async with client_of(app) as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        async with asyncio.timeout(HANG_S):
            while (await client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.005)
        yield client


async def replicas(admin: httpx.AsyncClient, revision: int, *names: str) -> dict[str, dict[str, Any]]:
    """The heartbeats of `names`, once each says that it has applied `revision`."""
    async with asyncio.timeout(HANG_S):
        while True:
            found = {r["id"]: r for r in (await admin.get("/admin/replicas")).json()["replicas"]}
            if all(name in found and found[name]["revision"] >= revision for name in names):
                return found
            await asyncio.sleep(0.02)


class Load:
    """Clients that never stop asking whatever planes are in front; every answer is checked."""

    def __init__(self, slot: tuple[int, int]) -> None:
        self.front: list[httpx.AsyncClient] = []
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._slot = slot

    async def ask(self, query: str, wanted: tuple[str, ...], number: int) -> None:
        client = self.front[number % len(self.front)]
        response = await client.post("/retrieve", json={"query": query, "k": K})
        if response.status_code != 200:
            self.wrong.append(f"{response.status_code} {response.text}")
            return
        answer = response.json()
        self.answers[f"{query} {answer['model']}"] += 1
        first = [item["id"] for item in answer["items"]]
        if answer["applied_bindings"]:
            good = set(first[: len(wanted)]) == set(wanted)
        else:  # the word is the model's own: its slot stands in the query's SID, and its items are there
            places = {(place["position"], place["slot"]) for place in answer["query_sid"]}
            good = query == "labubu" and self._slot in places and set(wanted) <= set(first)
        if not good:
            self.wrong.append(f"{query}: {answer['applied_bindings']} {first[:8]}")

    async def run(self, query: str, wanted: tuple[str, ...]) -> None:
        number = 0
        while True:
            await self.ask(query, wanted, number)
            number += 1
            await asyncio.sleep(0)

    async def more(self, model: str, count: int = 20) -> None:
        """Wait until `model` has answered `count` further requests of each kind."""
        kinds = [f"{query} {model}" for query in ("labubu", "crocs")]
        goal = {kind: self.answers[kind] + count for kind in kinds}
        async with asyncio.timeout(HANG_S):
            while any(self.answers[kind] < goal[kind] for kind in kinds) and not self.wrong:
                await asyncio.sleep(0.005)


async def test_the_switch_of_artifacts_under_load_loses_no_binding_and_no_request(
    artifacts: tuple[Artifact, Artifact], raw: redis.Redis, server: EmbeddedStore, tmp_path: Path
) -> None:
    old, new = artifacts
    assert old.codebook_sha != new.codebook_sha
    concept = new.kae.dictionary.concept_of("labubu")
    assert concept is not None
    slot = new.kae.codebook.slot_of(concept)
    # The manifest's name tells the answers of the two apart.
    old.manifest["name"], new.manifest["name"] = "old", "new"
    load = Load((slot.position, slot.index))
    async with contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        old_admin = await enter(a_plane("admin", old, server.url, tmp_path, "old-admin"))
        old_data = contextlib.AsyncExitStack()
        a = await old_data.enter_async_context(a_plane("data", old, server.url, tmp_path, "old-data"))
        stack.push_async_callback(old_data.aclose)
        revision, bound = 0, {}
        for words, ids in ((LABUBU["words"], IDS), (["crocs"], CROCS)):
            body = {"words": words, "category": "brand", "items": {"ids": list(ids)}}
            made = await old_admin.post("/admin/slots?wait=all&timeout=30s", json=body)
            assert made.status_code in (200, 201), made.text
            revision, bound[words[0]] = made.json()["revision"], made.json()
        await replicas(old_admin, revision, "old-data")

        load.front = [a]
        jobs = [asyncio.create_task(load.run(*job)) for job in (("labubu", IDS), ("crocs", CROCS))]
        await load.more("old")

        # The new replicas start beside the old ones: there the absorbed binding is no failure, the other has no slot.
        b = await enter(a_plane("data", new, server.url, tmp_path, "new-data"))
        new_admin = await enter(a_plane("admin", new, server.url, tmp_path, "new-admin"))
        seen = await replicas(new_admin, revision, "old-data", "new-data", "new-admin")
        assert seen["old-data"]["failed"] == {}
        assert list(seen["new-data"]["failed"]) == [bound["crocs"]["id"]]
        assert seen["new-data"]["failed"][bound["crocs"]["id"]].startswith("NACK:MODEL")
        assert [client.app.state.whole() for client in (a, b)] == [True, False]

        # It gets a slot of the new codebook; then all is live in both, and the new plane joins.
        etag = (await new_admin.get(f"/admin/slots/{bound['crocs']['id']}")).headers["etag"]
        placed = await new_admin.patch(
            f"/admin/slots/{bound['crocs']['id']}?wait=all&timeout=30s", json={}, headers={"if-match": etag}
        )
        assert placed.status_code == 200, placed.text
        seen = await replicas(new_admin, placed.json()["revision"], "old-data", "new-data")
        assert [seen[name]["failed"] for name in ("old-data", "new-data")] == [{}, {}]
        assert [seen[name]["state"] for name in ("old-data", "new-data")] == ["live", "live"]
        assert [client.app.state.whole() for client in (a, b)] == [True, True]
        load.front = [a, b]
        await asyncio.gather(load.more("old"), load.more("new"))

        # The old plane leaves; its bindings stay where they are until they are removed.
        load.front = [b]
        await load.more("new")
        await old_data.aclose()
        view = (await new_admin.get(f"/admin/slots/{bound['labubu']['id']}")).json()
        assert (view["slot"], view["state"], view["item_ids"]) == (None, "active", sorted(IDS))
        held = raw.hgetall(f"{{sb}}:slots:{old.codebook_sha}")
        assert set(held.values()) == {bound["labubu"]["id"], bound["crocs"]["id"]}

        freed = await new_admin.delete(
            f"/admin/slots/{bound['labubu']['id']}?wait=all&timeout=30s", headers={"if-match": view["etag"]}
        )
        assert freed.status_code in (200, 202), freed.text
        await replicas(new_admin, freed.json()["revision"], "new-data")
        await load.more("new")
        for job in jobs:
            job.cancel()
        ended = await asyncio.gather(*jobs, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
    assert load.wrong == []
    assert load.answers["labubu old"] >= 20
    assert load.answers["labubu new"] >= 60


class Stream(threading.Thread):
    """One client over loopback that asks for both words, in turn, from whatever data plane is in front.

    Like any HTTP client it sends again what it sent over a connection that had been silent for longer than a drain: on
    a busy machine its thread may stand still for so long, and the process that held the connection is gone.
    """

    def __init__(self, front: str) -> None:
        super().__init__(daemon=True)
        self.front, self.done, self.wrong = front, Counter[str](), list[str]()
        self.ending = threading.Event()
        self.heard = time.monotonic()

    def run(self) -> None:
        wanted = {"labubu": set(IDS), "crocs": set(CROCS)}
        with httpx.Client(verify=False, timeout=HANG_S, trust_env=False) as client:
            while not self.ending.is_set():
                front = self.front
                for query, ids in wanted.items():
                    try:
                        response = self.ask(client, front, query)
                    except httpx.HTTPError as error:
                        self.wrong.append(f"{query} at {front}: {error!r}")
                        continue
                    if response.status_code != 200 or not answers(response.json(), query, ids):
                        self.wrong.append(f"{query} at {front}: {response.status_code} {response.text[:200]}")
                    self.done[front] += 1

    def ask(self, client: httpx.Client, front: str, query: str) -> httpx.Response:
        try:
            response = client.post(f"{front}/retrieve", json={"query": query, "k": K})
        except httpx.RemoteProtocolError:
            if time.monotonic() - self.heard <= DRAIN_S:
                raise
            response = client.post(f"{front}/retrieve", json={"query": query, "k": K})
        self.heard = time.monotonic()
        return response

    def more(self, front: str, count: int = 20) -> None:
        """Ask `front` from now on, and wait for so many further answers of it."""
        self.front = front
        goal = self.done[front] + count
        wait_for(lambda: self.done[front] >= goal or self.wrong)


def test_the_switch_between_real_processes_loses_no_binding_and_no_request(
    artifacts: tuple[Artifact, Artifact], raw: redis.Redis, server: EmbeddedStore, tmp_path: Path
) -> None:
    """Two installations, each a control and a data plane of their own, follow one store; the traffic moves."""
    old, new = (artifact.directory for artifact in artifacts)
    shared: dict[str, Any] = {"redis_url": server.url, "workers": 1}
    with Up(tmp_path / "a", old, replica_id="old", **shared) as a:
        for words, ids in ((LABUBU["words"], IDS), (["crocs"], CROCS)):
            items = [part for item in ids for part in ("--item", item)]
            bound = a.cli("slots", "bind", *words, "-c", "brand", *items, "--json")
            assert bound.returncode == 0, bound.stderr
        stream = Stream(a.record["data"])
        stream.start()
        try:
            stream.more(a.record["data"])
            with Up(tmp_path / "b", new, replica_id="new", **shared) as b:
                stream.more(a.record["data"])
                head = {"authorization": f"Bearer {b.token}"}
                with httpx.Client(
                    verify=False, base_url=b.record["admin"], headers=head, timeout=HANG_S, trust_env=False
                ) as admin:
                    crocs = json.loads(bound.stdout)
                    patched = admin.patch(
                        f"/admin/slots/{crocs['id']}?wait=all&timeout=30s",
                        json={},
                        headers={"if-match": admin.get(f"/admin/slots/{crocs['id']}").headers["etag"]},
                    )
                    assert patched.status_code == 200, patched.text
                    spread = patched.json()["propagation"]
                    assert (spread["expected"], spread["applied"]) == (4, 4)
                    stream.more(b.record["data"])
                    stream.more(a.record["data"])  # both serve; a way back is open
                    stream.more(b.record["data"])
                    a.process.send_signal(signal.SIGTERM)
                    assert a.process.wait(HANG_S) == 0
                    stream.more(b.record["data"])
                    states = {slot["words"][0]: slot["state"] for slot in held_by(admin)}
                    assert states == {"labubu": "active", "crocs": "active"}
                stream.ending.set()
                stream.join(HANG_S)
        finally:
            stream.ending.set()
            stream.join(HANG_S)
    assert stream.wrong == []


def test_sighup_puts_a_new_model_in_the_place_of_the_old_one_process_by_process_and_no_request_fails(
    artifacts: tuple[Artifact, Artifact], tmp_path: Path
) -> None:
    """Two codebooks live meanwhile; the bindings get slots of the new one before anything serves it."""
    old, new = artifacts
    current = tmp_path / "current"
    current.symlink_to(old.directory)
    with Up(tmp_path / "data", current, processes=2, workers=1, drain_s=DRAIN_S) as up:
        for words, ids in ((LABUBU["words"], IDS), (["crocs"], CROCS)):
            items = [part for item in ids for part in ("--item", item)]
            bound = up.cli("slots", "bind", *words, "-c", "brand", *items, "--json")
            assert bound.returncode == 0, bound.stderr
        streams = [Stream(up.record["data"]) for _ in range(3)]
        for stream in streams:
            stream.start()
        try:
            streams[0].more(up.record["data"])
            (tmp_path / "next").symlink_to(new.directory)
            (tmp_path / "next").rename(current)
            up.process.send_signal(signal.SIGHUP)
            wait_for(lambda: said(up, "replaced") or failed(streams), 4 * HANG_S)
            for stream in streams:
                stream.more(up.record["data"])
        finally:
            for stream in streams:
                stream.ending.set()
                stream.join(HANG_S)
        assert failed(streams) == []
        with httpx.Client(base_url=up.record["admin"], headers={"authorization": f"Bearer {up.token}"}) as admin:
            live = admin.get("/admin/replicas").json()["replicas"]
            slots = {slot["words"][0]: (slot["state"], slot["slot"]) for slot in held_by(admin)}
        assert {one["codebook"] for one in live} == {new.codebook_sha}
        assert sorted(one["role"] for one in live) == ["admin", "data", "data"]
        assert slots["labubu"] == ("active", None), "the new model has it as a word of its own"
        assert slots["crocs"][0] == "active"
        assert slots["crocs"][1] is not None
        assert up.read() is not None
        assert up.process.poll() is None


def test_a_model_that_is_damaged_replaces_nothing(artifacts: tuple[Artifact, Artifact], tmp_path: Path) -> None:
    current = tmp_path / "current"
    current.symlink_to(artifacts[0].directory)
    with Up(tmp_path / "data", current, processes=1) as up:
        pids = up.pids
        current.unlink()
        (tmp_path / "damaged").mkdir()
        current.symlink_to(tmp_path / "damaged")
        up.process.send_signal(signal.SIGHUP)
        [line] = wait_for(lambda: said(up, "not replaced; what serves goes on"))
        assert "manifest.json" in line["why"]
        up.retrieve("labubu")
        assert (up.read() or {})["children"]["serve"] in pids


def said(up: Up, event: str) -> list[dict[str, Any]]:
    return [line for line in up.events() if line["event"] == event]


def failed(streams: list[Stream]) -> list[str]:
    return [line for stream in streams for line in stream.wrong]


def answers(answer: dict[str, Any], query: str, wanted: set[str]) -> bool:
    """Whether the binding brought its items first, or the word is the model's own, and its items are there."""
    ids = [item["id"] for item in answer["items"]]
    if answer["applied_bindings"]:
        return set(ids[: len(wanted)]) == wanted
    return query in {place["word"] for place in answer["query_sid"]} and wanted <= set(ids)


def held_by(admin: httpx.Client) -> list[dict[str, Any]]:
    return [slot for slot in admin.get("/admin/slots").json()["slots"] if slot["state"] != "free"]
