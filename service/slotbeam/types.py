"""The words of slotbeam as types: slots, SIDs, hits, timings."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, overload

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
    """What brought an item: a binding or a rule that the query triggered, the base group, or that nothing was known."""

    BINDING = "binding"
    RULE = "rule"
    MODEL = "model"
    POPULAR = "popular"


@dataclass(frozen=True, slots=True)
class Hit:
    """One item of an answer.

    `score` orders one answer only; `sid_logp` is in nats and None when the full SID was not decoded; `row` is the
    item's row in the catalog table; `bindings` are the ids of the matched bindings that hold it; `relevance` is None
    before it was judged, `matched` are the numbers of the query's words that it carries.
    """

    row: int
    score: float
    sid: Sid
    sid_logp: float | None
    source: HitSource
    bindings: tuple[str, ...] = ()
    relevance: float | None = None
    matched: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Hits(Sequence[Hit]):
    """The items of an answer, best first, as columns: a sequence of `Hit`, which are made one by one when asked for.

    Attributes:
        rows: (n,) int64.
        scores: (n,) float64.
        sids: (n, L).
        logp: (n,) float64, NaN where the SID was not decoded; None where none was.
        held: (n, g) which of the `bindings` hold each.
        bindings: the g ids of the matched bindings.
        others: what brought those that no binding did.
        relevance: (n,) float64 in [0, 1]; None before they were judged.
        matched: (n, w) which of the query's words each carries; None likewise.
        positioned: (n,) which ones a rule put where they are; None: none.
    """

    rows: IntArray
    scores: FloatArray
    sids: IntArray
    logp: FloatArray | None
    held: BoolArray
    bindings: tuple[str, ...] = ()
    others: HitSource = HitSource.MODEL
    relevance: FloatArray | None = None
    matched: BoolArray | None = None
    positioned: BoolArray | None = None

    @classmethod
    def none(cls) -> Hits:
        """Return no hit."""
        return cls(np.empty(0, np.int64), np.empty(0), np.empty((0, 0), np.int32), None, np.empty((0, 0), np.bool_))

    @property
    def bound(self) -> BoolArray:
        """(n,) which ones a binding brought."""
        return np.asarray(self.held.any(axis=1))

    @property
    def leading(self) -> BoolArray:
        """(n,) which ones somebody asked for: a binding or a rule brought them."""
        return self.bound if self.positioned is None else np.asarray(self.bound | self.positioned)

    @property
    def sources(self) -> list[HitSource]:
        """What brought each."""
        sources = [HitSource.BINDING if bound else self.others for bound in self.bound.tolist()]
        if self.positioned is not None:
            for at in np.flatnonzero(self.positioned).tolist():
                sources[at] = HitSource.RULE
        return sources

    def take(self, which: IntArray | BoolArray | slice) -> Hits:
        """Return the hits at `which` places, in their order."""
        logp = None if self.logp is None else self.logp[which]
        relevance = None if self.relevance is None else self.relevance[which]
        matched = None if self.matched is None else self.matched[which]
        positioned = None if self.positioned is None else self.positioned[which]
        columns = self.rows[which], self.scores[which], self.sids[which], logp, self.held[which]
        return Hits(*columns, self.bindings, self.others, relevance, matched, positioned)

    def and_(self, more: Hits) -> Hits:
        """Return these hits and, behind them, `more`, of the same bindings or of none; neither is judged yet."""
        logp = None if more.logp is None else np.concatenate([np.full(len(self), np.nan), more.logp])
        held = more.held if more.bindings == self.bindings else np.zeros((len(more), len(self.bindings)), np.bool_)
        return Hits(
            np.concatenate([self.rows, more.rows]),
            np.concatenate([self.scores, more.scores]),
            np.concatenate([self.sids, more.sids]),
            logp,
            np.concatenate([self.held, held]),
            self.bindings,
            more.others,
        )

    def scored(self, scores: FloatArray) -> Hits:
        """Return the hits with other `scores` (n,)."""
        return replace(self, scores=scores)

    def placed(self, first: int) -> Hits:
        """Return the hits, of which a rule put the `first` ones where they are."""
        return replace(self, positioned=np.arange(len(self)) < first)

    def judged(self, relevance: FloatArray, matched: BoolArray) -> Hits:
        """Return the hits with their `relevance` (n,) and the words that they carry (n, w)."""
        return replace(self, relevance=relevance, matched=matched)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Hit]:
        logps = [None] * len(self) if self.logp is None else [x if x == x else None for x in self.logp.tolist()]
        columns = self.rows.tolist(), self.scores.tolist(), self.sids.tolist(), logps, self.held.tolist(), self.sources
        relevances = [None] * len(self) if self.relevance is None else self.relevance.tolist()
        matched = [[]] * len(self) if self.matched is None else self.matched.tolist()
        for row, score, sid, logp, held, source, relevance, words in zip(*columns, relevances, matched, strict=True):
            ids = tuple(name for name, holds in zip(self.bindings, held, strict=True) if holds)
            numbers = tuple(n for n, has in enumerate(words) if has)
            yield Hit(row, score, tuple(sid), logp, source, ids, relevance, numbers)

    @overload
    def __getitem__(self, at: int) -> Hit: ...
    @overload
    def __getitem__(self, at: slice) -> Hits: ...
    def __getitem__(self, at: int | slice) -> Hit | Hits:
        if isinstance(at, slice):
            return self.take(at)
        return next(iter(self.take(np.array([at]))))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hits) and list(self) == list(other)


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
