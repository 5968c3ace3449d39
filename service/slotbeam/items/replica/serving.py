"""What a replica serves of items: on disk first, then in the sink, then reported."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slotbeam.bindings.replica.crashguard import CrashGuard
from slotbeam.bindings.replica.serving import Verdict
from slotbeam.errors import SetupError
from slotbeam.items.record import seq_of
from slotbeam.items.replica.handing import Handing
from slotbeam.items.replica.judging import Step
from slotbeam.items.replica.keeping import Keeping
from slotbeam.items.replica.livesink import LiveSink
from slotbeam.items.replica.sink import ItemSink
from slotbeam.items.replica.status import ItemStatus
from slotbeam.items.store.store import ItemsHead
from slotbeam.search.snapshot import ServingState
from slotbeam.search.watermark import Watermark


class ItemServing:
    """Hands records to a sink, and remembers what it was handed.

    Args:
        path: of the last-known-good file.
        status: that is told what is served from now on.
        sink: that items are handed to; None keeps the records only.
        now_ms: unix ms.
        retry_s: after which a disk that was full is tried again.

    Attributes:
        known: the head that is served; None before any.
        records: id → record of every item that was edited.
    """

    def __init__(
        self, path: Path, status: ItemStatus, sink: ItemSink | None, now_ms: Callable[[], int], retry_s: float
    ) -> None:
        self._status, self._now_ms = status, now_ms
        self._path, self._keeping = path, Keeping(path, retry_s)
        self._handing = Handing(sink, self._guard("applying"))
        self.known: ItemsHead | None = None
        self.records: dict[str, bytes] = {}
        self._delta = 0

    @property
    def trimmed(self) -> int:
        """Records up to this seq were let go, since the index holds them."""
        return self._keeping.trimmed

    async def boot(self) -> list[str]:
        """Serve the last known good items. Returns what was wrong with them."""
        good, problems = await self._keeping.load()
        held = self._status.watermark.seq
        if good is not None and good.trimmed > held:
            why = f"they go with an index that holds edits up to seq {good.trimmed}; this one holds those up to {held}"
            return [*problems, why]
        if good is not None:
            await self.apply(good.records, good.head, ServingState.DEGRADED, whole=True)
        return problems

    def beside(self, sink: LiveSink) -> Beside:
        """Begin to make an index ready, beside the one that is served."""
        return Beside(sink, Handing(sink, self._guard("switching")))

    async def switch(self, ready: Beside, switch: int, remember: Callable[[], None]) -> None:
        """Serve the index that was made ready, and report the switch.

        Args:
            ready: whose records and head are now those of the store.
            switch: its number.
            remember: as of `Follower.switch`.
        """
        assert ready.head is not None
        unkept = await self._keeping.whole(ready.head, ready.records, ready.trimmed)
        await asyncio.to_thread(remember)
        await ready.sink.serve(ready.head.seq)
        self._handing = Handing(ready.sink, self._guard("applying"))
        self.records, self.known = dict(ready.records), ready.head
        self._delta = len(beyond(self._status.watermark, ready.head, self.records))
        self._status.serve(ready.head.epoch, ready.head.seq, self._status.facts.state)
        self._report(ready.failed, unkept, switch=switch, index_error="")

    def _guard(self, name: str) -> CrashGuard:
        return CrashGuard(self._path.with_name(f"{self._path.name}.{name}"))

    def close(self) -> None:
        """Stop keeping; what is on disk stays."""
        self._keeping.close()

    async def apply(
        self,
        records: Mapping[str, bytes],
        head: ItemsHead,
        state: ServingState,
        *,
        whole: bool,
        step: Step | None = None,
        gone: Collection[str] = (),
        trimmed: int = 0,
    ) -> Verdict:
        """Keep records on disk, hand them to the sink, then report their seq.

        In this order what was reported is served again, whenever this process is killed.

        Args:
            whole: they are all that there are; else those that changed.
            step: that they come from; None: from a list, or the file.
            gone: ids of records that are no more, since the index holds them.
            trimmed: of a list: records up to this seq were let go.

        Returns:
            `APPLY`, or `CRASHED` with nothing changed but the state: they killed this process again and again.
        """
        began = time.perf_counter()
        unkept = None
        if step is not None:
            unkept = await self._keeping.step(head, step.lines, self.records)
        elif state is ServingState.LIVE:
            kept = records if whole else _without(gone, {**self.records, **records})
            unkept = await self._keeping.whole(head, kept, trimmed)
        failed = await self._handing.hand(beyond(self._status.watermark, head, records), head, whole=whole)
        if failed is None:
            self._status.hold(ServingState.CRASHED)
            return Verdict.CRASHED
        before = {item_id: self.records[item_id] for item_id in records if item_id in self.records}
        if whole:
            self.records = dict(records)
        else:
            self.records = _without(gone, self.records) if gone else self.records
            self.records.update(records)
            known = self._status.facts.failed
            failed |= {item_id: why for item_id, why in known.items() if item_id not in records and item_id not in gone}
        self.known = head
        if step is None:
            self._delta = len(beyond(self._status.watermark, head, self.records))
        else:
            self._delta += len(records) - len(beyond(self._status.watermark, head, before))
        self._status.serve(head.epoch, head.seq, state)
        now = self._now_ms()
        self._report(
            failed,
            unkept,
            state=state,
            applied_at=now,
            applied_ms=None if step is None or step.at is None else max(0, now - step.at),
            build_ms=(time.perf_counter() - began) * 1000,
            reloads=self._status.facts.reloads + 1,
        )
        return Verdict.APPLY

    def _report(self, failed: Mapping[str, str], unkept: str | None, **facts: Any) -> None:
        """Report what is served, and what else is to be known."""
        assert self.known is not None
        epoch, seq, digest = self.known.epoch, self.known.seq, self.known.digest
        head = {"epoch": epoch, "seq": seq, "digest": digest, "count": len(self.records), "delta": self._delta}
        self._status.note(**head, failed=dict(failed), last_error=next(iter(failed.values()), unkept), **facts)


@dataclass
class Beside:
    """An index that is made ready: it is handed what the store holds, until it may be served.

    Attributes:
        sink: takes items.
        handing: hands them to it.
        head, records, trimmed: of the store, as of what was handed over last; None before anything was.
        failed: id → `NACK:…` of what is left out.
    """

    sink: LiveSink
    handing: Handing
    head: ItemsHead | None = None
    records: Mapping[str, bytes] = field(default_factory=dict)
    trimmed: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    async def hand(self, head: ItemsHead, records: Mapping[str, bytes], trimmed: int) -> None:
        """Hand over what changed since the last time. Raises `SetupError`: it ended the process again and again."""
        watermark = self.sink.artifact.watermark
        whole = self.head is None or self.head.epoch != head.epoch or not records.keys() >= self.records.keys()
        changed = records if whole else {k: data for k, data in records.items() if self.records.get(k) != data}
        failed = await self.handing.hand(beyond(watermark, head, changed), head, whole=whole)
        if failed is None:
            raise SetupError(
                f"handing items to the index {self.sink.artifact.name} ended the process again and again; "
                f"remove {self.handing.guard.path} to try it again"
            )
        kept = {} if whole else {k: why for k, why in self.failed.items() if k not in changed}
        self.head, self.records, self.trimmed, self.failed = head, dict(records), trimmed, {**kept, **failed}


def beyond(watermark: Watermark, head: ItemsHead, records: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the records of a head that an index does not hold."""
    if watermark.epoch != head.epoch:
        return records
    return {item_id: data for item_id, data in records.items() if not is_held_by(watermark, head.epoch, data)}


def is_held_by(watermark: Watermark, epoch: str, record: bytes) -> bool:
    """Return whether an index holds the edit that a record is of."""
    try:
        return watermark.covers(epoch, seq_of(record))
    except ValueError:  # no record of ours: it is handed over, and named
        return False


def _without(gone: Collection[str], records: dict[str, bytes]) -> dict[str, bytes]:
    dropped = frozenset(gone)
    return {item_id: data for item_id, data in records.items() if item_id not in dropped}
