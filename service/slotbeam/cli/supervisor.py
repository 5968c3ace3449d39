"""`slotbeam up`: the store, the data plane and the control plane on one machine, each a process of its own.

The parent holds the data directory's lock and both listening sockets; a child that dies is started again on the same
socket. Children are bound to the parent's life: whatever ends it, nothing is left behind.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import socket
import time
from collections.abc import Iterable
from functools import partial

import structlog

from slotbeam import __version__
from slotbeam.background import FIRST_DELAY_S, Ended
from slotbeam.cli.child import Child, run_command
from slotbeam.cli.client import admin_client
from slotbeam.cli.console import say
from slotbeam.cli.folding import AutoFolding, may_fold
from slotbeam.cli.listening import address, listen
from slotbeam.cli.parent import Parent
from slotbeam.cli.probing import example_of, is_ready
from slotbeam.embedded.lock import lock_directory
from slotbeam.embedded.record import record_of, write_record
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import SetupError
from slotbeam.settings import Settings, sources

READY_TIMEOUT_S = 60.0
STILL_WAITING = "waiting until it is ready; without its store it waits up to 30 s"
STOP_TIMEOUT_S = 8.0
LAST_STORE_DELAY_S = 2.0
"""Between two starts of the store at most: edits work again soon after its disk has room."""
RECORD_RETRY_S = 0.5

log = structlog.get_logger("slotbeam.up")


class Up(Parent):
    """The supervisor of one data directory.

    Args:
        settings: effective settings; children read the same from their environment.
        flags: names of the settings that were given as flags.
    """

    def __init__(self, settings: Settings, flags: Iterable[str] = ()) -> None:
        super().__init__(settings.drain_s, STOP_TIMEOUT_S)
        self.settings, self.flags = settings, set(flags)
        self.store = None if settings.redis_url else EmbeddedStore(settings.data_dir)
        self._processes = settings.processes or cores()
        self.url = str(settings.redis_url or "")
        self._stale = False  # whether up.json is not what runs

    async def run(self) -> None:
        """Start everything, say where it is, and keep it running until SIGTERM or SIGINT.

        With SIGTERM both planes drain first; with SIGINT (Ctrl-C), or another signal, they end at once.

        Raises:
            SetupError: it cannot start; nothing is left running.
        """
        started = time.monotonic()
        self.hear_signals()
        listeners = self._listen()
        try:
            if self.store:
                self.url = self.store.start()
            self.children = [self._child(name, listener) for name, listener in listeners.items()]
            for child in self.children:
                await child.start()
            await asyncio.gather(*(self._until_ready(child) for child in self.children))
            if not self.stop.is_set():
                self._write_record()
                self._announce(time.monotonic() - started, await example_of(self.children[0].listener))
                for child in self.children:
                    self.keep(child)
                self.background.start("replacing", self.replacing)
                if may_fold(self.settings):
                    admin = partial(admin_client, self.settings)
                    self.background.start("folding", AutoFolding(self.settings, admin, self._environment).run)
                if self.store:
                    live = partial(self._live_store, self.store)
                    self.background.start("store", live, last_delay_s=LAST_STORE_DELAY_S)
                await self.stop.wait()
        finally:
            await self.background.stop()
            await self.end(self.children)
            if self.store:
                self.store.stop()
            for listener in listeners.values():
                listener.close()
            record_of(self.settings.data_dir).unlink(missing_ok=True)

    def _listen(self) -> dict[str, socket.socket]:
        settings = self.settings
        serve = listen(settings.host, settings.port, "SLOTBEAM_PORT")
        try:
            return {"serve": serve, "admin": listen(settings.host, settings.admin_port, "SLOTBEAM_ADMIN_PORT")}
        except SetupError:
            serve.close()
            raise

    def _child(self, name: str, listener: socket.socket) -> Child:
        # Stable over restarts: one heartbeat, one last-known-good file.
        replica = f"{self.settings.replica_id or 'up'}-{name}"
        own = {"SLOTBEAM_REPLICA_ID": replica, "SLOTBEAM_PROCESSES": str(self._processes)}
        return Child(name, listener, {**self._environment(), **own})

    def _environment(self) -> dict[str, str]:
        """Return what makes a command below speak of the same service."""
        said = {**os.environ, **self.settings.environment(self.flags)}
        return {"SLOTBEAM_SEARCH_PAGE": "true", **said, "SLOTBEAM_REDIS_URL": self.url}

    async def _until_ready(self, child: Child) -> None:
        """Wait until the child answers 200 on `/readyz`. Raises `SetupError` when it ends first or takes too long."""
        await self.until(child, partial(is_ready, child.listener), READY_TIMEOUT_S, STILL_WAITING)

    async def replace(self) -> None:
        """Replace the planes, the control plane first: it gives the bindings slots of the new model.

        Of several data planes one takes the place of another; who asks a single one, or the control plane, waits.
        """
        await self._verify()
        serve, admin = self.children
        several = self._processes > 1
        for child in (admin,) if several else (admin, serve):
            self.let_go(child)
            child.signal(signal.SIGTERM)
            await self.gone([child], self.settings.drain_s)
            await child.start()
            self.keep(child)
            self.begun(child)
            await self._until_ready(child)
            if child is admin:
                await asyncio.to_thread(self._carry)
        if several:
            serve.signal(signal.SIGHUP)

    async def _verify(self) -> None:
        """Raise `SetupError` when the artifact is not what its manifest says."""
        artifact = str(self.settings.artifact)
        status, _, wrong = await run_command(["index", "verify", artifact])
        if status:
            raise SetupError(wrong[-500:] or f"{artifact} cannot be verified")

    def _carry(self) -> None:
        """Give bindings that have none a slot of the model that the control plane serves now."""
        from slotbeam.cli.slots.carry import carry_all

        with admin_client(self.settings, address(self.children[1].listener)) as client:
            carried, left = carry_all(client)
        log.info("bindings carried", bindings=len(carried), left=len(left))
        if left:
            raise SetupError(
                f"{len(left)} bindings have no slot of the new model, so data planes keep the old one: "
                f"{next(iter(left.values()))}; then send SIGHUP again"
            )

    async def _live_store(self, store: EmbeddedStore) -> None:
        """One life of the store, which may begin with none: its disk may still be full."""
        if not store.running():
            self.url = store.start()
            self._write_record()
        while store.running():
            await asyncio.sleep(FIRST_DELAY_S)
            store.log.tell()
        raise Ended("its process ended; searches go on", status=store.status)

    def begun(self, child: Child) -> None:
        self._write_record()

    def _write_record(self) -> None:
        """Write DATA_DIR/up.json: pids, addresses, and what is served, for other commands."""
        record = {
            "pid": os.getpid(),
            "data": address(self.children[0].listener),
            "admin": address(self.children[1].listener),
            "store": self.url if self.store else "SLOTBEAM_REDIS_URL",
            "store_pid": self.store.pid if self.store else None,
            "artifact": str(self.settings.artifact.absolute()),  # a link stays one: it may lead elsewhere tomorrow
            "index_dir": str(self.settings.indexes.absolute()),
            "children": {child.name: child.process.pid for child in self.children if child.process is not None},
            "restarts": {"store": 0, **{child.name: 0 for child in self.children}, **self.background.restarts},
        }
        try:
            write_record(self.settings.data_dir, record)
        except OSError as error:  # a full disk is no reason not to run, and nothing else may start before it is free
            if not self._stale:
                log.error("up.json is not what runs; it is written again", error=str(error))
            self._stale = True
            asyncio.get_running_loop().call_later(RECORD_RETRY_S, self._write_again)
        else:
            self._stale = False

    def _write_again(self) -> None:
        if self._stale and not self.stop.is_set():
            self._write_record()

    def _announce(self, seconds: float, example: str | None) -> None:
        data, admin = (address(child.listener) for child in self.children)
        settings = self.settings
        token, where = "$SLOTBEAM_ADMIN_TOKEN", "SLOTBEAM_ADMIN_TOKEN"
        if settings.admin_token is None:
            where = str(settings.data_dir / "admin.token")
            token = f"$(cat {where})"
        log.info("up", data=data, admin=admin, store="embedded" if self.store else "SLOTBEAM_REDIS_URL")
        say(f"slotbeam {__version__} is up after {seconds:.1f} s (process {os.getpid()}; Ctrl-C stops it)")
        say(f"  data plane     {data}")
        say(f"  control plane  {admin}")
        say(f"  store          {self.url + ' (embedded)' if self.store else 'SLOTBEAM_REDIS_URL'}")
        say("settings")
        for variable, value, source in sources(settings, self.flags):
            say(f"  {variable:<32} {value or '(unset)':<28} {source}")
        say("try")
        if example is not None:
            body = shlex.quote(json.dumps({"query": example, "k": 5}, ensure_ascii=False))
            say(f"  curl -s {data}/retrieve -H 'content-type: application/json' -d {body}")
        say(f'  curl -s {admin}/admin/slots -H "authorization: Bearer {token}"')
        say("in a browser")
        if settings.search_page is not False:
            say(f"  {data} searches")
        say(f"  {admin} edits; it asks for the token in {where}")
        say(f"  {data}/docs and {admin}/docs tell every request")


def run_up(settings: Settings, flags: Iterable[str] = ()) -> None:
    """Run `slotbeam up` in this process, holding the data directory's lock.

    Raises:
        SetupError: another `up` holds the directory (names its pid), or something cannot start.
    """
    try:
        lock = lock_directory(settings.data_dir)
    except OSError as error:
        raise SetupError(
            f"{settings.data_dir} cannot be used ({error.strerror}); set SLOTBEAM_DATA_DIR to a directory you may write"
        ) from None
    try:
        asyncio.run(Up(settings, flags).run())
    finally:
        os.close(lock)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
