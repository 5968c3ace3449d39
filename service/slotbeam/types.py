"""The words of slotbeam as types: slots, SIDs, hits, timings."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slotbeam.errors import InputError

IntArray = NDArray[np.integer[Any]]
FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]

Sid = tuple[int, ...]
"""L slot indices, one per position; 0 is `empty`."""

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total)."""

SLOT_LENGTH = 11
SLOT_PATTERN = "^([0-9]{1,3})-([0-9]{1,7})$"
_SLOT = re.compile(SLOT_PATTERN)


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One code of one position's codebook, written `position-index`, e.g. `1-2049`."""

    position: int
    index: int

    def __str__(self) -> str:
        return f"{self.position}-{self.index}"

    @classmethod
    def parse(cls, text: str) -> Slot:
        """Read `position-index`. Raises `InputError` for anything else."""
        match = _SLOT.fullmatch(text)
        if match is None:
            shown = text if len(text) <= 32 else text[:32] + "…"
            raise InputError(f"{shown!r} is not a slot id; a slot id is position-index, for example 1-2049")
        return cls(int(match[1]), int(match[2]))


class HitSource(StrEnum):
    """What brought an item: a binding that the query triggered, or the base group."""

    BINDING = "binding"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Hit:
    """One item of an answer.

    `score` orders one answer only; `sid_logp` is in nats and None when the full SID was not decoded; `row` is the
    item's row in the catalog table; `bindings` are the ids of the matched bindings that hold it.
    """

    row: int
    score: float
    sid: Sid
    sid_logp: float | None
    source: HitSource
    bindings: tuple[str, ...] = ()


class QueryStage(StrEnum):
    """What the time of a query is spent on; its waiting for a worker comes last, where stages are listed."""

    ENCODE = "encode"
    DECODE = "decode"
    RANK = "rank"
    QUEUE = "queue"


@dataclass(slots=True)
class Timings:
    """Seconds spent in each stage of one request; feeds headers and metrics alike."""

    stages: dict[QueryStage, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, stage: QueryStage) -> Iterator[None]:
        """Add what runs inside to `stage`, whether it ends well or not."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - started)

    def add(self, stage: QueryStage, seconds: float) -> None:
        """Add `seconds` to a stage, which begins at 0."""
        self.stages[stage] = self.stages.get(stage, 0.0) + seconds
