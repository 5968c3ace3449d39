"""The data plane's side of its replica: what it counts and observes while it follows the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slotbeam.api.retrieve.metrics import Metrics
from slotbeam.bindings.replica.pace import Pace
from slotbeam.bindings.replica.replica import Replica
from slotbeam.bindings.replica.watch import Watcher
from slotbeam.bindings.store.store import Store
from slotbeam.items.replica.indexes import Indexes
from slotbeam.items.replica.replica import LiveReplica
from slotbeam.search.snapshot import Holder, ServingState
from slotbeam.settings import Settings
from slotbeam.suggestions.reporting import TrendReporter


def data_replica(settings: Settings, holder: Holder, pace: Pace, process: int = 1) -> LiveReplica | None:
    """Return the replica of the store of `settings.redis_url`; None without one: what the holder holds is served.

    Args:
        process: which of the processes behind one port this is.

    Raises:
        SetupError: the store's URL or its CA cannot be used.
    """
    if settings.redis_url is None:
        return None
    store = Store(settings.redis_url, ca=settings.redis_ca)
    name, indexes = settings.replica_id, Indexes.of(settings)
    return LiveReplica(store, holder, settings.data_dir, name, process=process, pace=pace, indexes=indexes)


@asynccontextmanager
async def following(replica: Replica, trends: TrendReporter, metrics: Metrics) -> AsyncIterator[None]:
    """Follow the store; leave what was counted of queries in it, and observe how long its revisions took."""
    async with replica:
        replica.keep("bindings-observe", lambda: observe(replica.watcher, metrics))
        replica.keep("trends", lambda: trends.run(replica.store, replica.watcher.replica_id))
        yield


async def observe(watcher: Watcher, metrics: Metrics) -> None:
    """Observe how long each reload took, and how long after its commit it was live."""
    observed = 0
    while True:
        facts = watcher.facts
        if facts.reloads != observed:
            observed = facts.reloads
            if facts.build_ms is not None:
                metrics.reload.observe(facts.build_ms / 1000)
            if facts.applied_ms is not None and facts.state is ServingState.LIVE:
                metrics.propagation.observe(facts.applied_ms / 1000)
        await watcher.changes()
