"""What a replica serves of items: on disk first, then in the sink, then reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from slotbeam.bindings.replica.crashguard import CrashGuard
from slotbeam.bindings.replica.serving import Verdict
from slotbeam.items.replica.handing import Handing
from slotbeam.items.replica.judging import Step
from slotbeam.items.replica.keeping import Keeping
from slotbeam.items.replica.sink import ItemSink
from slotbeam.items.replica.status import ItemStatus
from slotbeam.items.store.store import ItemsHead
from slotbeam.search.snapshot import ServingState


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
        self._keeping = Keeping(path, retry_s)
        self._handing = Handing(sink, CrashGuard(path.with_name(path.name + ".applying")))
        self.known: ItemsHead | None = None
        self.records: dict[str, bytes] = {}

    async def boot(self) -> list[str]:
        """Serve the last known good items. Returns what was wrong with them."""
        good, problems = await self._keeping.load()
        if good is not None:
            await self.apply(good.records, good.head, ServingState.DEGRADED, whole=True)
        return problems

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
    ) -> Verdict:
        """Keep records on disk, hand them to the sink, then report their seq.

        In this order what was reported is served again, whenever this process is killed.

        Args:
            whole: they are all that there are; else those that changed.
            step: that they come from; None: from a list, or the file.

        Returns:
            `APPLY`, or `CRASHED` with nothing changed but the state: they killed this process again and again.
        """
        began = time.perf_counter()
        unkept = None
        if step is not None:
            unkept = await self._keeping.step(head, step.lines, self.records)
        elif state is ServingState.LIVE:
            unkept = await self._keeping.whole(head, records if whole else {**self.records, **records})
        failed = await self._handing.hand(records, head, whole=whole)
        if failed is None:
            self._status.hold(ServingState.CRASHED)
            return Verdict.CRASHED
        if whole:
            self.records = dict(records)
        else:
            self.records.update(records)
            failed |= {item_id: why for item_id, why in self._status.facts.failed.items() if item_id not in records}
        self.known = head
        self._status.serve(head.epoch, head.seq, state)
        now = self._now_ms()
        self._status.note(
            state=state,
            epoch=head.epoch,
            seq=head.seq,
            digest=head.digest,
            count=len(self.records),
            applied_at=now,
            applied_ms=None if step is None or step.at is None else max(0, now - step.at),
            build_ms=(time.perf_counter() - began) * 1000,
            failed=failed,
            last_error=next(iter(failed.values()), unkept),
            reloads=self._status.facts.reloads + 1,
        )
        return Verdict.APPLY
