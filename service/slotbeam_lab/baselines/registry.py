"""The systems that are compared: each is built from one `Setup`, the same data, backbone and budget for all.

A trained system keeps everything it needs in a directory named by what it was trained from, so a second run of any
command finds it there and a stopped one goes on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slotbeam.errors import InputError
from slotbeam.files import locked, sha256_of, write_whole
from slotbeam.search.artifact import Artifact
from slotbeam_lab.measures.choosing import Choices
from slotbeam_lab.measures.run import System
from slotbeam_train.options import TrainOptions
from slotbeam_train.stages.stages import STAGES
from slotbeam_train.teacher import Teacher

if TYPE_CHECKING:
    from slotbeam_lab.baselines.sparse import SparseEncoder

DONE = "complete.json"
"""The file that says that a directory of the cache is whole; it holds the system's facts."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What every system of a comparison shares.

    Attributes:
        catalog: file or directory, see `load_catalog`.
        logs: of clicks and orders; days after `options.last_day` are not read. None: no log.
        options: backbone, data, seed, and the training budget (`options.loop.steps` or `.minutes`) of each system.
        cache: where trained systems are kept.
        stages: of the policy's training; a system without words leaves S0 out.
        teacher: encodes texts for the rivals that search with it; trains nothing. sparse: likewise, sparse vectors.
        candidates: items that a system may score for a query, at most; None leaves that to each.
    """

    catalog: Path
    logs: Path | None
    options: TrainOptions
    cache: Path
    stages: tuple[str, ...] = tuple(STAGES)
    teacher: Teacher | None = None
    sparse: SparseEncoder | None = None
    candidates: int | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """A system that can be asked.

    Attributes:
        search: the system.
        artifact: what decodes behind it, for interventions; None where nothing does.
        facts: JSON values worth a row: steps, minutes, parameters, distinct SIDs.
        choices: one system a setting where a setting is left open, to be chosen on other queries; `search` has the
            usual one.
    """

    search: System
    artifact: Artifact | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    choices: Choices | None = None

    @classmethod
    def open(cls, choices: Choices) -> Built:
        """Return a system whose setting is left open."""
        return cls(next(iter(choices.values())), choices=choices)


@dataclass(frozen=True, slots=True)
class Contestant:
    """One row of a comparison: its label in tables, and where its `build` function lives (`module:function`)."""

    label: str
    source: str

    def build(self, setup: Setup) -> Built:
        module, name = self.source.split(":")
        made: Built = getattr(import_module(module), name)(setup)
        return made


_BASELINES = "slotbeam_lab.baselines"

SYSTEMS: dict[str, Contestant] = {
    "bm25": Contestant("BM25", f"{_BASELINES}.bm25:build"),
    "bm25-alias": Contestant("BM25 + aliases", f"{_BASELINES}.bm25:build_aliased"),
    "teacher-exact": Contestant("teacher, exact", f"{_BASELINES}.rivals:build_exact"),
    "teacher-ivf": Contestant("teacher, IVF", f"{_BASELINES}.rivals:build_lists"),
    "hybrid-convex": Contestant("BM25 + teacher, convex", f"{_BASELINES}.rivals:build_convex"),
    "hybrid-rrf": Contestant("BM25 + teacher, RRF", f"{_BASELINES}.rivals:build_reciprocal"),
    "hybrid-convex-alias": Contestant("BM25 + aliases + teacher, convex", f"{_BASELINES}.rivals:build_convex_aliased"),
    "hybrid-rrf-alias": Contestant("BM25 + aliases + teacher, RRF", f"{_BASELINES}.rivals:build_reciprocal_aliased"),
    "learned-sparse": Contestant("learned sparse (Seismic)", f"{_BASELINES}.sparse:build"),
    "unidex": Contestant("SID slots in an inverted index (UniDex)", f"{_BASELINES}.unidex:build"),
    "dense": Contestant("dense dual encoder", f"{_BASELINES}.dense:build"),
    "kae": Contestant("slotbeam", f"{_BASELINES}.systems:build_kae"),
    "kae-no-lexical": Contestant("slotbeam, no lexical feature", f"{_BASELINES}.systems:build_kae_no_lexical"),
    "kae-paper": Contestant("KAE as in the paper", "slotbeam_lab.interventions.unconstrained:build"),
    "kae-paper-trie": Contestant(
        "KAE as in the paper, but in the trie", "slotbeam_lab.interventions.unconstrained:build_constrained"
    ),
    "rq-kmeans": Contestant("RQ-kmeans", f"{_BASELINES}.closed:build_kmeans"),
    "rq-vae": Contestant("RQ-VAE", f"{_BASELINES}.closed:build_vae"),
    "rq-opq": Contestant("RQ-OPQ (KHQE)", f"{_BASELINES}.closed:build_opq"),
    "cq-sid": Contestant("CQ-SID", f"{_BASELINES}.closed:build_clusters"),
    "fused": Contestant("BM25 + dense + behaviour (RRF)", f"{_BASELINES}.fused:build"),
    "fused-kae": Contestant("slotbeam + dense + behaviour (RRF)", f"{_BASELINES}.fused:build_with_kae"),
}
"""Every system by its name on the command line."""


def chosen(names: Sequence[str]) -> dict[str, Contestant]:
    """Return the contestants of `names`, in their order. Raises `InputError` for a name that does not exist."""
    unknown = [name for name in names if name not in SYSTEMS]
    if unknown:
        raise InputError(f"systems {', '.join(unknown)} are not known; allowed: {', '.join(SYSTEMS)}")
    return {name: SYSTEMS[name] for name in names}


def identity(setup: Setup, name: str, **more: object) -> str:
    """16 hex digits of everything that a trained system depends on: data, options, stages, name."""
    options = dataclasses.asdict(setup.options)
    for setting in ("search", "quiet", "name"):  # how it is asked, and what it is called, train nothing
        options.pop(setting)
    for setting in ("device", "threads", "checkpoint_s"):
        options["loop"].pop(setting)
    facts = {
        "system": name,
        "data": [_stamp(path) for path in (setup.catalog, setup.logs) if path is not None],
        "options": options,
        "stages": setup.stages,
        **more,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def cached(
    setup: Setup, name: str, train: Callable[[Path], dict[str, Any]], **more: object
) -> tuple[Path, dict[str, Any]]:
    """Return the directory of a trained system and its facts, training it only when it is not there.

    Of several processes that want it one trains, the others wait for it.

    Args:
        setup: the comparison. name: of the system.
        train: fills the directory that it is given (kept from a run that was stopped) and returns facts.
        more: further JSON values that the training depends on.
    """
    directory = setup.cache / f"{name}-{identity(setup, name, **more)}"
    done = directory / DONE
    directory.mkdir(parents=True, exist_ok=True)
    with locked(directory / ".lock"):
        if not done.is_file():
            facts = train(directory)
            write_whole(done, json.dumps(facts, indent=1).encode() + b"\n")
    return directory, json.loads(done.read_text(encoding="utf-8"))


def _stamp(path: Path) -> list[Any]:
    """Return what tells one version of the data from another: names and sizes, and a world's own description."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    stamp: list[Any] = [[file.name, file.stat().st_size] for file in files]
    described = path / "world.json"
    if described.is_file():
        stamp.append(sha256_of(described))
    return stamp
