"""An artifact as a system to ask; what trains one and keeps it, and what other systems share of its training.

Its dictionary is learned once, and shared by every system that needs words.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import read_data
from slotbeam.kae.encode import Kae
from slotbeam.search.artifact import MODEL, Artifact
from slotbeam.search.groups import base_candidates
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import MAX_K, SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings
from slotbeam_lab.baselines.registry import DONE, Built, Setup, cached, identity
from slotbeam_lab.measures.run import Asked, System

ARTIFACT = "artifact"
"""The directory of a trained artifact inside its place in the cache."""
DICTIONARY = "kae"


def build_kae(setup: Setup) -> Built:
    """Train slotbeam with the comparison's options, or find it in the cache, and ask it as it would be served."""
    artifact, facts = trained_kae(setup)
    return Built(artifact_system(artifact), artifact, facts)


def build_kae_no_lexical(setup: Setup) -> Built:
    """Ask the same artifact as `build_kae` makes, ranked without the lexical feature."""
    artifact, facts = trained_kae(setup)
    return Built(artifact_system(artifact, lexical=False), artifact, facts)


def trained_kae(setup: Setup) -> tuple[Artifact, dict[str, Any]]:
    """Return the artifact of `setup` and its facts; it is trained at most once.

    It is searched as `setup.options.search` says, with the weights that training fitted.
    """
    directory, facts = cached(setup, "kae", lambda place: _train(setup, place))
    artifact = Artifact.load(directory / ARTIFACT)
    artifact = replace(artifact, options=setup.options.search.with_weights_of(artifact.options))
    return limited(artifact, setup.candidates) if setup.candidates else artifact, facts


def _train(setup: Setup, directory: Path) -> dict[str, Any]:
    from slotbeam_train.command import train

    out = directory / ARTIFACT
    if not (out / "manifest.json").is_file():  # a run stopped right after the last rename leaves a whole artifact
        train(setup.catalog, out, logs=setup.logs, options=setup.options, stages=setup.stages, resume=True)
    artifact = Artifact.load(out)
    training, metrics = artifact.manifest["model"]["training"], artifact.manifest["model"]["metrics"]
    return {
        "steps": sum(training["steps"]),
        "minutes": round(sum(stage["seconds"] for stage in metrics["stages"].values()) / 60, 2),
        "parameters": artifact.manifest["model"]["parameters"],
        "sids": artifact.manifest["index"]["sids"],
        "concepts": len(artifact.kae.dictionary),
    }


def artifact_system(artifact: Artifact, lexical: bool = True, history: bool = True) -> System:
    """Ask the served pipeline without bindings.

    Args:
        artifact: loaded.
        lexical: False leaves lexical overlap out, as a feature of the item score and as a source of candidates.
        history: False hides the user's history.
    """
    if not lexical:
        artifact = replace(artifact, options=replace(artifact.options, weight_lexical=0.0, lexical_candidates=0))
    snapshot = Snapshot(artifact)

    def search(asked: Asked, k: int) -> list[str]:
        request = SearchRequest(
            asked.query,
            k=min(k, MAX_K),
            recent_queries=asked.recent_queries if history else (),
            recent_item_ids=asked.recent_item_ids if history else (),
            use_bindings=False,
        )
        answer = retrieve(snapshot, request, Timings())
        return [artifact.catalog.ids[row] for row in answer.hits.rows.tolist()]

    return search


def limited(artifact: Artifact, candidates: int) -> Artifact:
    """Return the artifact, searched so that no more than `candidates` items are scored for a query.

    At least half of them are ranges'. Fewer than the longest answer has do not fill it.
    """
    options = artifact.options
    lexical = min(options.lexical_candidates, candidates // 4)
    near = min(options.text_candidates, candidates // 4) if artifact.texts else 0
    return replace(
        artifact,
        options=replace(
            options,
            scan_budget=candidates - lexical - near,
            step_rows=0,
            lexical_candidates=lexical,
            text_candidates=near,
            text_rows=min(options.text_rows, candidates),
        ),
    )


def candidate_system(artifact: Artifact) -> System:
    """Answer with all candidates of the item scorer, in beam order: their recall bounds what any order could reach."""
    snapshot = Snapshot(artifact)

    def search(asked: Asked, k: int) -> list[str]:
        catalog = artifact.catalog
        request = SearchRequest(asked.query, recent_queries=asked.recent_queries, recent_item_ids=asked.recent_item_ids)
        _, base = base_candidates(snapshot, request)
        return [catalog.ids[int(row)] for row in np.asarray(base.candidates.places)]

    return search


def training_data(setup: Setup) -> tuple[list[Item], list[Interaction]]:
    """Read what every system may learn from: the catalog, and the log's days up to `options.last_day`."""
    data = read_data(setup.catalog, setup.logs, last_day=setup.options.last_day)
    return data.items, data.log


def dictionary_of(setup: Setup) -> Kae:
    """Return the dictionary of the `kae` system: its own when that is trained, else learned the same way and kept."""
    trained = setup.cache / f"kae-{identity(setup, 'kae')}"
    if (trained / DONE).is_file():
        return Kae.load(trained / ARTIFACT / MODEL / DICTIONARY)

    def learn(directory: Path) -> dict[str, int]:
        from slotbeam_train.lexicon import behaviour_of, build_kae

        items, log = training_data(setup)
        queries, clicks = behaviour_of(log)
        kae = build_kae(items, queries, setup.options.kae, clicks=clicks)
        kae.save(directory / DICTIONARY)
        return {"concepts": len(kae.dictionary)}

    directory, _ = cached(setup, "dictionary", learn)
    return Kae.load(directory / DICTIONARY)
