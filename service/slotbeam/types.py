"""The words of slotbeam as types: slots, SIDs, hits, timings."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slotbeam.errors import InputError

IntArray = NDArray[np.integer[Any]]
FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]

Sid = tuple[int, ...]
"""L slot indices, one per position; 0 is `empty`."""

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


@dataclass(frozen=True, slots=True)
class Hit:
    """One item of an answer.

    `score` orders one answer only; `sid_logp` is in nats and None when the full SID was not decoded;
    `source` is `binding` or `model`; `row` is the item's row in the catalog table.
    """

    row: int
    score: float
    sid: Sid
    sid_logp: float | None
    source: str
    bindings: tuple[str, ...] = ()


@dataclass(slots=True)
class Timings:
    """Seconds spent in each stage of one request; feeds headers and metrics alike."""

    stages: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add what runs inside to the stage `name`, whether it ends well or not."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - started)

    def add(self, stage: str, seconds: float) -> None:
        """Add `seconds` to a stage, which begins at 0."""
        self.stages[stage] = self.stages.get(stage, 0.0) + seconds
