"""One store, a proxy before each process, a control plane, data planes, and clients that record what they see."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from slotbeam.search.artifact import read_manifest
from support.forking import run
from support.processes import CLI, environment
from torture.clients import load, new_history, quiet, writers_of
from torture.disk import FullDisk
from torture.ledger import BINDINGS, ITEMS, KINDS, Held
from torture.load import Progress, Reader, Writer, asking, kinds_of
from torture.planes import HANG_S, Plane
from torture.proxy import Proxy
from torture.server import StoreServer
from torture.stored import heads, is_level, remember


class Rig:
    """A whole service under fault. An async context manager; leaving it ends every process.

    Args:
        directory: for everything it writes.
        artifact: the tiny one.
        binary: of the store; None takes the embedded one.
        serves: data planes.
        writers: clients that edit bindings.
        stockers: clients that edit items.
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
        stockers: int = 1,
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
        self.indexes = directory / "indexes"
        self.store = StoreServer(directory / "store", binary, recorded=recorded, **store)
        self.disk_environment = disk.environment if disk else {}
        self.store.environment |= self.disk_environment
        manifest = read_manifest(artifact)
        self.codebook = str(manifest["model"]["codebook_sha"])
        self.history = new_history(artifact, lambda: self.planes)
        self.progress = Progress()
        self.proxies: dict[str, Proxy] = {}
        roles = {"admin": "admin", **{f"serve-{i}": "serve" for i in range(serves)}}
        options = planes or {}
        self.planes = [self._plane(role, name, **options.get(name, {})) for name, role in roles.items()]
        self.admin, *self.serves = self.planes
        reported = self.admin, self.history, self.progress
        self.binders, self.stockers = writers_of(*reported, writers, stockers, seed=seed, wait=wait)
        self.writers: list[Writer[Any]] = [*self.binders, *self.stockers]
        self.readers = [Reader(plane, self.history, self.progress, seed) for plane in self.serves]

    def _plane(self, role: str, name: str, **options: Any) -> Plane:
        proxy = Proxy(self.directory / f"{name}.sock", self.store.socket, self.seed)
        self.proxies[name] = proxy
        where = {"redis_url": proxy.url, "artifact": self.artifact, "index_dir": self.indexes}
        given = {**where, "wrapper": self.disk_environment, **options}
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
    async def level(self) -> AsyncIterator[Mapping[str, Held]]:
        """No writer writes, every replica is live at the store's numbers, and the history knows what it holds."""
        async with self.quiet():
            await self.converged()
            yield await self.remember()

    async def reborn(self, plane: Plane) -> None:
        """Kill a process and start it again: what it served before, it serves again, whatever else is gone."""
        before = self.history.floor(plane.life)
        await plane.kill()
        plane.start()
        self.history.raise_floor(plane.life, before)
        await plane.ready()

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
        """Wait for this many further acknowledged edits, as many of each kind, and answers of each plane that runs."""
        kinds = kinds_of(self.writers)
        waits = [self.progress.more(f"acknowledged {kind}", -(-edits // len(kinds))) for kind in kinds if edits]
        waits += [self.progress.more(f"answered {plane.name}", answers) for plane in self.serves if plane.answering]
        await asyncio.gather(*waits)

    async def converged(self) -> None:
        """Wait until every replica is live at the store's own numbers. Writers must be quiet."""
        wanted = [name for plane in self.planes for name in plane.replicas]
        await self.until(lambda: is_level(self.store.client(), wanted), f"{wanted} live at the store's numbers")

    async def held(self, plane: Plane, state: str, kinds: Collection[str] = KINDS) -> None:
        """Wait until a data plane says `state` (a beginning suffices) of all these kinds."""

        async def says() -> bool:
            said = await self._said(plane)
            return all(said.get(kind, "").startswith(state) for kind in kinds)

        await self.until(says, f"{plane.name} says {state}")

    async def heads(self) -> dict[str, int]:
        """Kind → the store's number."""
        return await heads(self.store.client())

    async def ask(self, plane: Plane, query: str) -> dict[str, Any]:
        """One recorded question."""
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
            return await Reader(plane, self.history, self.progress).put(client, asking(query))

    async def states(self) -> dict[str, str]:
        """What every data plane says of what it serves: one state, or that of each kind."""
        found = {}
        for plane in filter(lambda plane: plane.answering, self.serves):
            found[plane.name] = ", ".join(dict.fromkeys((await self._said(plane)).values()))
        return found

    async def _said(self, plane: Plane) -> dict[str, str]:
        """Kind → what a data plane says of it, asked without a record."""
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
            try:
                told = (await client.post(f"{plane.url}/retrieve", json={"query": "mug", "k": 1})).json()
            except httpx.TransportError as error:
                return {"error": repr(error)}
        return {BINDINGS: told["bindings"]["state"], ITEMS: told["catalog"]["state"]}

    # ---------------------------------------------------------------- the record

    async def remember(self, store: StoreServer | None = None) -> dict[str, Held]:
        """Add the store's logs, and what it holds, to the history. Quiet writers make that one number of each kind."""
        return await remember(self.history, (store or self.store).client())

    async def restore(self, kinds: Iterable[str] = KINDS) -> None:
        """Bring back what was lost, as an operator would. Writers must be quiet, everything remembered."""
        for kind in kinds:
            group = "slots" if kind == BINDINGS else kind
            status, said = await self.command(group, "restore", "--from", "last-good", "--overwrite")
            assert status == 0, said
        await self.remember()

    async def settle(self) -> None:
        """The end of a run: writers quiet, everyone level, the store remembered, and nothing untrue."""
        async with self.level():
            await self.some(edits=0, answers=5)
            found = await self.history.judge(self.remember)
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
        where["index_dir"] = self.indexes
        done = await asyncio.to_thread(run, [*CLI, *arguments], environment(**where), HANG_S)
        return done.returncode, done.stdout + done.stderr
