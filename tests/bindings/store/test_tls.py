"""A store behind TLS with a private CA: one setting, and words that say what failed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from slotbeam.bindings.replica.watch import Watcher
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import StoreUnavailable
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, Snapshot
from support.processes import CLI, environment
from support.tlsproxy import CA, CERTIFICATE, KEY, OTHER_CA, tls_proxy

HANG_S = 30.0


async def head(url: str, ca: Path | None = None) -> object:
    store = Store(url, ca=ca)
    try:
        return await store.head()
    finally:
        await store.close()


async def test_the_ca_of_the_setting_is_trusted_and_no_other(server: EmbeddedStore) -> None:
    async with tls_proxy(server.socket_path) as port:
        url = f"rediss://localhost:{port}/0"
        await head(url, CA)
        for ca in (None, OTHER_CA):
            with pytest.raises(
                StoreUnavailable, match=r"TLS failed, .* not trusted: .*set SLOTBEAM_REDIS_CA to the PEM"
            ):
                await head(url, ca)


async def test_a_host_that_the_certificate_is_not_for_is_refused(server: EmbeddedStore) -> None:
    async with tls_proxy(server.socket_path, "127.0.0.2") as port:
        with pytest.raises(StoreUnavailable, match=r"certificate is not valid for '127.0.0.2'"):
            await head(f"rediss://127.0.0.2:{port}", CA)
        await head(f"rediss://127.0.0.2:{port}?ssl_check_hostname=false", CA)
        await head(f"rediss://127.0.0.2:{port}?ssl_cert_reqs=none")


async def test_a_store_that_asks_for_a_certificate_gets_one(server: EmbeddedStore) -> None:
    async with tls_proxy(server.socket_path, asks_clients=True) as port:
        with pytest.raises(StoreUnavailable):
            await head(f"rediss://localhost:{port}", CA)
        await head(f"rediss://localhost:{port}?ssl_certfile={CERTIFICATE}&ssl_keyfile={KEY}", CA)


async def test_a_server_without_tls_is_said_to_be_one() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR what?\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(
            StoreUnavailable, match=r"TLS failed, .*; without TLS SLOTBEAM_REDIS_URL begins with redis://"
        ):
            await head(f"rediss://localhost:{port}", CA)


async def test_a_replica_logs_once_why_it_cannot_follow_and_once_that_it_can(
    server: EmbeddedStore, tmp_path: Path, tiny_artifact: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = Artifact.load(tiny_artifact)
    async with tls_proxy(server.socket_path) as port:
        store, trusting = (Store(f"rediss://localhost:{port}", ca=ca) for ca in (OTHER_CA, CA))
        watcher = Watcher(store, Holder(Snapshot(artifact)), artifact, tmp_path, "r1")
        following = asyncio.create_task(watcher.run())
        try:
            async with asyncio.timeout(HANG_S):
                while watcher.facts.reload_failures.get("store", 0) < 3:
                    await watcher.changes()
                said = capsys.readouterr().out
                assert said.count("the store cannot be followed") == 1
                assert "TLS failed" in said
                assert "SLOTBEAM_REDIS_CA" in said
                store.redis, store.watching = trusting.redis, trusting.watching
                assert await watcher.ready(HANG_S)
                assert capsys.readouterr().out.count("the store answers again") == 1
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await trusting.close()


async def test_doctor_reads_the_setting(server: EmbeddedStore, tmp_path: Path, tiny_artifact: Path) -> None:
    async with tls_proxy(server.socket_path) as port:
        given = {"redis_url": f"rediss://localhost:{port}", "artifact": tiny_artifact, "data_dir": tmp_path}
        for ca, mark in ((CA, "✓"), (OTHER_CA, "✗")):
            process = await asyncio.create_subprocess_exec(
                *CLI, "doctor", "--json", env=environment(redis_ca=ca, **given), stdout=asyncio.subprocess.PIPE
            )
            async with asyncio.timeout(HANG_S):
                said, _ = await process.communicate()
            [store] = [found for found in json.loads(said) if found["check"] == "store"]
            assert (store["mark"], "TLS failed" in store["found"]) == (mark, mark == "✗"), store
