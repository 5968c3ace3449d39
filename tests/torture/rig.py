"""One store, a proxy before each process, a control plane, data planes, and clients that record what they see."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import redis.asyncio
import redis.exceptions

from slotbeam.search.artifact import read_manifest
from support.forking import run
from support.processes import CLI, environment
from support.replies import fields, log_entries, told
from torture.disk import FullDisk
from torture.history import Entry, Held, History
from torture.load import WORDS, Progress, Reader, Writer
from torture.planes import HANG_S, Plane
from torture.proxy import Proxy
from torture.server import StoreServer

ITEMS = tuple(f"i{i:03d}" for i in range(40))
CATALOG = tuple(f"i{i:03d}" for i in range(120))


class Rig:
    """A whole service under fault. An async context manager; leaving it ends every process.

    Args:
        directory: for everything it writes.
        artifact: the tiny one.
        binary: of the store; None takes the embedded one.
        serves: data planes.
        writers: clients that edit.
        seed: of the clients and proxies.
        recorded: the store's power can be cut.
        wait: what writers ask for, `all` or `none`.
        planes: further arguments of `Plane`, by name.
        disk: that every process writes to.
        executed: planes are started by `exec`; else they are forked, a second sooner.
        store: settings of the server, e.g. `appendfsync="everysec"`.
    """

    def __init__(
        self,
        directory: Path,
        artifact: Path,
        binary: Path | None = None,
        *,
        serves: int = 1,
        writers: int = 2,
        seed: int = 0,
        recorded: bool = False,
        wait: str = "none",
        planes: dict[str, dict[str, Any]] | None = None,
        disk: FullDisk | None = None,
        executed: bool = True,
        **store: str,
    ) -> None:
        self.directory, self.artifact, self.binary, self.seed = directory, artifact, binary, seed
        self.executed = executed
        self.store = StoreServer(directory / "store", binary, recorded=recorded, **store)
        self.disk_environment = disk.environment if disk else {}
        self.store.environment |= self.disk_environment
        manifest = read_manifest(artifact)
        self.codebook = str(manifest["model"]["codebook_sha"])
        self.history = History(self.codebook, CATALOG, lives=lambda: [plane.life for plane in self.planes])
        self.progress = Progress()
        self.proxies: dict[str, Proxy] = {}
        roles = {"admin": "admin", **{f"serve-{i}": "serve" for i in range(serves)}}
        options = planes or {}
        self.planes = [self._plane(role, name, **options.get(name, {})) for name, role in roles.items()]
        self.admin, *self.serves = self.planes
        share = len(WORDS) // max(1, writers)
        self.writers = [
            Writer(
                f"w{i}",
                self.admin,
                self.history,
                self.progress,
                WORDS[i * share : (i + 1) * share],
                ITEMS,
                seed=seed,
                wait=wait,
            )
            for i in range(writers)
        ]
        self.readers = [Reader(plane, self.history, self.progress, seed) for plane in self.serves]

    def _plane(self, role: str, name: str, **options: Any) -> Plane:
        proxy = Proxy(self.directory / f"{name}.sock", self.store.socket, self.seed)
        self.proxies[name] = proxy
        given = {"redis_url": proxy.url, "artifact": self.artifact, "wrapper": self.disk_environment, **options}
        return Plane(role, name, self.directory / name, executed=self.executed, **given)

    # ---------------------------------------------------------------- life

    async def __aenter__(self) -> Rig:
        self.stack = contextlib.AsyncExitStack()
        try:
            await self.stack.enter_async_context(self.store)
            for proxy in self.proxies.values():
                await self.stack.enter_async_context(proxy)
            for plane in self.planes:
                self.stack.callback(plane.close)
                plane.start()
            await asyncio.gather(*(plane.ready() for plane in self.planes))
        except BaseException:
            await self.stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stack.aclose()

    def load(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Clients at work. Their errors are the test's errors."""
        return load(*self.writers, *self.readers)

    def quiet(self) -> contextlib.AbstractAsyncContextManager[None]:
        """No writer writes, and every edit's outcome is known; readers go on."""
        return quiet(*self.writers)

    @contextlib.asynccontextmanager
    async def trial(self, first: int = 10) -> AsyncIterator[None]:
        """Clients at work before, during and after a fault; then everyone settles, and nothing untrue was seen.

        Args:
            first: edits (and as many answers of each data plane) before the fault; 0 for a fault at once.
        """
        async with self.load():
            if first:
                await self.some(edits=first)
            yield
            await self.some()
            await self.settle()

    @contextlib.asynccontextmanager
    async def level(self) -> AsyncIterator[Held | None]:
        """No writer writes, every replica is live at the store's revision, and the history knows what it holds."""
        async with self.quiet():
            await self.converged()
            yield await self.remember()

    # ---------------------------------------------------------------- waiting

    async def until(self, true: Callable[[], Awaitable[bool]], what: str) -> None:
        """Poll a state under a hang guard."""
        try:
            async with asyncio.timeout(HANG_S):
                while not await true():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{what}: not within {HANG_S:g} s; {await self.states()}") from None

    async def some(self, edits: int = 10, answers: int = 10) -> None:
        """Wait for this many further acknowledged edits, and answers of every data plane that runs."""
        waits = [self.progress.more("acknowledged", edits)] if edits else []
        waits += [self.progress.more(f"answered {plane.name}", answers) for plane in self.serves if plane.answering]
        await asyncio.gather(*waits)

    async def converged(self, planes: Iterable[Plane] | None = None) -> None:
        """Wait until every replica is live at the store's own revision. Writers must be quiet."""
        wanted = {plane.name for plane in (self.planes if planes is None else planes)}

        async def level() -> bool:
            try:
                async with self.store.client() as raw:
                    revision = int(await raw.hget("{sb}:meta", "rev") or -1)
                    beats = {name: json.loads(await raw.get(f"{{sb}}:replica:{name}") or "{}") for name in wanted}
            except redis.exceptions.RedisError:
                return False
            return all(beat.get("state") == "live" and beat["revision"] == revision for beat in beats.values())

        await self.until(level, f"{sorted(wanted)} live at the store's revision")

    async def held(self, plane: Plane, state: str) -> None:
        """Wait until the answers of a data plane say `state` (a beginning suffices)."""

        async def says() -> bool:
            return (await self.states()).get(plane.name, "").startswith(state)

        await self.until(says, f"{plane.name} says {state}")

    async def head(self) -> int:
        """The store's revision."""
        async with self.store.client() as raw:
            return int(told(str, await raw.hget("{sb}:meta", "rev")))

    async def ask(self, plane: Plane, query: str) -> dict[str, Any]:
        """One recorded question."""
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
            return await Reader(plane, self.history, self.progress).put(client, query)

    async def states(self) -> dict[str, str]:
        """What every data plane says of its bindings."""
        found = {}
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
            for plane in filter(lambda plane: plane.answering, self.serves):
                try:
                    found[plane.name] = (await client.get(f"{plane.url}/info")).json()["bindings"]["state"]
                except httpx.TransportError as error:
                    found[plane.name] = repr(error)
        return found

    # ---------------------------------------------------------------- the record

    async def remember(self, store: StoreServer | None = None) -> Held | None:
        """Add the store's log, and what it holds, to the history. Quiet writers make that one revision."""
        return await remember(self.history, (store or self.store).client())

    async def restore(self, source: str = "last-good") -> None:
        """Bring back what was lost, as an operator would. Writers must be quiet, everything remembered."""
        status, said = await self.command("slots", "restore", "--from", source, "--overwrite")
        assert status == 0, said
        await self.remember()

    async def settle(self) -> None:
        """The end of a run: writers quiet, everyone level, the store remembered, and nothing untrue."""
        async with self.level():
            await self.some(edits=0, answers=5)
        found = self.history.violations()
        assert not found, "\n".join(found[:20])
        self.check_logs()

    def check_logs(self) -> None:
        """No process logged a bug."""
        for plane in self.planes:
            words = plane.words()
            assert "Traceback" not in words, f"{plane.name}: {words[-3000:]}"
            assert "This is a bug" not in words, f"{plane.name}: {words[-3000:]}"

    async def command(self, *arguments: str, data_dir: Path | None = None) -> tuple[int, str]:
        """Run `slotbeam …` against the store itself. Returns its status and what it said."""
        where = {"redis_url": self.store.url, "data_dir": data_dir or self.admin.data_dir, "artifact": self.artifact}
        done = await asyncio.to_thread(run, [*CLI, *arguments], environment(**where), HANG_S)
        return done.returncode, done.stdout + done.stderr


@contextlib.asynccontextmanager
async def load(*clients: Writer | Reader) -> AsyncIterator[None]:
    """Clients at work. Their errors are the test's errors."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client.run()) for client in clients]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


@contextlib.asynccontextmanager
async def quiet(*writers: Writer) -> AsyncIterator[None]:
    """None of them writes, and every edit's outcome is known."""
    for writer in writers:
        writer.allowed.clear()
    async with asyncio.timeout(HANG_S):
        await asyncio.gather(*(writer.idle.wait() for writer in writers))
    yield
    for writer in writers:
        writer.allowed.set()


async def remember(history: History, client: redis.asyncio.Redis) -> Held | None:
    """Add the log of a store, and what it holds, to `history`; closes `client`."""
    async with client as raw:
        meta = fields(str, await raw.hgetall("{sb}:meta"))
        log = log_entries(str, await raw.xrange("{sb}:log"))
        held = None
        if meta:
            held = Held(
                epoch=meta["epoch"],
                revision=int(meta["rev"]),
                state=meta["state"],
                records=fields(str, await raw.hgetall("{sb}:binding")),
                slots=fields(str, await raw.hgetall(f"{{sb}}:slots:{history.codebook_sha}")),
                words=fields(str, await raw.hgetall("{sb}:word")),
            )
    entries = [
        Entry(int(key.split("-")[0]), e["op"], e["epoch"], e["state"], e["key"], tuple(json.loads(e["changes"])))
        for key, e in log
    ]
    history.remember(entries, held)
    return held
