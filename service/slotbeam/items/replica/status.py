"""What a replica knows about its items, and who wants to know: heartbeats, answers, the metrics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from slotbeam.bindings.replica.status import FAILED_SHOWN, Followed, FollowStatus
from slotbeam.items.record import EMPTY_DIGEST
from slotbeam.items.switch import IndexMark
from slotbeam.search.snapshot import Holder, ServingState, Snapshot
from slotbeam.search.watermark import Watermark


@dataclass(frozen=True)
class ItemFacts(Followed):
    """What a replica knows about its items.

    Attributes:
        seq: of the last edit that is served.
        digest: of all records up to it.
        count: records.
        delta: records that the index does not hold.
        switch: number of the newest switch of the index that is served here; 0 for none.
        index_error: why the index that is active is not; empty where it is.
    """

    seq: int = 0
    digest: str = EMPTY_DIGEST
    count: int = 0
    delta: int = 0
    switch: int = 0
    index_error: str = ""

    def beat(self) -> dict[str, Any]:
        """Return the part of a heartbeat that they are."""
        return {
            "epoch": self.epoch,
            "seq": self.seq,
            "digest": self.digest,
            "count": self.count,
            "state": self.state,
            "error": self.last_error,
            "applied_ms": self.applied_ms,
            "failed": dict(list(self.failed.items())[:FAILED_SHOWN]),
            "switch": self.switch,
            "index_error": self.index_error,
        }


class ItemStatus(FollowStatus[ItemFacts]):
    """Of the items; their state is that of `snapshot.items`."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(holder, ItemFacts(), "items")

    @property
    def watermark(self) -> Watermark:
        """Which edits the index holds that is served."""
        return self._holder.current.artifact.watermark

    def beat(self) -> dict[str, Any]:
        """Return the part of a heartbeat that they are."""
        index = IndexMark.of(self._holder.current.artifact)
        served = {"index": index.name, "index_sha": index.sha, "index_seq": index.watermark.seq}
        return {**self._facts.beat(), **served}

    def serve(self, epoch: str, seq: int, state: ServingState) -> None:
        """Say in the snapshot which items it holds."""
        snapshot = self._holder.current
        self._holder.current = replace(snapshot, items=replace(snapshot.items, epoch=epoch, seq=seq, state=state))

    def _stated(self, snapshot: Snapshot, state: ServingState) -> Snapshot:
        if snapshot.items.state == state:
            return snapshot
        return replace(snapshot, items=replace(snapshot.items, state=state))

    def _serving(self) -> dict[str, int]:
        return {"serving": self._facts.seq}
