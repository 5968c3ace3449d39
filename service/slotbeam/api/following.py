"""The data plane's side of the watcher: its life, whether a snapshot may be served, and its metrics."""

from __future__ import annotations

import asyncio
import os
import socket
from types import TracebackType

import structlog
from prometheus_client.metrics_core import Metric

from slotbeam.api.metrics import Metrics
from slotbeam.api.reporting import TrendReporter
from slotbeam.api.vitals import following
from slotbeam.bindings.store import Store
from slotbeam.bindings.watch import Watcher
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder
from slotbeam.settings import Settings

READY_WAIT_S = 30.0

log = structlog.get_logger("slotbeam.api")


def replica_name(settings: Settings) -> str:
    """Return this replica's name: the setting, else host name and process id."""
    return settings.replica_id or f"{socket.gethostname()}-{os.getpid()}"


class Following:
    """Follows the store of `settings.redis_url` while entered; without one, serves what the holder holds."""

    def __init__(self, settings: Settings, artifact: Artifact, holder: Holder, metrics: Metrics) -> None:
        self._settings, self._artifact, self._holder, self._metrics = settings, artifact, holder, metrics
        self._tasks: list[asyncio.Task[None]] = []
        self._store: Store | None = None
        self.watcher: Watcher | None = None
        self.trends = None if settings.redis_url is None else TrendReporter()
        self._ready = settings.redis_url is None

    def ready(self) -> bool:
        """Whether a list or a last-known-good file was seen, or 30 s went by without either."""
        return self._ready

    async def __aenter__(self) -> Following:
        settings = self._settings
        if settings.redis_url is not None:
            self._store = Store(settings.redis_url, ca=settings.redis_ca)
            self.watcher = watcher = Watcher(
                self._store, self._holder, self._artifact, settings.data_dir, replica_name(settings)
            )
            try:  # before the first request: a process that was started again must not answer without bindings
                await watcher.boot()
            except Exception as error:
                log.error("booting. This is a bug; answers begin without bindings", error=repr(error))
            run = asyncio.create_task(watcher.run(), name="bindings-watcher")
            run.add_done_callback(_report)
            self._tasks = [
                run,
                asyncio.create_task(self._wait(watcher), name="bindings-ready"),
                asyncio.create_task(self._observe(watcher), name="bindings-observe"),
            ]
            if self.trends is not None:
                report = self.trends.run(self._store, watcher.replica_id)
                self._tasks.append(asyncio.create_task(report, name="trends"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._store is not None:
            await self._store.close()

    def gauges(self) -> list[Metric]:
        """Return what the watcher knows, for a scrape."""
        if self.watcher is None:
            return []
        return following(self.watcher.facts)

    async def _wait(self, watcher: Watcher) -> None:
        await watcher.ready(READY_WAIT_S)
        self._ready = True

    async def _observe(self, watcher: Watcher) -> None:
        """Observe how long each reload took, and how long after its commit it was live."""
        seen = 0
        while True:
            facts = watcher.facts
            if facts.reloads != seen:
                seen = facts.reloads
                if facts.build_ms is not None:
                    self._metrics.reload.observe(facts.build_ms / 1000)
                if facts.applied_ms is not None and facts.state == "live":
                    self._metrics.propagation.observe(facts.applied_ms / 1000)
            await watcher.changes()


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("the watcher ended. This is a bug; answers stay at their revision", error=repr(task.exception()))
