from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from slotbeam.model.tokenizer import EOS, PAD, QUERY, RECENT, SEEN, TEXT
from slotbeam_train.stages.corpus import Corpus
from slotbeam_train.stages.data import CHUNK, DataOptions, Sampler, Stream
from slotbeam_train.stages.stages import STAGES
from support.training import make_corpus


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus()


def stream(corpus: Corpus, stage: str, batch: int = 32, seed: int = 0, **options: Any) -> Stream:
    return Stream(Sampler(corpus, DataOptions(**options)), STAGES[stage][1](corpus), batch, seed, stage)


def reserved_share(corpus: Corpus, **options: Any) -> float:
    """Share of S3's targets that hold a reserved slot; their query rows must hold the same one."""
    mix = [(task, weight) for task, weight in STAGES["S3"][1](corpus) if task.name == "query → item SID"]
    batches = Stream(Sampler(corpus, DataOptions(**options)), mix, 64, 0, "S3")
    found = total = 0
    offsets = corpus.inputs.layout.slot_offsets
    for step in range(32):
        batch = batches.batch(step)
        for ids, target in zip(batch.ids, batch.target, strict=True):
            routed = [p for p, codes in enumerate(corpus.reserved) if target[p] in codes]
            assert len(routed) <= 1
            assert all(offsets[p] + target[p] in ids for p in routed)
            found, total = found + len(routed), total + 1
    return found / total


def test_self_routing_has_the_share_that_was_asked_for(corpus: Corpus) -> None:
    assert reserved_share(corpus, self_routing=0.0) == 0
    assert reserved_share(corpus, self_routing=0.12) == pytest.approx(0.12, abs=0.02)


def test_a_batch_depends_on_seed_stage_and_step_alone(corpus: Corpus) -> None:
    one, two = stream(corpus, "S3"), stream(corpus, "S3")
    for step in (40, 3, 17):  # any order
        assert np.array_equal(one.batch(step).ids, two.batch(step).ids)
    assert not np.array_equal(one.batch(0).target, stream(corpus, "S3", seed=1).batch(0).target)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_makes_rows_of_known_ids_and_targets_of_its_kind(corpus: Corpus, stage: str) -> None:
    batches, kinds = stream(corpus, stage), set()
    sizes, vocabulary = corpus.inputs.sizes, corpus.inputs.layout.vocabulary
    for step in range(2 * CHUNK):
        batch = batches.batch(step)
        kinds.add(batch.kind)
        assert batch.ids.dtype == np.int64
        assert batch.ids.shape[1] <= corpus.inputs.max_tokens
        assert ((batch.ids >= 0) & (batch.ids < vocabulary)).all()
        assert (batch.ids[:, 0] != PAD).all()
        if batch.kind == "sids":
            assert ((batch.target >= 0) & (batch.target < np.array(sizes))).all()
        elif batch.kind == "retrieve":
            sids, numbers = batch.target[:, : len(sizes)], batch.target[:, len(sizes) :]
            assert ((sids >= 0) & (sids < np.array(sizes))).all()
            first = corpus.item_sids[numbers, 0]
            assert (first == first[:, :1]).all()  # rivals share the item's first slot
        elif batch.kind == "slot":
            assert (batch.target[:, 1] < np.array(sizes)[batch.target[:, 0]]).all()
        elif batch.kind == "text":
            assert ((batch.target == EOS).sum(axis=1) == 1).all()
        else:
            assert (batch.target < len(corpus.department_names)).all()
    expected = {
        "S0": {"slot", "text"},
        "S1": {"sids", "text", "department"},
        "S2": {"sids", "text"},
        "S3": {"retrieve", "sids"},
    }
    assert kinds == expected[stage]


def test_the_deployed_row_of_a_pair_is_what_serving_builds(corpus: Corpus) -> None:
    """Training and serving lay a query out alike: the oracle is `InputBuilder.build` on the same text and SID."""
    sampler = Sampler(corpus, DataOptions(pseudo_share=0, self_routing=0, drop_text=0, drop_sid=0, keep_history=0))
    (task, _), *_ = STAGES["S3"][1](corpus)
    rows, targets = task.make(sampler, np.random.default_rng(0), 20)
    assert targets.shape == (20, len(corpus.inputs.sizes) + 1 + sampler.options.negatives)
    for row in rows:
        assert row[0] == QUERY
        at = row.index(TEXT)
        text = corpus.inputs.text_of(row[at + 1 :])
        sid = [0] * len(corpus.inputs.sizes)
        for token in row[1:at]:
            position = max(p for p, offset in enumerate(corpus.inputs.layout.slot_offsets) if offset <= token)
            sid[position] = token - corpus.inputs.layout.slot_offsets[position]
        assert corpus.inputs.build(text, tuple(sid)).tolist() == row


def test_histories_are_dropped_as_often_as_asked(corpus: Corpus) -> None:
    def share(keep: float) -> float:
        batches = stream(corpus, "S3", pseudo_share=0, self_routing=0, keep_history=keep)
        rows = np.concatenate([[bool({RECENT, SEEN} & set(row)) for row in batches.batch(s).ids] for s in range(16)])
        return float(rows.mean())

    assert share(0.0) == 0
    assert 0.3 < share(0.5) < 0.6


def test_without_a_log_every_stage_still_has_examples() -> None:
    corpus = make_corpus(log=False)
    assert corpus.log is None
    for stage in STAGES:
        assert stream(corpus, stage).batch(0).ids.size


def test_orders_weigh_more_than_clicks_and_history_is_newest_first(corpus: Corpus) -> None:
    log = corpus.log
    assert log is not None
    assert log.seen is not None
    weights = np.diff(log.cumulative, prepend=0)
    assert set(weights.tolist()) == {1.0, 3.0}
    assert log.seen[5, :2].tolist() == [log.item[4], log.item[3]]
