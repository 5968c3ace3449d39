"""The order that knows what was meant: it reads the world's own requests, and fit goes before all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

from slotbeam.language.normalize import normalize
from slotbeam.types import Slot
from slotbeam_lab.interventions.injections import Injection
from slotbeam_lab.interventions.latent import Latent, LatentModel, latent_systems
from slotbeam_lab.world import WorldOptions, make_world

OPTIONS = WorldOptions(items=1000, requests_per_item=5)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("world")
    make_world(directory, OPTIONS)
    return directory


@pytest.fixture(scope="module")
def model(world: Path) -> LatentModel:
    made = LatentModel.of(world)
    assert made is not None
    return made


def injections(world: Path, size: int = 40) -> list[Injection]:
    """Every row of the test day, a word of its query replaced by one that nobody says."""
    rng, made = np.random.default_rng(0), []
    for number, line in enumerate((world / "test.jsonl").read_bytes().splitlines()):
        row = orjson.loads(line)
        tokens = (original := normalize(row["query"])).split(" ")
        tokens[int(rng.integers(len(tokens)))] = word = f"zzz{number}"
        others = [f"p{n:08d}" for n in rng.permutation(OPTIONS.items)[:size].tolist()]
        ids = tuple(sorted({row["item_id"], *others}))
        slot = Slot(0, 1)
        made.append(Injection(word, slot, (), 0, " ".join(tokens), original, ids, row["item_id"], (row["item_id"],)))
    return made


def internal(model: LatentModel, ids: list[str]) -> np.ndarray:
    return model.products.internal(np.array([int(one[1:]) for one in ids]))


def test_every_row_of_the_test_day_is_understood_and_a_replaced_word_is_not(world: Path, model: LatentModel) -> None:
    for one in injections(world):
        assert len(one.original.split(" ")) > 1 or model.left(one) == []
        unchanged = Injection(one.word, one.slot, (), 0, one.original, one.original, one.item_ids, one.target_id, ())
        assert set(model.left(one)) <= set(model.left(unchanged))
        assert model.left(unchanged)


def test_an_item_that_lacks_a_word_of_the_query_is_behind_all_that_lack_less(world: Path, model: LatentModel) -> None:
    asked = injections(world)
    order = Latent(model, popular=False)
    order.bind(asked)
    for one in asked:
        ranked = order.search(one.query, len(one.item_ids))
        assert sorted(ranked) == list(one.item_ids)
        lacks = model.misfits(model.left(one), internal(model, ranked))
        assert (np.diff(lacks) >= 0).all()


def test_popularity_decides_where_nothing_else_is_said(world: Path, model: LatentModel) -> None:
    asked = [one for one in injections(world) if not model.left(one)]
    order = Latent(model, popular=True)
    order.bind(asked)
    assert asked
    for one in asked:
        prior = model.prior(internal(model, order.search(one.query, len(one.item_ids))))
        assert (np.diff(prior) <= 0).all()


def test_what_was_meant_says_where_the_target_is(world: Path, model: LatentModel) -> None:
    asked = injections(world)
    orders = {popular: Latent(model, popular) for popular in (False, True)}
    hits = {}
    for popular, order in orders.items():
        order.bind(asked)
        hits[popular] = np.mean([one.target_id in order.search(one.query, 10) for one in asked])
    assert 10 / 40 < hits[False] < hits[True] < 1


def test_only_the_test_day_of_this_generator_has_an_order_that_knows(world: Path, tmp_path: Path) -> None:
    assert len(latent_systems(world / "test.jsonl")) == 2
    assert latent_systems(world / "log.jsonl") == {}
    facts = orjson.loads((world / "world.json").read_bytes())
    (tmp_path / "world.json").write_bytes(orjson.dumps(facts | {"generator": "another"}))
    assert latent_systems(tmp_path / "test.jsonl") == {}
