"""Batches of examples. One is a function of (seed, stage, step), so a resumed run sees what an unbroken one would."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.model.tokenizer import MAX_RECENT_TEXT, PAD
from slotbeam.types import IntArray
from slotbeam_train.stages.corpus import Corpus, Pairs

CHUNK = 16
"""Batches made at once: their rows are sorted by length together, so that a batch needs little padding."""

Rows = list[list[int]]
Make = Callable[["Sampler", np.random.Generator, int], tuple[Rows, IntArray]]

KINDS = ("retrieve", "sids", "slot", "text", "department")


@dataclass(frozen=True, slots=True)
class Task:
    """One way to make examples.

    `kind` says what its targets are: `sids` (n, L), `retrieve` (n, L + 1 + negatives) the SID, then the numbers of
    the item and of others to tell it from, `slot` (n, 2) position and code, `text` (n, S) ids up to <eos>, `department`
    (n,) numbers, -1 for none.
    """

    name: str
    kind: str
    make: Make


@dataclass(frozen=True, eq=False)
class Batch:
    """N rows of one kind: ids (N, T) int64, padded with PAD; target as `Task` says, text padded with PAD."""

    kind: str
    ids: IntArray
    target: IntArray


@dataclass(frozen=True, slots=True)
class DataOptions:
    """What the examples of S2 and S3 are drawn from.

    Attributes:
        pseudo_share: pseudo-queries among the pairs where a log exists (without one: all).
        self_routing: share of S3 examples that route a reserved slot to itself.
        negatives: other items of the same first slot that each S3 example's item is told from, drawn evenly.
        keep_history: chance that an example with a history keeps it.
        drop_text: chance that a query's text is left out, its SID alone remains.
        drop_sid: chance that a query's SID is left out, its text alone remains.
    """

    pseudo_share: float = 0.3
    self_routing: float = 0.12
    negatives: int = 8
    keep_history: float = 0.5
    drop_text: float = 0.05
    drop_sid: float = 0.05


class Sampler:
    """Draws examples from a corpus."""

    def __init__(self, corpus: Corpus, options: DataOptions) -> None:
        self.corpus, self.options = corpus, options
        self.compose = corpus.inputs.compose
        self.sid_ids = corpus.inputs.sid_ids
        first = corpus.item_sids[:, 0] if len(corpus.item_sids) else np.zeros(0, np.int64)
        self._by_first = np.argsort(first, kind="stable")
        self._starts = np.searchsorted(first[self._by_first], np.arange(int(first.max(initial=0)) + 2))

    def pairs(self, rng: np.random.Generator, n: int) -> list[tuple[Pairs, int]]:
        """Draw `n` pairs from the log and the pseudo-queries."""
        log, pseudo = self.corpus.log, self.corpus.pseudo
        if log is None or pseudo is None:
            only = log if pseudo is None else pseudo
            if only is None:
                raise ValueError("a corpus has a log or pseudo-queries, this one has neither. This is a bug.")
            return [(only, index) for index in only.draw(rng, n).tolist()]
        made = int(rng.binomial(n, self.options.pseudo_share))
        drawn = [(pseudo, index) for index in pseudo.draw(rng, made).tolist()]
        return drawn + [(log, index) for index in log.draw(rng, n - made).tolist()]

    def history(self, pairs: Pairs, index: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Ids of the earlier queries and seen items of a pair, newest first, or nothing."""
        if pairs.recent is None or pairs.seen is None or rng.random() >= self.options.keep_history:
            return [], []
        corpus = self.corpus
        recent = [corpus.queries[q][:MAX_RECENT_TEXT] for q in pairs.recent[index].tolist() if q >= 0]
        seen = [self.sid_ids(tuple(corpus.item_sids[i].tolist())) for i in pairs.seen[index].tolist() if i >= 0]
        return recent, seen

    def rivals(self, items: IntArray, rng: np.random.Generator) -> IntArray:
        """(n,) items → (n, negatives) items of the same first slot, drawn evenly; the item itself may be among them."""
        first = self.corpus.item_sids[items, 0]
        start, stop = self._starts[first][:, None], self._starts[first + 1][:, None]
        drawn = rng.random((len(items), self.options.negatives))
        found: IntArray = self._by_first[start + (drawn * (stop - start)).astype(np.int64)]
        return found


def padded(rows: Sequence[Sequence[int]], width: int | None = None) -> IntArray:
    """Return (N, T) int64 ids, padded with PAD to the longest row, or to `width`."""
    out = np.full((len(rows), width or max(map(len, rows))), PAD, np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return out


class Stream:
    """The batches of one stage."""

    def __init__(self, sampler: Sampler, mix: Sequence[tuple[Task, float]], batch: int, seed: int, stage: str) -> None:
        """Mix tasks by weight; every batch holds tasks of one kind.

        Args:
            mix: tasks and their weights, any scale.
            batch: N.
        """
        self._sampler, self._batch, self._seed = sampler, batch, [seed, zlib.crc32(stage.encode())]
        self._kinds = [kind for kind in KINDS if any(task.kind == kind for task, _ in mix)]
        self._mix = {kind: [(task, weight) for task, weight in mix if task.kind == kind] for kind in self._kinds}
        weight = np.asarray([sum(weight for _, weight in self._mix[kind]) for kind in self._kinds])
        self._shares = weight / weight.sum()
        self._chunk, self._batches = -1, list[Batch]()

    def batch(self, step: int) -> Batch:
        """Return the batch of step 0, 1, 2 …"""
        chunk, place = divmod(step, CHUNK)
        if chunk != self._chunk:
            self._chunk, self._batches = chunk, self._make(np.random.default_rng([*self._seed, chunk]))
        return self._batches[place]

    def _make(self, rng: np.random.Generator) -> list[Batch]:
        counts = rng.multinomial(CHUNK, self._shares)
        batches: list[Batch] = []
        for kind, count in zip(self._kinds, counts.tolist(), strict=True):
            if count:
                batches += self._of_kind(kind, count, rng)
        return [batches[i] for i in rng.permutation(len(batches)).tolist()]

    def _of_kind(self, kind: str, count: int, rng: np.random.Generator) -> list[Batch]:
        tasks = self._mix[kind]
        weight = np.asarray([weight for _, weight in tasks])
        rows: Rows = []
        targets: list[IntArray] = []
        size = self._batch if kind != "text" else max(1, self._batch // 2)  # a text target costs more than a SID
        for (task, _), n in zip(tasks, rng.multinomial(count * size, weight / weight.sum()).tolist(), strict=True):
            if n:
                made, target = task.make(self._sampler, rng, n)
                rows += made
                targets.append(target)
        target = np.concatenate(targets)
        order = rng.permutation(len(rows))
        order = order[np.argsort([len(rows[i]) for i in order.tolist()], kind="stable")]
        return [  # rows of like length together
            Batch(kind, padded([rows[i] for i in part.tolist()]), target[part]) for part in np.split(order, count)
        ]
