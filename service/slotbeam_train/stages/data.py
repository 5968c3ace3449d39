"""Tasks and batches. A batch is a function of (seed, stage, step), so a resumed run sees what an unbroken one would."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.model.tokenizer import CATEGORY, EOS, MAX_RECENT_TEXT, PAD, QUERY, TITLE, WORD
from slotbeam.types import IntArray
from slotbeam_train.policy.model import MAX_TARGET_TEXT
from slotbeam_train.stages.corpus import Corpus, Pairs
from slotbeam_train.stages.routing import self_route

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

    def title_target(self, ids: Sequence[int]) -> list[int]:
        return [*ids[: MAX_TARGET_TEXT - 1], EOS]


def _pad(rows: Sequence[Sequence[int]]) -> IntArray:
    out = np.full((len(rows), max(map(len, rows))), PAD, np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return out


def _text_target(rows: Rows) -> IntArray:
    out = np.full((len(rows), MAX_TARGET_TEXT), PAD, np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return out


def _picks(rng: np.random.Generator, size: int, n: int) -> list[int]:
    found: list[int] = rng.integers(size, size=n).tolist()
    return found


# S0: a word and its slot


def word_to_slot(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c = s.corpus
    picks = _picks(rng, len(c.words), n)
    rows = [s.compose(WORD, [CATEGORY + int(c.word_facts[i, 0])], c.words[i]) for i in picks]
    return rows, c.word_facts[picks, 1:]


def slot_to_word(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c = s.corpus
    offsets = c.inputs.layout.slot_offsets
    picks = _picks(rng, len(c.words), n)
    rows = []
    for i in picks:
        category, position, code = c.word_facts[i].tolist()
        rows.append(s.compose(WORD, [CATEGORY + category, offsets[position] + code], []))
    return rows, _text_target([s.title_target(c.words[i]) for i in picks])


# S1: a text and its SID


def _queries(s: Sampler, rng: np.random.Generator, n: int) -> list[int]:
    return [int(pairs.query[index]) for pairs, index in s.pairs(rng, n)]


def query_to_sid(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, picks = s.corpus, _queries(s, rng, n)
    return [s.compose(QUERY, [], c.queries[q]) for q in picks], c.query_sids[picks]


def sid_to_query(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, picks = s.corpus, _queries(s, rng, n)
    rows = [s.compose(QUERY, s.sid_ids(tuple(c.query_sids[q].tolist())), []) for q in picks]
    return rows, _text_target([s.title_target(c.queries[q]) for q in picks])


def title_to_sid(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, picks = s.corpus, _picks(rng, len(s.corpus.titles), n)
    return [s.compose(TITLE, [], c.titles[i]) for i in picks], c.item_sids[picks]


def sid_to_title(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, picks = s.corpus, _picks(rng, len(s.corpus.titles), n)
    rows = [s.compose(TITLE, s.sid_ids(tuple(c.item_sids[i].tolist())), []) for i in picks]
    return rows, _text_target([s.title_target(c.titles[i]) for i in picks])


def query_to_department(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, drawn = s.corpus, s.pairs(rng, n)
    rows = [s.compose(QUERY, [], c.queries[int(pairs.query[index])]) for pairs, index in drawn]
    return rows, c.departments[[int(pairs.item[index]) for pairs, index in drawn]]


def title_to_department(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, picks = s.corpus, _picks(rng, len(s.corpus.titles), n)
    return [s.compose(TITLE, [], c.titles[i]) for i in picks], c.departments[picks]


# S2: a query and what it leads to


def query_to_title(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, rows, targets = s.corpus, [], []
    for pairs, index in s.pairs(rng, n):
        rows.append(s.compose(QUERY, [], c.queries[int(pairs.query[index])]))
        targets.append(s.title_target(c.titles[int(pairs.item[index])]))
    return rows, _text_target(targets)


def title_to_query(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, rows, targets = s.corpus, [], []
    for pairs, index in s.pairs(rng, n):
        rows.append(s.compose(TITLE, [], c.titles[int(pairs.item[index])]))
        targets.append(s.title_target(c.queries[int(pairs.query[index])]))
    return rows, _text_target(targets)


def query_sid_to_item_sid(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, drawn = s.corpus, s.pairs(rng, n)
    rows = [s.compose(QUERY, s.sid_ids(tuple(c.query_sids[pairs.query[index]].tolist())), []) for pairs, index in drawn]
    return rows, c.item_sids[[int(pairs.item[index]) for pairs, index in drawn]]


def item_sid_to_query_sid(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, drawn = s.corpus, s.pairs(rng, n)
    rows = [s.compose(TITLE, s.sid_ids(tuple(c.item_sids[pairs.item[index]].tolist())), []) for pairs, index in drawn]
    return rows, c.query_sids[[int(pairs.query[index]) for pairs, index in drawn]]


# S3: the deployed format


def retrieve(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    """(query, query SID, history) → item SID and item, with self-routing examples among them."""
    c, o = s.corpus, s.options
    rows, targets, items = [], [], []
    for pairs, index in s.pairs(rng, n):
        query, item = int(pairs.query[index]), int(pairs.item[index])
        text, sid, target = c.queries[query], c.query_sids[query], c.item_sids[item]
        recent, seen = s.history(pairs, index, rng)
        fate = rng.random()
        if fate < o.self_routing:
            word = c.invented[int(rng.integers(len(c.invented)))] if rng.random() < 0.8 else []
            sid, target, text = self_route(sid, target, text, c.query_spans[query], word, c.reserved, rng)
        elif fate < o.self_routing + o.drop_text and sid.any():
            text = []
        elif fate > 1 - o.drop_sid:
            sid = np.zeros_like(sid)
        rows.append(s.compose(QUERY, s.sid_ids(tuple(sid.tolist())), text, recent, seen))
        targets.append(target)
        items.append(item)
    chosen = np.asarray(items, np.int64)
    return rows, np.column_stack([np.asarray(targets, np.int64), chosen, s.rivals(chosen, rng)])


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
            Batch(kind, _pad([rows[i] for i in part.tolist()]), target[part]) for part in np.split(order, count)
        ]
