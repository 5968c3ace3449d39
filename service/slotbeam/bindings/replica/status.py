"""What a replica knows about itself, and who wants to know: heartbeats, `/readyz`, the metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import structlog

from slotbeam.errors import StoreError
from slotbeam.search.snapshot import HOLDS, Holder, ServingState, Snapshot

FAILED_SHOWN = 20
STATES = tuple(ServingState)
"""Of a replica, and of the snapshot that it serves."""
REASONS = ("store", "clock", "bug", *HOLDS)
"""Why a reload fails."""
SAID = 10
"""Reasons of one outage, logged at most: a server that is none may say something else each time."""

log = structlog.get_logger("slotbeam.bindings")


@dataclass(frozen=True)
class Followed:
    """What a replica knows of anything that it follows in the store.

    Attributes:
        state: what is served of it is worth.
        staleness_s: since the store last confirmed what is served; None when it never did.
        applied_ms: from the commit (its log entry) to the swap, by the clocks of both.
        build_ms: of the last compilation.
        failed: id of what is not served → `NACK:…`.
        reloads, reload_failures: swaps; attempts that failed, by reason.
    """

    state: ServingState = ServingState.NONE
    epoch: str = ""
    staleness_s: float | None = None
    last_error: str | None = None
    applied_ms: int | None = None
    applied_at: int | None = None
    build_ms: float | None = None
    failed: dict[str, str] = field(default_factory=dict)
    reloads: int = 0
    reload_failures: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts(Followed):
    """What a replica knows about itself: its bindings, and what it says of its items (`items.replica.status`).

    Attributes:
        cut: id of a binding that more items match than a binding may have → how many it leaves out.
    """

    revision: int = 0
    active: str = ""
    cut: dict[str, int] = field(default_factory=dict)
    items: dict[str, Any] | None = None

    def beat(self) -> dict[str, Any]:
        """Return the part of a heartbeat that they are."""
        return {
            "epoch": self.epoch,
            "revision": self.revision,
            "active": self.active,
            "state": self.state,
            "error": self.last_error,
            "applied_ms": self.applied_ms,
            "applied_at": self.applied_at,
            "build_ms": round(self.build_ms, 1) if self.build_ms is not None else None,
            "failed": dict(list(self.failed.items())[:FAILED_SHOWN]),
            # An older control plane cannot read it, but nor can a replica of its version serve what is cut.
            **({"cut": dict(list(self.cut.items())[:FAILED_SHOWN])} if self.cut else {}),
            **({} if self.items is None else {"items": self.items}),
        }


F = TypeVar("F", bound=Followed)


async def happened(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for `event`. False after `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return False
    return True


class FollowStatus(Generic[F]):
    """The newest facts of what is followed; their state is always that of the snapshot in `holder`.

    `changed` is set with the next change of any fact, and another event from then on; `begun` once something is served,
    or the store said that there is nothing.

    Args:
        holder: of the snapshot.
        facts: before anything is known.
        what: is followed, for the log.
    """

    def __init__(self, holder: Holder, facts: F, what: str) -> None:
        self._holder, self._facts, self._what = holder, facts, what
        self._confirmed: float | None = None
        self._away: set[str] = set()
        self.changed = asyncio.Event()
        self.begun = asyncio.Event()

    @property
    def facts(self) -> F:
        staleness_s = None if self._confirmed is None else time.monotonic() - self._confirmed
        return replace(self._facts, staleness_s=staleness_s)

    async def ready(self, timeout_s: float) -> bool:
        """Wait until it has begun. False after `timeout_s`."""
        return await happened(self.begun, timeout_s)

    async def until(self, holds: Callable[[F], bool], timeout_s: float) -> bool:
        """Wait until the facts are such. False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while not holds(self._facts):
                    await self.changed.wait()
        except TimeoutError:
            return False
        return True

    def note(self, **facts: Any) -> None:
        """Replace facts, by name; who waits for a change wakes up when one of them is another."""
        changed = any(getattr(self._facts, name) != value for name, value in facts.items())
        self._facts = replace(self._facts, **facts)
        if changed:
            self.changed.set()
            self.changed = asyncio.Event()

    def state(self, state: ServingState) -> None:
        """Call what is served `state` from now on; it stays as it is."""
        self._holder.current = self._stated(self._holder.current, state)
        self.note(state=state)

    def _stated(self, snapshot: Snapshot, state: ServingState) -> Snapshot:
        """Return `snapshot` with another state of what is followed."""
        return snapshot if snapshot.state == state else replace(snapshot, state=state)

    def confirm(self) -> None:
        """Note that the store holds what is served here."""
        self._confirmed = time.monotonic()
        if self._facts.epoch and self._facts.state is not ServingState.LIVE:
            self.state(ServingState.LIVE)
            self.note(last_error=next(iter(self._facts.failed.values()), None))

    def answered(self) -> None:
        """Note that the store answered, whatever it holds."""
        if self._away:
            self._away.clear()
            log.info("the store answers again")

    def hold(self, why: ServingState) -> None:
        """Note that what the store holds is not to be served; count it when that is news."""
        if self._facts.state != why:
            log.error(f"{self._what} on hold", why=why, **self._serving())
            self.fail(why, None)
        self.state(why)

    def degrade(self, error: Exception) -> None:
        """Note that `error` keeps us from following the store; a hold stays one. Log each reason once an outage."""
        if isinstance(error, StoreError) and str(error) not in self._away and len(self._away) < SAID:
            self._away.add(str(error))
            log.warning("the store cannot be followed", error=str(error), **self._serving())
        self.fail("store" if isinstance(error, StoreError) else "bug", error)
        if self._facts.state is ServingState.LIVE:
            self.state(ServingState.DEGRADED)

    def fail(self, reason: str, error: Exception | None) -> None:
        """Count an attempt that failed."""
        failures = dict(self._facts.reload_failures)
        failures[reason] = failures.get(reason, 0) + 1
        text = reason if error is None else f"{type(error).__name__}: {error}"[:300]
        if error is not None and not isinstance(error, StoreError):
            log.error(self._what, reason=reason, error=text, exc_info=error)
        self.note(reload_failures=failures, last_error=text)

    def _serving(self) -> dict[str, int]:
        """Return what is served, for the log."""
        return {}


class Status(FollowStatus[Facts]):
    """Of the bindings."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(holder, Facts(), "bindings")

    def _serving(self) -> dict[str, int]:
        return {"serving": self._facts.revision}
