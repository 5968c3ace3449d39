"""A trained system comes out of the cache the second time, and goes on where a stopped one was."""

from __future__ import annotations

from importlib import import_module

import pytest

pytest.importorskip("torch")
pytest.importorskip("bm25s")

from slotbeam_lab.baselines import bm25, systems
from slotbeam_lab.baselines.registry import SYSTEMS, Setup
from slotbeam_lab.measures.run import Asked
from support.setups import files_of, make_setup
from support.shop import make_items
from support.training import make_log


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    items = make_items(80)
    return make_setup(tmp_path_factory.mktemp("systems"), items, make_log(items))


def test_kae_is_trained_once_and_found_again(setup: Setup) -> None:
    built = systems.build_kae(setup)
    assert built.artifact is not None
    assert built.facts["steps"] == 9  # shares of 8, each at least one
    assert built.facts["parameters"] > 1000
    answer = built.search(Asked("red mug"), 20)
    assert len(set(answer)) == 20
    written = files_of(setup.cache)
    assert systems.build_kae(setup).search(Asked("red mug"), 20) == answer
    plain = systems.build_kae_no_lexical(setup)
    assert plain.facts == built.facts
    assert len(plain.search(Asked("red mug"), 20)) == 20
    assert files_of(setup.cache) == written, "trained twice"


def test_bm25_is_built_from_the_same_setup(setup: Setup) -> None:
    assert bm25.build(setup).search(Asked("red mug"), 5) == bm25.Bm25(make_items(80)).search("red mug", 5)


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_builds_a_system_of_the_registry_exists(name: str) -> None:
    pytest.importorskip("faiss")
    module, function = SYSTEMS[name].source.split(":")
    assert callable(getattr(import_module(module), function, None)), f"{SYSTEMS[name].source} is not there"
