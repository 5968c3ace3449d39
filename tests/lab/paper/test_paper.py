"""The paper: its units, what is kept between runs, and the tables made of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("bm25s")

from slotbeam.errors import InputError
from slotbeam_lab.baselines.registry import SYSTEMS, Contestant
from slotbeam_lab.measures.report import Section
from slotbeam_lab.paper import tasks
from slotbeam_lab.paper.command import run_paper, units_of
from slotbeam_lab.paper.options import ABLATIONS, FULL, PARTS, PaperOptions, quick
from slotbeam_lab.paper.tasks import Place, Work
from slotbeam_lab.world import WorldOptions
from slotbeam_train.options import preset
from slotbeam_train.stages.stages import STAGES
from support import fakes
from support.sharing import Once

WORLD = WorldOptions(items=1000, requests_per_item=2)
SMALL = PaperOptions(
    world=WORLD,
    ablated=WORLD,
    gaps=(0.0, 0.9),
    train=preset("tiny", steps=6),
    seeds=(0, 1),
    systems=("bm25", "kae"),
    queries=20,
    words=2,
    told=("kae",),
    collateral=5,
    parts=("systems", "gap"),
)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """slotbeam is played by a system that needs no training; the list holds what was built."""
    monkeypatch.setitem(SYSTEMS, "kae", Contestant("slotbeam", "support.fakes:build_fake"))
    monkeypatch.setitem(SYSTEMS, "broken", Contestant("broken", "support.fakes:build_broken"))
    fakes.CALLS.clear()
    return fakes.CALLS


def place(directory: Path, worlds: Path | None = None) -> Place:
    return Place(worlds or directory / "worlds", directory / "systems", threads=1, device="cpu")


def section(sections: list[Section], name: str) -> Section:
    return next(one for one in sections if one.name == name)


def test_what_is_there_is_not_built_again_and_the_same_seed_gives_the_same_json(
    fake: list[tuple[str, int]], tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    outcome, sections = run_paper(SMALL, one, place(one), command="slotbeam paper")
    assert not outcome.failed
    assert fake == [("built", 0), ("built", 1), ("built", 0), ("built", 0)], "two seeds, two gaps"
    again, same = run_paper(SMALL, one, place(one))
    assert (again.ran, same, len(fake)) == ([], sections, 4)
    run_paper(SMALL, two, place(two, one / "worlds"), jobs=1)
    first, second = ({path.name: path.read_bytes() for path in (base / "units").iterdir()} for base in (one, two))
    assert first == second
    text = (one / "paper.md").read_text()
    assert "Training budget of every system: 6 steps, 1 thread each" in text
    assert "| slotbeam ÷ BM25 (95 %) |" in text
    kept = json.loads((one / "paper.json").read_text())
    assert kept["facts"]["command"] == ""
    assert kept["facts"]["seed"] == "0,1"
    assert [path.name for path in (one / "plots").iterdir()] == ["gap.svg"]


def test_figures_are_means_over_the_seeds_and_lie_in_their_intervals(
    fake: list[tuple[str, int]], tmp_path: Path
) -> None:
    options = replace(SMALL, parts=("systems",))
    outcome, sections = run_paper(options, tmp_path, place(tmp_path))
    clicks = section(sections, "systems-click")
    [ours] = [row for row in clicks.rows if row.label == "slotbeam"]
    kept = [outcome.results[f"systems-kae-{seed}"]["values"]["click"]["HR@350"] for seed in (0, 1)]
    assert kept[0] != kept[1]
    cell = ours.cells["HR@350"]
    assert isinstance(cell, list)
    assert cell[0] == pytest.approx((sum(kept[0]) + sum(kept[1])) / (2 * len(kept[0])), abs=1e-5)
    for row in clicks.rows:
        for value in row.cells.values():
            assert isinstance(value, list)
            assert value[1] <= value[0] <= value[2]
    budget = section(sections, "systems-budget")
    assert budget.rows[1].cells == {"minutes": 0.5, "steps": 3, "parameters": None, "sids": None}


def test_a_system_that_cannot_be_built_is_reported_and_the_others_have_their_rows(
    fake: list[tuple[str, int]], tmp_path: Path
) -> None:
    options = replace(SMALL, systems=("bm25", "broken", "kae"), seeds=(0,), parts=("systems",))
    outcome, sections = run_paper(options, tmp_path, place(tmp_path))
    assert outcome.failed == {"systems-broken-0": "RuntimeError: this system cannot be built"}
    labels = [row.label for row in section(sections, "systems-click").rows]
    assert labels == ["BM25", "slotbeam", "slotbeam ÷ BM25"]
    assert "- systems-broken-0: RuntimeError: this system cannot be built" in (tmp_path / "paper.md").read_text()


def test_every_unit_that_reads_a_trained_system_waits_for_the_one_that_trains_it() -> None:
    units = units_of(replace(SMALL, parts=PARTS, seeds=(0,), systems=tuple(SYSTEMS), icecat=Path("icecat")))
    needs = {unit.name: unit.needs for unit in units}
    assert needs["systems-kae-no-lexical-0"] == needs["interventions-kae"] == ("systems-kae-0",)
    assert set(needs["systems-fused-kae-0"]) == {"systems-kae-0", "systems-dense-0"}
    assert needs["ablation-no-s0"] == needs["gap-0-kae"] == needs["systems-bm25-0"] == needs["elbow"] == ()
    assert needs["ablation-full"] == needs["gap-0.9-kae"] == ("systems-kae-0",)
    assert needs["ablation-self-routing-0-bound"] == ("ablation-self-routing-0",)
    assert needs["icecat-kae-no-lexical-0"] == ("icecat-kae-0",)


def test_what_changes_a_result_changes_the_name_of_its_file_and_nothing_else_does(tmp_path: Path) -> None:
    work = Work(preset("tiny"), world=WORLD)
    assert work.described() == Work(preset("tiny", threads=3, device="cpu"), world=WORLD).described()
    others = [
        replace(work, system="dense"),
        replace(work, options=preset("tiny", steps=7)),
        replace(work, world=replace(WORLD, vocabulary_gap=0.5)),
        replace(work, stages=("S3",)),
        replace(work, queries=3),
    ]
    assert len({json.dumps(one.described(), default=str) for one in (work, *others)}) == 6


def test_every_ablation_changes_one_thing() -> None:
    full = preset("quick")
    jobs = {name: (one.change(full), one.stages, one.system) for name, one in ABLATIONS.items()}
    assert jobs[FULL] == (full, tuple(STAGES), "kae")
    assert len(set(map(repr, jobs.values()))) == len(ABLATIONS)
    for name, (options, stages, system) in jobs.items():
        assert sum((options != full, stages != tuple(STAGES), system != "kae")) == (name != FULL)
        assert set(stages) <= set(STAGES)
        assert system in SYSTEMS
    assert {one.label for one in ABLATIONS.values() if one.bound} >= {"self-routing 0", "self-routing 1e-5"}


def test_the_quick_paper_is_small_and_has_every_part() -> None:
    options = quick()
    assert options.parts == PARTS
    assert options.world == options.ablated
    assert options.budget == "1 minutes"
    assert options.collateral >= 10_000


@pytest.fixture(scope="module")
def shared(once: Once) -> Path:
    """Where the tests that train find the world, and each other's artifact (a lock of the cache says who makes it)."""
    return once("paper", lambda directory: tasks.world_at(place(directory), WORLD))


TRAINED = replace(SMALL, seeds=(0,), queries=3, words=1)


def test_interventions_and_curves_of_a_trained_artifact(shared: Path, tmp_path: Path) -> None:
    options = replace(TRAINED, parts=("interventions", "curves"))
    outcome, sections = run_paper(options, tmp_path, place(shared))
    assert not outcome.failed
    names = ["ihr", "iar", "bound-order", "elbow", "beam", "candidates", "density", "history"]
    assert [one.name for one in sections] == names
    pinned = next(row for row in section(sections, "iar").rows if row.label == "IAR@10, pinned")
    assert all(cell == [1, 1, 1] for cell in pinned.cells.values())
    assert section(sections, "iar").notes == ("Collateral: 0 of 5 answers to queries without a bound word changed.",)
    wide = section(sections, "beam").rows[-1].cells
    assert wide["recall"] == [1, 1, 1], "1 024 beams hold every one of 1 000 items"
    slots = section(sections, "density")
    assert sum(items for _, items in slots.facts["curves"]["0 entity"]) <= slots.facts["items"] == 1000
    assert {path.stem for path in (tmp_path / "plots").iterdir()} == {*names} - {"iar", "bound-order"}


def test_eval_measures_and_draws_what_is_behind_an_artifact(shared: Path, tmp_path: Path) -> None:
    from slotbeam_lab.command import run_eval

    run_paper(replace(TRAINED, systems=("kae",), parts=("systems",)), tmp_path, place(shared))
    [artifact] = (shared / "systems").glob("kae-*/artifact")
    world = tasks.world_at(place(shared), WORLD)
    plots = tmp_path / "drawn"
    result = run_eval(artifact, world, ks=(10,), queries=3, interventions=1, logs=world, plots=plots)
    names = ["click", "order", "ihr", "iar", "bound-order", "elbow", "beam", "candidates", "density", "history"]
    assert [one["name"] for one in result["sections"]] == names
    assert {path.stem for path in plots.iterdir()} == {"ihr", *names[5:]}
    assert result["interventions"]["changed"] == 0
    with pytest.raises(InputError, match="interventions and plots need an artifact and a log"):
        run_eval(None, world, plots=plots)


def test_the_ablations_ask_slotbeams_own_modes_only(shared: Path) -> None:
    work = Work(TRAINED.train, world=WORLD, words=1, modes=tuple(tasks.MODES))
    found = tasks.interventions(place(shared), work)
    assert {system for table in found["sizes"].values() for system in table} == {"pinned", "unpinned"}
    assert found["words"] == 5
