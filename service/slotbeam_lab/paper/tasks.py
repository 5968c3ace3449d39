"""What the units of `slotbeam paper` do: each function is one kind of unit and returns JSON values."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from slotbeam.catalog.item import Interaction
from slotbeam.catalog.loaders import load_catalog, load_log
from slotbeam.errors import InputError
from slotbeam.search.artifact import Artifact
from slotbeam_lab.baselines.closed import forge
from slotbeam_lab.baselines.registry import SYSTEMS, Setup
from slotbeam_lab.baselines.systems import trained_kae
from slotbeam_lab.interventions.editable import PINNED, UNPINNED, Editable, Forged, Served, Unpinned, standard_systems
from slotbeam_lab.interventions.intervene import intervene, untouched
from slotbeam_lab.measures.questions import Questions, ask, find_questions, read_questions
from slotbeam_lab.paper import curves
from slotbeam_lab.world import WorldOptions, make_world
from slotbeam_lab.world.options import generator_hash
from slotbeam_train.options import TrainOptions
from slotbeam_train.stages.stages import STAGES

KS = (10, 100, 350)
MODES: dict[str, Callable[[Artifact], Editable]] = {PINNED: Served, UNPINNED: Unpinned}
"""Ways to serve slotbeam's own bindings that need no index beside it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are and how they run; nothing of it changes a result.

    Attributes:
        worlds, cache: directories. threads: of PyTorch; None leaves its default. device: as in `LoopOptions`.
    """

    worlds: Path
    cache: Path
    threads: int | None = None
    device: str = "auto"


@dataclass(frozen=True, slots=True)
class Job:
    """What one unit measures.

    Attributes:
        options: of training, with its seed and its budget. system: a name of the registry.
        world: made when it is not there; None measures on `catalog`, whose judgements lie beside it.
        queries: rows of the test day at most, of each kind.
        words: interventions of each size. modes: of `MODES` that are asked; empty asks all, and the indexes.
        collateral: queries asked before and after.
    """

    options: TrainOptions
    system: str = "kae"
    world: WorldOptions | None = None
    catalog: Path | None = None
    stages: tuple[str, ...] = tuple(STAGES)
    queries: int | None = None
    words: int = 0
    modes: tuple[str, ...] = ()
    collateral: int = 0

    def described(self) -> dict[str, Any]:
        """What decides the result, as JSON values."""
        found = asdict(self)
        for key in ("quiet", "name"):
            found["options"].pop(key)
        for key in ("device", "threads", "checkpoint_s"):
            found["options"]["loop"].pop(key)
        found["generator"] = generator_hash() if self.world else None
        return found | {"catalog": str(self.catalog)}


def answers(place: Place, job: Job) -> dict[str, Any]:
    """Build a system, ask it everything: its label, facts, and the values of every query by table and metric."""
    setup, questions = _setup(place, job), questions_of(place, job)
    built = SYSTEMS[job.system].build(setup)
    label = SYSTEMS[job.system].label
    tables = ask({label: built.search}, questions, KS)
    values = {name: _rounded(table.values[label]) for name, table in tables.items()}
    return {"label": label, "facts": built.facts, "values": values}


def interventions(place: Place, job: Job) -> dict[str, Any]:
    """Bind unseen words of every size. The words are those of slotbeam's own artifact, whichever system is asked."""
    setup, test = _setup(place, job), _test_day(place, job)
    artifact = trained_kae(setup)[0]
    found = intervene(artifact, _told(setup, job, artifact), test, job.words, KS)
    sizes = {
        size: {system: _rounded(values) for system, values in systems.items()}
        for size, systems in found["sizes"].items()
    }
    return found | {"sizes": sizes}


def collateral(place: Place, job: Job) -> dict[str, Any]:
    """With slots bound: how many answers to queries without a bound word changed."""
    setup = _setup(place, job)
    artifact = trained_kae(setup)[0]
    log = (one for one in load_log(setup.catalog / "log.jsonl"))
    return dict(untouched(artifact, _test_day(place, job), log, job.words, max(KS), job.collateral))


def behind(place: Place, job: Job) -> dict[str, Any]:
    """The curves behind a trained artifact: beam width, candidates, slot density, history."""
    artifact = trained_kae(_setup(place, job))[0]
    rows = list(questions_of(place, job).kinds["click"])
    found = [
        curves.beam_section(artifact, rows),
        curves.candidate_section(artifact, rows),
        curves.density_section(artifact),
        curves.history_section(artifact, _test_day(place, job), job.queries),
    ]
    return {"sections": [asdict(section) for section in found]}


def elbow(place: Place, job: Job) -> dict[str, Any]:
    """The information loss over the number of groups."""
    setup, last = _setup(place, job), job.options.last_day
    log = [one for one in load_log(setup.logs) if one.day <= last] if setup.logs is not None else []
    section = curves.elbow_section(list(load_catalog(setup.catalog)), log, job.options.kae)
    return {"sections": [asdict(section)]}


def world_at(place: Place, options: WorldOptions) -> Path:
    """The directory of a world; made in one rename when it is not there."""
    name = f"{options.items}-seed{options.seed}-gap{options.vocabulary_gap:g}-req{options.requests_per_item:g}"
    directory = place.worlds / f"{name}-{generator_hash()[:8]}"
    if not (directory / "world.json").is_file():
        partial = directory.with_name(f".{directory.name}")
        shutil.rmtree(partial, ignore_errors=True)
        make_world(partial, options)
        partial.rename(directory)
    return directory


def questions_of(place: Place, job: Job) -> Questions:
    """What a job's system is asked."""
    catalog = _setup(place, job).catalog
    judgements, world = find_questions(catalog, None, None)
    return read_questions(judgements, world, {item.id for item in load_catalog(catalog)}, job.queries)


def _setup(place: Place, job: Job) -> Setup:
    loop = replace(job.options.loop, threads=place.threads, device=place.device)
    options = replace(job.options, loop=loop, quiet=True)
    if job.world is not None:
        catalog = world_at(place, job.world)
        return Setup(catalog, catalog, options, place.cache, job.stages)
    if job.catalog is None:
        raise InputError("a job has neither a world nor a catalog; give it one")
    return Setup(job.catalog, None, options, place.cache, job.stages)


def _test_day(place: Place, job: Job) -> list[Interaction]:
    if job.world is None:
        raise InputError("interventions are measured on a world: give the job one")
    return list(load_log(world_at(place, job.world) / "test.jsonl"))


def _told(setup: Setup, job: Job, artifact: Artifact) -> dict[str, Editable]:
    """The job's system as one that can be told words: slotbeam's modes and indexes, or a closed codebook's forgery."""
    if job.modes:
        return {name: MODES[name](artifact) for name in job.modes}
    if job.system == "kae":
        return standard_systems(artifact, list(load_catalog(setup.catalog)))
    built = SYSTEMS[job.system].build(setup)
    if built.artifact is None:
        raise InputError(f"{job.system} has no artifact: it cannot be told a word; allowed: systems that decode")
    return {f"{SYSTEMS[job.system].label}, forged codes": Forged(built.artifact, partial(forge, built))}


def _rounded(values: dict[str, list[float]]) -> dict[str, list[float]]:
    return {metric: [round(float(value), 6) for value in column] for metric, column in values.items()}
