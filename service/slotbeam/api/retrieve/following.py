"""The data plane's side of the watcher: its life, whether a snapshot may be served, and its metrics."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from types import TracebackType

import structlog
from prometheus_client.metrics_core import Metric

from slotbeam.api.http.vitals import following
from slotbeam.api.retrieve.metrics import Metrics
from slotbeam.background import Background
from slotbeam.bindings.replica.watch import Watcher
from slotbeam.bindings.store.store import Store
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder
from slotbeam.settings import Settings
from slotbeam.suggestions.reporting import TrendReporter

READY_WAIT_S = 30.0

log = structlog.get_logger("slotbeam.api")


def replica_name(settings: Settings) -> str:
    """Return this replica's name: the setting, else host name and process id."""
    return settings.replica_id or f"{socket.gethostname()}-{os.getpid()}"


class Following:
    """Follows the store of `settings.redis_url` while entered; without one, serves what the holder holds."""

    def __init__(self, settings: Settings, artifact: Artifact, holder: Holder, metrics: Metrics) -> None:
        self._settings, self._artifact, self._holder, self._metrics = settings, artifact, holder, metrics
        self._background = Background()
        self._observed = 0
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
            self._background.start("bindings", watcher.run)
            self._background.start("bindings-ready", lambda: self._wait(watcher), once=True)
            self._background.start("bindings-observe", lambda: self._observe(watcher))
            if self.trends is not None:
                store, trends = self._store, self.trends
                self._background.start("trends", lambda: trends.run(store, watcher.replica_id))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._background.stop()
        if self._store is not None:
            await self._store.close()

    def gauges(self) -> list[Metric]:
        """Return what the watcher knows, for a scrape."""
        if self.watcher is None:
            return []
        return following(self.watcher.facts)

    def restarts(self) -> Mapping[str, int]:
        """Return how often each background task had to begin again."""
        return {**self._background.restarts, **(self.watcher.background.restarts if self.watcher else {})}

    async def _wait(self, watcher: Watcher) -> None:
        await watcher.ready(READY_WAIT_S)
        self._ready = True

    async def _observe(self, watcher: Watcher) -> None:
        """Observe how long each reload took, and how long after its commit it was live."""
        while True:
            facts = watcher.facts
            if facts.reloads != self._observed:
                self._observed = facts.reloads
                if facts.build_ms is not None:
                    self._metrics.reload.observe(facts.build_ms / 1000)
                if facts.applied_ms is not None and facts.state == "live":
                    self._metrics.propagation.observe(facts.applied_ms / 1000)
            await watcher.changes()
