"""Item vectors: what they are made of, and that training brings a query to its item."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from slotbeam.language.normalize import normalize
from slotbeam.model.itemvectors import ItemVectors
from slotbeam.model.tokenizer import PAD
from slotbeam_train.export.artifact import export_model, round_to_half
from slotbeam_train.policy.losses import ItemTable, loss_of
from slotbeam_train.policy.model import ModelOptions, Policy
from slotbeam_train.progress import Reporter
from slotbeam_train.stages.corpus import Corpus, item_bags
from slotbeam_train.stages.data import DataOptions, Sampler
from slotbeam_train.stages.lessons import policy_trainer
from support.shop import make_items
from support.training import make_corpus, small_loop

SHAPE = ModelOptions(width=32, encoder_layers=1, heads=2, max_tokens=32, vector=16)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus()


def bags_of(corpus: Corpus) -> np.ndarray:
    return item_bags(corpus.inputs, corpus.item_sids, corpus.item_texts)


def test_a_bag_holds_the_items_slots_and_its_words(corpus: Corpus) -> None:
    for item, sid, bag in zip(make_items(60), corpus.item_sids, bags_of(corpus), strict=True):
        words = corpus.inputs.text_ids(normalize(item.title))
        assert set(bag[bag != PAD].tolist()) == {*corpus.inputs.sid_ids(tuple(sid.tolist())), *words}


def test_an_item_vector_does_not_depend_on_padding_or_on_its_neighbours(corpus: Corpus) -> None:
    torch.manual_seed(3)
    policy = Policy(SHAPE, corpus.inputs.layout)
    bags = torch.from_numpy(bags_of(corpus))
    with torch.no_grad():
        policy.item_gate.normal_()
        together = policy.item_vectors(bags)
        for row in (0, 7, 31):
            own = bags[row][bags[row] != PAD][None]
            assert torch.allclose(policy.item_vectors(own)[0], together[row], atol=1e-6)
    assert torch.allclose(together.norm(dim=1), torch.ones(len(bags)), atol=1e-5)


def test_the_vectors_of_an_index_are_those_of_the_policy_give_or_take_one(corpus: Corpus, tmp_path: Path) -> None:
    torch.manual_seed(3)
    policy = Policy(SHAPE, corpus.inputs.layout).eval()
    with torch.no_grad():
        policy.item_gate.normal_()
    round_to_half(policy)
    export_model(policy, corpus.inputs, tmp_path)
    bags = bags_of(corpus)
    with torch.no_grad():
        wanted = (policy.item_vectors(torch.from_numpy(bags)) * 127).round().numpy()
    got = ItemVectors.load(tmp_path).encode([bag[bag != PAD].tolist() for bag in bags])
    assert np.abs(got - wanted).max() <= 1
    assert (got == wanted).mean() > 0.99


def test_the_item_loss_is_the_cross_entropy_over_all_items_that_the_batch_names(corpus: Corpus) -> None:
    """The oracle scores each distinct item once, in plain numpy, for rows whose SID loss is the same."""
    torch.manual_seed(3)
    policy = Policy(SHAPE, corpus.inputs.layout).eval()
    table = ItemTable(torch.from_numpy(bags_of(corpus)), torch.from_numpy(corpus.priors))
    sampler = Sampler(corpus, DataOptions(negatives=3))
    numbers = np.array([5, 9, 5])
    rivals = sampler.rivals(numbers, np.random.default_rng(0))
    ids = torch.tensor([[1, 40], [1, 41], [1, 42]])
    sids = torch.from_numpy(corpus.item_sids[numbers])
    target = torch.from_numpy(np.column_stack([corpus.item_sids[numbers], numbers, rivals]))
    with torch.no_grad():
        whole = float(loss_of(policy, "retrieve", ids, target, table) - loss_of(policy, "sids", ids, sids, table))
        queries = policy.query_vectors(policy.encode(ids)[0]).numpy()
        named = sorted({*numbers.tolist(), *rivals.ravel().tolist()})
        vectors = policy.item_vectors(table.bags[named]).numpy()
    scores = queries @ vectors.T + 0.1 * corpus.priors[named]
    each = np.log(np.exp(scores).sum(1)) - [row[named.index(n)] for row, n in zip(scores, numbers, strict=True)]
    assert whole == pytest.approx(0.25 * each.mean(), rel=1e-4)


def test_training_brings_a_query_to_its_item(corpus: Corpus) -> None:
    sampler = Sampler(corpus, DataOptions(pseudo_share=0, self_routing=0, keep_history=0))
    torch.manual_seed(0)
    policy = Policy(SHAPE, corpus.inputs.layout)

    def top() -> float:
        """Share of queries whose item, or one of the same title, is the closest of all."""
        log, bags = corpus.log, torch.from_numpy(bags_of(corpus))
        assert log is not None
        rows = [sampler.compose(1, [], corpus.queries[int(q)]) for q in log.query]
        with torch.no_grad():
            memories = [policy.encode(torch.tensor([row]))[0] for row in rows]
            best = (policy.query_vectors(torch.cat([m[:, :1] for m in memories])) @ policy.item_vectors(bags).T).argmax(
                1
            )
        titles = [corpus.titles[i] for i in range(len(bags))]
        return float(np.mean([titles[int(b)] == titles[int(i)] for b, i in zip(best, log.item, strict=True)]))

    before = top()
    policy_trainer(policy, sampler, ["S3"], small_loop(steps=120, batch=32), 0, Reporter(quiet=True)).run()
    assert top() > max(0.7, before + 0.3)
