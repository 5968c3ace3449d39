"""The dense baseline: exact search, a planted mapping that it must learn, and a run that may be stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("faiss")
pytest.importorskip("bm25s")

import torch

from slotbeam.catalog.item import Interaction, Item
from slotbeam_lab.baselines import bm25, dense, fused
from slotbeam_lab.baselines.dense import STAGE, Dense, DualEncoder, dense_trainer, item_chances
from slotbeam_lab.baselines.registry import Setup
from slotbeam_lab.measures.run import Asked
from slotbeam_train.budget import Budget
from slotbeam_train.options import TrainOptions, preset
from slotbeam_train.policy.model import ModelOptions
from slotbeam_train.progress import Reporter
from slotbeam_train.stages.data import Sampler
from slotbeam_train.stages.loop import Trainer
from support.setups import files_of, make_setup
from support.shop import make_items
from support.training import make_corpus, make_inputs, make_log

SHAPE = ModelOptions(width=16, encoder_layers=1, heads=2, feedforward=2, max_tokens=32)


def test_search_is_the_largest_inner_products() -> None:
    torch.manual_seed(0)
    inputs = make_inputs()
    model = DualEncoder(SHAPE, inputs.layout).eval()
    vectors = np.random.default_rng(0).normal(size=(50, 16)).astype(np.float32)
    ids = [f"i{n}" for n in range(50)]
    index = Dense(model, inputs, ids, vectors, np.zeros((50, 4), np.int32))
    for query in ("red mug", "blue chair", "unheard of"):
        asked = Asked(query, ("lamp",), ("i3", "gone"))
        order = np.argsort(-(vectors @ index.vector(asked)))
        assert index.search(asked, 10) == [ids[row] for row in order[:10].tolist()]
        assert len(index.search(asked, 1000)) == 50


def test_rows_encoded_in_parts_are_the_rows_encoded_alone() -> None:
    torch.manual_seed(0)
    inputs = make_inputs()
    model = DualEncoder(SHAPE, inputs.layout).eval()
    rows = [inputs.compose(1, [], inputs.text_ids(text)) for text in ("red mug", "a", "green rug from bolt", "usb c")]
    with torch.inference_mode():
        together = model.of_rows(rows, parts=2)
        alone = torch.cat([model.vectors(torch.tensor([row])) for row in rows])
    assert torch.allclose(together, alone, atol=1e-5)
    assert torch.allclose(together.norm(dim=1), torch.ones(4), atol=1e-5)


def test_the_loss_corrects_for_the_chance_of_an_item_and_ignores_doubles() -> None:
    model = DualEncoder(SHAPE, make_inputs().layout)
    unit = torch.nn.functional.normalize(torch.randn(4, 16), dim=1)
    titles = torch.nn.functional.normalize(torch.randn(4, 16), dim=1)
    items, chance = torch.tensor([7, 2, 7, 1]), torch.tensor([0.5, 0.1, 0.5, 0.2])
    scale = float(model.log_scale.detach().exp())
    wanted = []
    for row in range(4):
        scores = [scale * float(unit[row] @ titles[j]) - float(chance[j].log()) for j in range(4)]
        rivals = [scores[j] for j in range(4) if j == row or items[j] != items[row]]
        wanted.append(np.log(np.sum(np.exp(rivals))) - scores[row])
    loss = float(model.loss(unit, titles, items, chance.log()).detach())
    assert loss == pytest.approx(float(np.mean(wanted)), rel=1e-4)


def test_the_chance_of_an_item_is_how_often_it_is_drawn() -> None:
    corpus, options = make_corpus(20), preset("tiny").data
    chances = item_chances(corpus, options.pseudo_share)
    assert chances.sum() == pytest.approx(1.0)
    sampler, rng = Sampler(corpus, options), np.random.default_rng(0)
    drawn = np.bincount([int(pairs.item[i]) for pairs, i in sampler.pairs(rng, 40_000)], minlength=len(chances))
    assert np.abs(drawn / 40_000 - chances).max() < 0.01


def _trainer(options: TrainOptions, checkpoint: Path | None = None) -> Trainer:
    corpus = make_corpus(30)
    torch.manual_seed(0)
    model = DualEncoder(SHAPE, corpus.inputs.layout)
    return dense_trainer(model, corpus, options, Reporter(quiet=True), checkpoint)


def test_a_stopped_run_ends_with_the_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    options = replace(preset("tiny", steps=8, batch=12, device="cpu"), quiet=True)
    whole = _trainer(options)
    assert whole.run()[STAGE.name]["steps"] == 8
    assert _trainer(options, tmp_path / "c.npz").run(until=3)[STAGE.name]["steps"] == 3
    again = _trainer(options, tmp_path / "c.npz")
    assert again.resume()
    assert again.run()[STAGE.name]["steps"] == 8
    for one, other in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_minutes_are_kept_by_the_clock() -> None:
    run = _trainer(preset("tiny", batch=8, device="cpu", minutes=1))
    [(stage, loss)], now = run.lessons, [0.0]

    def slow(step: int) -> torch.Tensor:
        now[0] += 1.0 if step < 5 else 10.0  # by the first steps there would be sixty
        return loss(step)

    run.lessons, run.budget = [(stage, slow)], Budget(60.0, clock=lambda: now[0])
    assert run.run()[STAGE.name]["steps"] == 11
    assert now[0] == 65.0


WORDS = ("zaru", "bexo", "culi", "dwem", "fopa", "gyrt", "hiwu", "jokk", "lavo", "mexi")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    """Ten nonsense words each lead to an item whose title shares no word with them."""
    things = ["anchor", "basket", "candle", "drum", "easel", "fiddle", "goblet", "hammer", "icebox", "jacket"]
    items = [Item(f"i{n}", f"{thing} item") for n, thing in enumerate(things)]
    log = [Interaction(word, f"i{n}", "click", day, "u") for day in range(1, 7) for n, word in enumerate(WORDS)]
    setup = make_setup(tmp_path_factory.mktemp("planted"), items, log, steps=60)
    return replace(setup, options=replace(setup.options, data=replace(setup.options.data, pseudo_share=0.2)))


def test_it_learns_a_planted_mapping_and_is_found_again(planted: Setup) -> None:
    built = dense.build(planted)
    hits = [
        built.search(Asked(word), 1)[0]
        for word in ["zaru", "bexo", "culi", "dwem", "fopa", "gyrt", "hiwu", "jokk", "lavo", "mexi"]
    ]
    assert sum(hit == f"i{n}" for n, hit in enumerate(hits)) >= 9
    assert built.facts["steps"] == 60
    written = files_of(planted.cache)
    again = dense.build(planted)
    assert files_of(planted.cache) == written, "trained twice"
    assert again.facts == built.facts
    assert again.search(Asked("zaru"), 10) == built.search(Asked("zaru"), 10)


def test_the_whole_of_a_comparison_is_built(tmp_path: Path) -> None:
    items = make_items(60)
    setup = make_setup(tmp_path, items, make_log(items))
    both = fused.build(setup).search(Asked("red mug"), 20)
    assert len(set(both)) == 20
    with_kae = fused.build_with_kae(setup)
    assert with_kae.artifact is not None
    assert len(set(with_kae.search(Asked("red mug"), 20))) == 20
    aliased = bm25.build_aliased(setup)
    assert aliased.facts["concepts"] > 3
    assert aliased.search(Asked("red mug"), 5)
