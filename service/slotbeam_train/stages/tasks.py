"""How the examples of each stage are made of a corpus: n rows of ids, and what is to come of each (see `Task`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slotbeam.model.tokenizer import CATEGORY, EOS, QUERY, TITLE, WORD
from slotbeam.types import IntArray
from slotbeam_train.policy.model import MAX_TARGET_TEXT
from slotbeam_train.stages.data import Rows, Sampler, padded
from slotbeam_train.stages.routing import self_route


def _texts(texts: Sequence[Sequence[int]]) -> IntArray:
    """Return (N, MAX_TARGET_TEXT) targets of N texts: cut, ended and padded."""
    return padded([[*ids[: MAX_TARGET_TEXT - 1], EOS] for ids in texts], MAX_TARGET_TEXT)


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
    return rows, _texts([c.words[i] for i in picks])


# S1: a text and its SID


def _queries(s: Sampler, rng: np.random.Generator, n: int) -> list[int]:
    return [int(pairs.query[index]) for pairs, index in s.pairs(rng, n)]


def query_to_sid(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, picks = s.corpus, _queries(s, rng, n)
    return [s.compose(QUERY, [], c.queries[q]) for q in picks], c.query_sids[picks]


def sid_to_query(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, picks = s.corpus, _queries(s, rng, n)
    rows = [s.compose(QUERY, s.sid_ids(tuple(c.query_sids[q].tolist())), []) for q in picks]
    return rows, _texts([c.queries[q] for q in picks])


def title_to_sid(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, picks = s.corpus, _picks(rng, len(s.corpus.titles), n)
    return [s.compose(TITLE, [], c.titles[i]) for i in picks], c.item_sids[picks]


def sid_to_title(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, picks = s.corpus, _picks(rng, len(s.corpus.titles), n)
    rows = [s.compose(TITLE, s.sid_ids(tuple(c.item_sids[i].tolist())), []) for i in picks]
    return rows, _texts([c.titles[i] for i in picks])


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
        targets.append(c.titles[int(pairs.item[index])])
    return rows, _texts(targets)


def title_to_query(s: Sampler, rng: np.random.Generator, n: int) -> tuple[Rows, IntArray]:
    c, rows, targets = s.corpus, [], []
    for pairs, index in s.pairs(rng, n):
        rows.append(s.compose(TITLE, [], c.titles[int(pairs.item[index])]))
        targets.append(c.queries[int(pairs.query[index])])
    return rows, _texts(targets)


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
    """Lead (query, query SID, history) → item SID and item, with self-routing examples among them."""
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
