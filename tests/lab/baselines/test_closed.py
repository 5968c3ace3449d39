"""Every closed codebook on one tiny world: it answers, it is found again without training, a new word is nothing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bm25s")
pytest.importorskip("faiss")
pytest.importorskip("torch")

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import load_catalog
from slotbeam.catalog.table import item_text
from slotbeam_lab.baselines import closed
from slotbeam_lab.baselines.closed import forge
from slotbeam_lab.baselines.quantise import KMEANS, Material, Quantiser
from slotbeam_lab.baselines.registry import SYSTEMS, Built, Setup
from slotbeam_lab.measures.run import Asked
from slotbeam_lab.world import WorldOptions, make_world
from slotbeam_train.command import CHECKPOINT
from slotbeam_train.options import preset
from support.sharing import Once

NAMES = ("rq-kmeans", "rq-vae", "rq-opq", "cq-sid")
K = 50


ITEMS = 400


def write_part(directory: Path) -> None:
    """Write the first 400 items of a world, and what was clicked of them."""
    whole = directory / "whole"
    make_world(whole, WorldOptions(items=1000, requests_per_item=2.0, planted=2))
    kept = (whole / "items.jsonl").read_text().splitlines(keepends=True)[:ITEMS]
    ids = {json.loads(line)["id"] for line in kept}
    (directory / "items.jsonl").write_text("".join(kept))
    log = (whole / "log.jsonl").read_text().splitlines(keepends=True)
    (directory / "log.jsonl").write_text("".join(line for line in log if json.loads(line)["item_id"] in ids))
    shutil.rmtree(whole)


@pytest.fixture(scope="module")
def setup(once: Once) -> Setup:
    world, cache = once("closed-world", write_part), once("closed-cache", lambda directory: None)
    options = preset("tiny", steps=10, threads=1, device="cpu")
    options = replace(options, quiet=True, pseudo=replace(options.pseudo, per_item=0.5))
    return Setup(world, world, options, cache)


@pytest.fixture(scope="module")
def items(setup: Setup) -> list[Item]:
    return list(load_catalog(setup.catalog, late=True))


@pytest.fixture(scope="module")
def systems(setup: Setup) -> dict[str, Built]:
    return {name: SYSTEMS[name].build(setup) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_with_k_distinct_items(
    name: str, setup: Setup, systems: dict[str, Built], items: list[Item]
) -> None:
    built = systems[name]
    for asked in (Asked(items[7].title), Asked(f"zqx {items[5].title}", ("red",), (items[3].id,))):
        found = built.search(asked, K)
        assert len(found) == len(set(found)) == K
        assert set(found) <= {item.id for item in items}
    assert built.facts["steps"] == pytest.approx(10, abs=2), "the steps of S0 go to the other stages"
    assert built.artifact is not None
    options = built.artifact.options
    assert options == setup.options.search.with_weights_of(options), "asked as slotbeam is, with weights of its own"


@pytest.mark.parametrize("name", NAMES)
def test_a_second_build_trains_nothing_and_answers_alike(
    name: str, setup: Setup, systems: dict[str, Built], items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed, "_train", None)
    again = SYSTEMS[name].build(setup)
    assert again.facts == systems[name].facts
    assert again.search(Asked(items[7].title), K) == systems[name].search(Asked(items[7].title), K)


@pytest.mark.parametrize("name", NAMES)
def test_an_item_has_the_codes_of_its_text_and_a_new_word_changes_none(
    name: str, systems: dict[str, Built], items: list[Item]
) -> None:
    built = systems[name]
    artifact = built.artifact
    assert artifact is not None
    rows = [artifact.catalog.row_of(item.id) for item in items[:20]]
    stored = np.stack([artifact.catalog.sids[row] for row in rows if row is not None])
    assert len(stored) == 20
    assert np.array_equal(forge(built, [item_text(item) for item in items[:20]]), stored)
    title = items[0].title
    assert np.array_equal(forge(artifact, [title, f"{title} zqxnew"])[0], forge(artifact, [f"{title} zqxnew"])[0])
    assert not artifact.kae.knows("zqxnew")
    assert not any(len(artifact.kae.codebook.reserved(at)) for at in range(len(artifact.kae.codebook)))


def never(material: Material) -> Quantiser:
    raise AssertionError("codes are made once")


def test_a_stopped_run_goes_on_with_the_codes_it_began_with(
    setup: Setup, systems: dict[str, Built], tmp_path: Path
) -> None:
    cache = shutil.copytree(setup.cache, tmp_path / "cache")
    (stopped,) = cache.glob("rq-kmeans-*")
    for path in stopped.iterdir():
        if path.name != closed.QUANTISER:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    again = closed.build_closed(replace(setup, cache=cache), replace(KMEANS, fit=never))
    whole = systems["rq-kmeans"]
    assert again.artifact is not None
    assert whole.artifact is not None
    assert np.array_equal(again.artifact.catalog.sids, whole.artifact.catalog.sids)
    assert again.facts["sids"] == whole.facts["sids"]
    assert not (stopped / CHECKPOINT).exists(), "what only training needs is cleared away"


def test_clusters_hold_several_items_and_sub_codes_tell_more_apart(systems: dict[str, Built]) -> None:
    sids = {name: built.facts["sids"] for name, built in systems.items()}
    assert sids["cq-sid"] < sids["rq-vae"]
    assert sids["rq-opq"] > sids["rq-kmeans"]
    assert systems["rq-opq"].artifact is not None
    assert systems["rq-opq"].artifact.catalog.sids.shape[1] == 5


def test_only_a_closed_codebook_forges() -> None:
    with pytest.raises(ValueError, match="This is a bug"):
        forge(Built(lambda asked, k: []), ["a"])
