"""What the units of `slotbeam paper` do: each function is one kind of unit and returns JSON values."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from slotbeam.catalog.item import Interaction
from slotbeam.catalog.loaders import load_catalog, load_log
from slotbeam.errors import InputError
from slotbeam.search.artifact import Artifact
from slotbeam.types import Progress
from slotbeam_lab.baselines.registry import SYSTEMS, Setup
from slotbeam_lab.baselines.systems import trained_kae
from slotbeam_lab.interventions.editable import (
    PINNED,
    UNPINNED,
    Editable,
    Served,
    Unpinned,
    closed_system,
    standard_systems,
)
from slotbeam_lab.interventions.intervene import intervene, untouched
from slotbeam_lab.measures.choosing import answered
from slotbeam_lab.measures.questions import Questions, days_before, find_questions, read_questions
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
class Work:
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
        """Say what decides the result, as JSON values."""
        facts = asdict(self)
        for setting in ("quiet", "name"):
            facts["options"].pop(setting)
        for setting in ("device", "threads", "checkpoint_s"):
            facts["options"]["loop"].pop(setting)
        facts["generator"] = generator_hash() if self.world else None
        return facts | {"catalog": str(self.catalog)}


def measured(
    setup: Setup, name: str, questions: Questions, ks: Sequence[int] = KS, progress: Progress | None = None
) -> dict[str, Any]:
    """Build a system of the registry and ask it everything.

    Returns:
        Its `label`, its `facts`, and `values`: table name → metric → the value of every query. A setting that is left
        open is chosen on other queries, and is `chosen` among the facts: table name → what was chosen.
    """
    label, built = SYSTEMS[name].label, SYSTEMS[name].build(setup)
    days = days_before(setup.options.last_day + 1, setup.logs) if built.choices else ()
    tables, chosen = answered({label: built.choices or built.search}, questions, ks, days, progress)
    facts = built.facts | ({"chosen": {kind: own[label].said for kind, own in chosen.items()}} if chosen else {})
    return {"label": label, "facts": facts, "values": {kind: own.values[label] for kind, own in tables.items()}}


def answers(place: Place, work: Work) -> dict[str, Any]:
    """Measure a system; what is kept of it is rounded."""
    kept = measured(_setup(place, work), work.system, questions_of(place, work))
    return kept | {"values": {kind: _rounded(values) for kind, values in kept["values"].items()}}


def interventions(place: Place, work: Work) -> dict[str, Any]:
    """Bind unseen words of every size. The words are those of slotbeam's own artifact, whichever system is asked."""
    setup, test = _setup(place, work), _test_day(place, work)
    artifact = trained_kae(setup)[0]
    facts = intervene(artifact, _told(setup, work, artifact), test, work.words, KS)
    sizes = {
        size: {system: _rounded(values) for system, values in systems.items()}
        for size, systems in facts["sizes"].items()
    }
    return facts | {"sizes": sizes}


def collateral(place: Place, work: Work) -> dict[str, Any]:
    """Count with slots bound how many answers to queries without a bound word changed."""
    setup = _setup(place, work)
    artifact = trained_kae(setup)[0]
    log = load_log(setup.catalog / "log.jsonl")
    return dict(untouched(artifact, _test_day(place, work), log, work.words, max(KS), work.collateral))


def behind(place: Place, work: Work) -> dict[str, Any]:
    """Draw what lies behind a trained artifact: beam width, candidates, slot density, history."""
    artifact = trained_kae(_setup(place, work))[0]
    clicks = questions_of(place, work).kinds["click"]
    sections = curves.artifact_sections(artifact, clicks, _test_day(place, work), work.queries)
    return {"sections": [asdict(section) for section in sections]}


def elbow(place: Place, work: Work) -> dict[str, Any]:
    """Draw the information loss over the number of groups."""
    setup, last = _setup(place, work), work.options.last_day
    log = [row for row in load_log(setup.logs) if row.day <= last] if setup.logs is not None else []
    section = curves.elbow_section(list(load_catalog(setup.catalog)), log, work.options.kae)
    return {"sections": [asdict(section)]}


def world_at(place: Place, options: WorldOptions) -> Path:
    """Return the directory of a world; made in one rename when it is not there."""
    name = f"{options.items}-seed{options.seed}-gap{options.vocabulary_gap:g}-req{options.requests_per_item:g}"
    directory = place.worlds / f"{name}-{generator_hash()[:8]}"
    if not (directory / "world.json").is_file():
        partial = directory.with_name(f".{directory.name}")
        shutil.rmtree(partial, ignore_errors=True)
        make_world(partial, options)
        partial.rename(directory)
    return directory


def questions_of(place: Place, work: Work) -> Questions:
    """Return what the system of `work` is asked."""
    catalog = _setup(place, work).catalog
    judgements, world = find_questions(catalog, None, None)
    return read_questions(judgements, world, {item.id for item in load_catalog(catalog)}, work.queries)


def _setup(place: Place, work: Work) -> Setup:
    loop = replace(work.options.loop, threads=place.threads, device=place.device)
    options = replace(work.options, loop=loop, quiet=True)
    if work.world is not None:
        catalog = world_at(place, work.world)
        return Setup(catalog, catalog, options, place.cache, work.stages)
    if work.catalog is None:
        raise InputError("this work has neither a world nor a catalog; give it one")
    return Setup(work.catalog, None, options, place.cache, work.stages)


def _test_day(place: Place, work: Work) -> list[Interaction]:
    if work.world is None:
        raise InputError("interventions are measured on a world: name one")
    return list(load_log(world_at(place, work.world) / "test.jsonl"))


def _told(setup: Setup, work: Work, artifact: Artifact) -> dict[str, Editable]:
    """Return the system as one that can be told words: slotbeam's modes and indexes, or a closed codebook's forgery."""
    if work.modes:
        return {name: MODES[name](artifact) for name in work.modes}
    if work.system == "kae":
        return standard_systems(artifact, list(load_catalog(setup.catalog)))
    built = SYSTEMS[work.system].build(setup)
    if built.artifact is None:
        raise InputError(f"{work.system} has no artifact: it cannot be told a word; allowed: systems that decode")
    return {f"{SYSTEMS[work.system].label}, forged codes": closed_system(built)}


def _rounded(values: dict[str, list[float]]) -> dict[str, list[float]]:
    return {metric: [round(float(value), 6) for value in column] for metric, column in values.items()}
