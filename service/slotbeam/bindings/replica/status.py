"""What a replica knows about itself, and who wants to know: heartbeats, `/readyz`, the metrics."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from slotbeam.errors import StoreError
from slotbeam.search.snapshot import HOLDS, Holder, ServingState

FAILED_SHOWN = 20
STATES = tuple(ServingState)
"""Of a replica, and of the snapshot that it serves."""
REASONS = ("store", "clock", "bug", *HOLDS)
"""Why a reload fails."""
SAID = 10
"""Reasons of one outage, logged at most: a server that is none may say something else each time."""

log = structlog.get_logger("slotbeam.bindings")


@dataclass(frozen=True)
class Facts:
    """What a replica knows about itself.

    Attributes:
        state: what the bindings that are served are worth.
        staleness_s: since the store last confirmed what is served; None when it never did.
        applied_ms: from the commit (its log entry) to the swap, by the clocks of both.
        build_ms: of the last compilation.
        failed: binding id → `NACK:…`.
        reloads, reload_failures: swaps; attempts that failed, by reason.
    """

    state: ServingState = ServingState.NONE
    epoch: str = ""
    revision: int = 0
    active: str = ""
    staleness_s: float | None = None
    last_error: str | None = None
    applied_ms: int | None = None
    applied_at: int | None = None
    build_ms: float | None = None
    failed: dict[str, str] = field(default_factory=dict)
    reloads: int = 0
    reload_failures: dict[str, int] = field(default_factory=dict)

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
        }


class Status:
    """The newest `Facts`; their state is always that of the snapshot in `holder`.

    `changed` is set with the next change of any fact, and another event from then on.
    """

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._facts = Facts()
        self._confirmed: float | None = None
        self._away: set[str] = set()
        self.changed = asyncio.Event()

    @property
    def facts(self) -> Facts:
        staleness_s = None if self._confirmed is None else time.monotonic() - self._confirmed
        return replace(self._facts, staleness_s=staleness_s)

    def note(self, **facts: Any) -> None:
        """Replace facts, by name; who waits for a change wakes up when one of them is another."""
        changed = any(getattr(self._facts, name) != value for name, value in facts.items())
        self._facts = replace(self._facts, **facts)
        if changed:
            self.changed.set()
            self.changed = asyncio.Event()

    def state(self, state: ServingState) -> None:
        """Call what is served `state` from now on; it stays as it is."""
        if self._holder.current.state != state:
            self._holder.current = replace(self._holder.current, state=state)
        self.note(state=state)

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
            log.error("bindings on hold", why=why, serving=self._facts.revision)
            self.fail(why, None)
        self.state(why)

    def degrade(self, error: Exception) -> None:
        """Note that `error` keeps us from following the store; a hold stays one. Log each reason once an outage."""
        if isinstance(error, StoreError) and str(error) not in self._away and len(self._away) < SAID:
            self._away.add(str(error))
            log.warning("the store cannot be followed", error=str(error), serving=self._facts.revision)
        self.fail("store" if isinstance(error, StoreError) else "bug", error)
        if self._facts.state is ServingState.LIVE:
            self.state(ServingState.DEGRADED)

    def fail(self, reason: str, error: Exception | None) -> None:
        """Count an attempt that failed."""
        failures = dict(self._facts.reload_failures)
        failures[reason] = failures.get(reason, 0) + 1
        text = reason if error is None else f"{type(error).__name__}: {error}"[:300]
        if error is not None and not isinstance(error, StoreError):
            log.error("bindings", reason=reason, error=text, exc_info=error)
        self.note(reload_failures=failures, last_error=text)
