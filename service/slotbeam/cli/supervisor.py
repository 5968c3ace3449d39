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
from slotbeam.background import FIRST_DELAY_S, Background, Ended
from slotbeam.cli.child import Child
from slotbeam.cli.console import say
from slotbeam.cli.listening import address, listen
from slotbeam.cli.probing import example_of, is_ready
from slotbeam.embedded.lock import lock_directory
from slotbeam.embedded.record import record_of, write_record
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import SetupError
from slotbeam.settings import Settings, sources

READY_TIMEOUT_S = 60.0
SAY_AFTER_S = 5.0
STOP_TIMEOUT_S = 8.0
LAST_STORE_DELAY_S = 2.0
"""Between two starts of the store at most: edits work again soon after its disk has room."""
RECORD_RETRY_S = 0.5

log = structlog.get_logger("slotbeam.up")


class Up:
    """The supervisor of one data directory.

    Args:
        settings: effective settings; children read the same from their environment.
        flags: names of the settings that were given as flags.
    """

    def __init__(self, settings: Settings, flags: Iterable[str] = ()) -> None:
        self.settings, self.flags = settings, set(flags)
        self.store = None if settings.redis_url else EmbeddedStore(settings.data_dir)
        self.children: list[Child] = []
        self.background = Background()
        self._stop, self._drains = asyncio.Event(), False
        self._stale = False  # whether up.json is not what runs

    async def run(self) -> None:
        """Start everything, say where it is, and keep it running until SIGTERM or SIGINT.

        With SIGTERM both planes drain first; with SIGINT (Ctrl-C), or another signal, they end at once.

        Raises:
            SetupError: it cannot start; nothing is left running.
        """
        started = time.monotonic()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_end, number)
        listeners = self._listen()
        try:
            url = self.store.start() if self.store else str(self.settings.redis_url)
            self.children = [self._child(name, listener, url) for name, listener in listeners.items()]
            for child in self.children:
                await child.start()
            await asyncio.gather(*(self._until_ready(child) for child in self.children))
            if not self._stop.is_set():
                self._write_record(url)
                self._announce(url, time.monotonic() - started, await example_of(self.children[0].listener))
                for child in self.children:
                    self.background.start(child.name, partial(self._live, child, url))
                if self.store:
                    live = partial(self._live_store, self.store)
                    self.background.start("store", live, last_delay_s=LAST_STORE_DELAY_S)
                await self._stop.wait()
        finally:
            await self.background.stop()
            await self._end_children()
            if self.store:
                self.store.stop()
            for listener in listeners.values():
                listener.close()
            record_of(self.settings.data_dir).unlink(missing_ok=True)

    def _asked_to_end(self, number: int) -> None:
        self._drains = number == signal.SIGTERM and not self._stop.is_set()
        if self._stop.is_set():
            self._signal_children()
        self._stop.set()

    def _listen(self) -> dict[str, socket.socket]:
        settings = self.settings
        serve = listen(settings.host, settings.port, "SLOTBEAM_PORT")
        try:
            return {"serve": serve, "admin": listen(settings.host, settings.admin_port, "SLOTBEAM_ADMIN_PORT")}
        except SetupError:
            serve.close()
            raise

    def _child(self, name: str, listener: socket.socket, url: str) -> Child:
        # Stable over restarts: one heartbeat, one last-known-good file.
        replica = f"{self.settings.replica_id or 'up'}-{name}"
        own = {"SLOTBEAM_REDIS_URL": url, "SLOTBEAM_REPLICA_ID": replica}
        return Child(name, listener, {**os.environ, **self.settings.environment(self.flags), **own})

    async def _until_ready(self, child: Child) -> None:
        """Wait until the child answers 200 on `/readyz`. Raises `SetupError` when it ends first or takes too long."""
        began, said = time.monotonic(), False
        assert child.process is not None
        ended = asyncio.create_task(child.process.wait())
        stopped = asyncio.create_task(self._stop.wait())
        try:
            while (waited_s := time.monotonic() - began) < READY_TIMEOUT_S:
                if waited_s > SAY_AFTER_S and not said:
                    said = True
                    log.info("waiting until it is ready; without its store it waits up to 30 s", part=child.name)
                probe = asyncio.create_task(is_ready(child.listener))
                await asyncio.wait({ended, stopped, probe}, return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    probe.cancel()
                    raise SetupError(
                        f"{child.name} ended with status {ended.result()} before it was ready; its message is above"
                    )
                if stopped.done() or probe.result():
                    probe.cancel()
                    return
                await asyncio.sleep(0.05)
            raise SetupError(f"{child.name} was not ready within {READY_TIMEOUT_S:g} s; its log is above")
        finally:
            ended.cancel()
            stopped.cancel()

    async def _live(self, child: Child, url: str) -> None:
        """One life of a child, whoever started it."""
        if child.process is None or child.process.returncode is not None:
            await child.start()
            self._write_record(url)
        assert child.process is not None
        raise Ended("its process ended", status=await child.process.wait())

    async def _live_store(self, store: EmbeddedStore) -> None:
        """One life of the store, which may begin with none: its disk may still be full."""
        if not store.running():
            store.start()
            self._write_record(store.url)
        while store.running():
            await asyncio.sleep(FIRST_DELAY_S)
            store.log.tell()
        raise Ended("its process ended; searches go on", status=store.status)

    async def _end_children(self) -> None:
        """Ask the children to end; kill those that take longer than the drain and `STOP_TIMEOUT_S`."""
        running = [child for child in self.children if child.process is not None]
        self._signal_children()
        waits = [asyncio.create_task(child.process.wait()) for child in running if child.process is not None]
        if waits:
            drain_s = self.settings.drain_s if self._drains else 0
            await asyncio.wait(waits, timeout=drain_s + STOP_TIMEOUT_S)
        for child in running:
            child.signal(signal.SIGKILL)
        await asyncio.gather(*waits)

    def _signal_children(self) -> None:
        """SIGTERM begins a drain, and ends a process that is no server yet; SIGINT ends a server's drain."""
        for child in self.children:
            child.signal(signal.SIGTERM)
            if not self._drains:
                child.signal(signal.SIGINT)

    def _write_record(self, url: str) -> None:
        """Write DATA_DIR/up.json: pids and addresses, for other commands."""
        record = {
            "pid": os.getpid(),
            "data": address(self.children[0].listener),
            "admin": address(self.children[1].listener),
            "store": url if self.store else "SLOTBEAM_REDIS_URL",
            "store_pid": self.store.pid if self.store else None,
            "children": {child.name: child.process.pid for child in self.children if child.process is not None},
            "restarts": {"store": 0, **{child.name: 0 for child in self.children}, **self.background.restarts},
        }
        try:
            write_record(self.settings.data_dir, record)
        except OSError as error:  # a full disk is no reason not to run, and nothing else may start before it is free
            if not self._stale:
                log.error("up.json is not what runs; it is written again", error=str(error))
            self._stale = True
            asyncio.get_running_loop().call_later(RECORD_RETRY_S, self._write_again, url)
        else:
            self._stale = False

    def _write_again(self, url: str) -> None:
        if self._stale and not self._stop.is_set():
            self._write_record(url)

    def _announce(self, url: str, seconds: float, example: str | None) -> None:
        data, admin = (address(child.listener) for child in self.children)
        settings = self.settings
        token = f"$(cat {settings.data_dir / 'admin.token'})"
        if settings.admin_token is not None:
            token = "$SLOTBEAM_ADMIN_TOKEN"
        log.info("up", data=data, admin=admin, store="embedded" if self.store else "SLOTBEAM_REDIS_URL")
        say(f"slotbeam {__version__} is up after {seconds:.1f} s (process {os.getpid()}; Ctrl-C stops it)")
        say(f"  data plane     {data}")
        say(f"  control plane  {admin}")
        say(f"  store          {url + ' (embedded)' if self.store else 'SLOTBEAM_REDIS_URL'}")
        say("settings")
        for variable, value, source in sources(settings, self.flags):
            say(f"  {variable:<32} {value or '(unset)':<28} {source}")
        say("try")
        if example is not None:
            body = shlex.quote(json.dumps({"query": example, "k": 5}, ensure_ascii=False))
            say(f"  curl -s {data}/retrieve -H 'content-type: application/json' -d {body}")
        say(f'  curl -s {admin}/admin/slots -H "authorization: Bearer {token}"')
        say(f"  {data}/docs and {admin}/docs in a browser")


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
