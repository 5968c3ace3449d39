"""From files to an artifact that serves, and on to a refreshed one: the round trip on a tiny world."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from slotbeam.catalog.item import Item
from slotbeam.errors import ArtifactError, InputError, SetupError
from slotbeam.search.artifact import Artifact
from slotbeam_train import command, vocabulary
from slotbeam_train.budget import Budget
from slotbeam_train.command import train
from slotbeam_train.export import weights
from slotbeam_train.options import PRESETS, TrainOptions, preset
from slotbeam_train.stages.loop import Trainer
from support.sharing import Once
from support.shop import make_items
from support.training import make_log

OPTIONS = preset("tiny", steps=100, batch=32, device="cpu", threads=1)
OPTIONS = replace(OPTIONS, quiet=True, kae=replace(OPTIONS.kae, reserved=3))
NEW_WORD = "labubu"


def typed(item: Item) -> dict[str, Any]:
    words = item.title.split()
    kinds = {"red": "color", "green": "color", "blue": "color", "acme": "brand", "bolt": "brand", "cobalt": "brand"}
    attributes = {kinds.get(word, "entity"): word for word in words}
    return {**dataclasses.asdict(item), "attributes": attributes}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 items and 300 interactions; a word added to some descriptions after the training data was taken."""
    directory = tmp_path_factory.mktemp("world")
    items = make_items(160)
    (directory / "items.jsonl").write_bytes(b"\n".join(orjson.dumps(typed(item)) for item in items))
    (directory / "log.jsonl").write_bytes(
        b"\n".join(orjson.dumps(dataclasses.asdict(one)) for one in make_log(items, 300))
    )
    late = [{"id": item.id, "description": f"now with {NEW_WORD}"} for item in items[:4]]
    (directory / "items_late.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in late))
    return directory


@pytest.fixture(scope="module")
def trained(world: Path, once: Once) -> Path:
    def make(directory: Path) -> None:
        train(world, directory / "artifact", logs=world, options=OPTIONS)

    return once("trained", make) / "artifact"


def test_the_artifact_is_complete_and_its_manifest_tells_how_it_was_made(trained: Path) -> None:
    artifact = Artifact.load(trained)
    manifest = artifact.manifest
    assert len(artifact.catalog) == 160
    assert manifest["index"]["items"] == 160
    model = manifest["model"]
    assert model["shape"]["width"] == 32
    assert [one["reserved"] for one in model["positions"]] == [3] * len(artifact.kae.codebook)
    assert model["training"]["settings"]["seed"] == 0
    stages = model["metrics"]["stages"]
    assert list(stages) == ["S0", "S1", "S2", "S3"]
    assert stages["S3"]["last_loss"] < stages["S3"]["first_loss"]
    assert not [path for path in trained.parent.iterdir() if path != trained], "nothing is left beside the artifact"


def test_the_trained_model_knows_which_item_a_query_means(trained: Path) -> None:
    artifact = Artifact.load(trained)
    text = "mug"
    encoded = artifact.kae.encode(text)
    memory = artifact.model.encode([artifact.inputs.build(text, encoded.sid)])[0]
    logp, _ = artifact.model.step(memory, 0, None, np.empty(0, np.int64), np.empty(0, np.int64))
    entity = artifact.kae.codebook.position_of("entity")
    assert entity == 0
    assert int(logp[0].argmax()) == encoded.sid[0] != 0


def test_text_edited_later_is_neither_learned_nor_indexed(trained: Path) -> None:
    artifact = Artifact.load(trained)
    assert not len(artifact.catalog.match([NEW_WORD]))
    assert artifact.kae.dictionary.concept_of(NEW_WORD) is None
    assert NEW_WORD not in json.loads((trained / "model" / "tokenizer.json").read_text())["model"]["vocab"]


def test_training_may_learn_from_a_sample_and_the_index_holds_every_item(world: Path, tmp_path: Path) -> None:
    options = replace(OPTIONS, sample=60, loop=replace(OPTIONS.loop, steps=4))
    artifact = Artifact.load(train(world, tmp_path / "out", logs=world, options=options, jobs=2))
    assert len(artifact.catalog) == artifact.manifest["index"]["items"] == 160
    assert artifact.manifest["model"]["training"]["settings"]["sample"] == 60
    assert max(concept.count for concept in artifact.kae.dictionary) <= 60


def test_a_refresh_keeps_the_codebook_and_moves_the_weights(trained: Path, world: Path, tmp_path: Path) -> None:
    out = train(world, tmp_path / "next", logs=world, options=OPTIONS, artifact_from=trained, stages=("S3",))
    old, new = Artifact.load(trained), Artifact.load(out)
    assert new.codebook_sha == old.codebook_sha
    assert np.array_equal(new.catalog.sids, old.catalog.sids)
    assert list(new.manifest["model"]["metrics"]["stages"]) == ["S3"]
    losses = old.manifest["model"]["metrics"]["stages"]["S3"], new.manifest["model"]["metrics"]["stages"]["S3"]
    assert losses[1]["first_loss"] < 0.5 * (losses[0]["first_loss"] + losses[0]["last_loss"]), "it starts where it was"
    assert (trained / "model/decoder.onnx").read_bytes() != (out / "model/decoder.onnx").read_bytes()


def test_a_refresh_from_a_damaged_artifact_names_the_file(trained: Path, world: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(trained, tmp_path / "copy")
    weights = copy / "model" / "decoder.onnx"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(ArtifactError, match=r"model/decoder\.onnx has sha256"):
        train(world, tmp_path / "next", options=OPTIONS, artifact_from=copy, stages=("S3",))


def test_a_directory_that_is_no_artifact_is_never_replaced(world: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"meow")
    with pytest.raises(SetupError, match="is no artifact"):
        train(world, tmp_path / "photos", options=OPTIONS)


class Machine:
    """A machine on which only what is named takes time; it is read as a clock."""

    def __init__(self, patch: pytest.MonkeyPatch, step_s: float, **takes: float) -> None:
        self.now, self.parts = 0.0, dict.fromkeys((*takes, "steps", "lists"), 0.0)
        for name, seconds in takes.items():
            module = command if hasattr(command, name) else vocabulary
            patch.setattr(module, name, self._slow(name, seconds, getattr(module, name)))
        patch.setattr(Trainer, "_loss", self._slow("steps", step_s, Trainer._loss))
        patch.setattr(weights, "_choice", self._slow("lists", 1.0, weights._choice))

    def __call__(self) -> float:
        return self.now

    def _slow(self, name: str, seconds: float, run: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*arguments: Any, **more: Any) -> Any:
            self.now += seconds
            self.parts[name] += seconds
            return run(*arguments, **more)

        return slow


@pytest.mark.parametrize("step_s", [2.0, 40.0])
def test_minutes_are_those_of_the_whole_command(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step_s: float
) -> None:
    machine = Machine(monkeypatch, step_s, read_data=20.0, build_kae=30.0, build_corpus=40.0, write_index=8.0)
    budget = Budget(240.0, machine)
    out = train(world, tmp_path / "out", logs=world, options=replace(OPTIONS, quiet=False), budget=budget)
    assert machine.parts["read_data"] + machine.parts["build_kae"] + machine.parts["build_corpus"] == 90.0
    assert machine.parts["steps"] > 90.0
    assert 240.0 - 24.0 <= machine.now <= 240.0 + 2 * step_s, "what was kept may not be needed"
    said = " ".join(capsys.readouterr().err.split())
    assert "of 4 minutes 90 s are spent; 126 s are for the stages, about 24 s for what follows them" in said
    assert f"{out} is complete after {machine.now / 60:.1f} minutes" in said
    assert Artifact.load(out).manifest["model"]["metrics"]["seconds"]["read"] == 20.0


def test_too_little_time_for_the_stages_is_said_with_the_minutes_to_give(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(monkeypatch, 1.0, build_kae=200.0)
    budget = Budget(240.0, machine)
    train(world, tmp_path / "out", logs=world, options=replace(OPTIONS, quiet=False), budget=budget)
    assert 200.0 < machine.now <= 242.0
    assert "too little to learn much from; give --minutes 5 or more" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("part", ["read_data", "build_corpus"])
def test_minutes_that_are_used_up_before_the_stages_end_the_command_and_replace_nothing(
    trained: Path, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    out = shutil.copytree(trained, tmp_path / "out")
    before = (out / "manifest.json").read_bytes()
    machine = Machine(monkeypatch, 1.0, **{part: 300.0})
    with pytest.raises(SetupError, match=r"nothing was learned and nothing is written; give .*--minutes"):
        train(world, out, logs=world, options=OPTIONS, budget=Budget(240.0, machine))
    assert machine.now == 300.0, "no later part was begun"
    assert (out / "manifest.json").read_bytes() == before


def test_an_empty_catalog_an_unknown_stage_and_an_unknown_configuration_are_refused(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text("")
    with pytest.raises(InputError, match="holds no items"):
        train(tmp_path / "items.jsonl", tmp_path / "out", options=OPTIONS, format="jsonl")
    with pytest.raises(InputError, match="S0, S1, S2, S3"):
        train(tmp_path, tmp_path / "out", options=OPTIONS, stages=("S9",))
    with pytest.raises(InputError, match=", ".join(PRESETS)):
        preset("huge")
    assert isinstance(preset("large"), TrainOptions)
