"""Systems to ask: an index of words, and an artifact as it would be served; what trains an artifact and keeps it.

Its dictionary and the tokenizer of its data are learned once, and shared by every system that needs words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import read_data
from slotbeam.kae.encode import Kae
from slotbeam.model.tokenizer import InputBuilder
from slotbeam.search.artifact import Artifact
from slotbeam.search.groups import base_candidates
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import MAX_K, SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings
from slotbeam_lab.baselines.bm25 import Bm25
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
    """The same artifact as `build_kae` makes, ranked without the lexical feature."""
    artifact, facts = trained_kae(setup)
    return Built(artifact_system(artifact, lexical=False), artifact, facts)


def trained_kae(setup: Setup) -> tuple[Artifact, dict[str, Any]]:
    """The artifact of `setup`, searched as `setup.options.search` says with the weights that training fitted, and its
    facts; trained at most once.
    """
    directory, facts = cached(setup, "kae", lambda place: _train(setup, place))
    artifact = Artifact.load(directory / ARTIFACT)
    return replace(artifact, options=setup.options.search.with_weights_of(artifact.options)), facts


def _train(setup: Setup, directory: Path) -> dict[str, Any]:
    from slotbeam_train.command import train

    out = directory / ARTIFACT
    if not (out / "manifest.json").is_file():  # a run stopped right after the last rename leaves a whole artifact
        train(setup.catalog, out, logs=setup.logs, options=setup.options, stages=setup.stages, resume=True)
    artifact = Artifact.load(out)
    training, metrics = artifact.manifest["training"], artifact.manifest["metrics"]
    return {
        "steps": sum(training["steps"]),
        "minutes": round(sum(stage["seconds"] for stage in metrics["stages"].values()) / 60, 2),
        "parameters": artifact.manifest["model"]["parameters"],
        "sids": metrics["sids"],
        "concepts": len(artifact.kae.dictionary),
    }


def bm25_system(index: Bm25) -> System:
    """BM25; it does not look at the history."""
    return lambda asked, k: index.search(asked.query, k)


def artifact_system(artifact: Artifact, lexical: bool = True, history: bool = True) -> System:
    """The served pipeline without bindings.

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
        return [artifact.catalog.ids[hit.row] for hit in answer.hits]

    return search


def candidate_system(artifact: Artifact) -> System:
    """All candidates that the item scorer sees, in beam order: their recall bounds what any order could reach."""
    snapshot = Snapshot(artifact)

    def search(asked: Asked, k: int) -> list[str]:
        catalog = artifact.catalog
        request = SearchRequest(asked.query, recent_queries=asked.recent_queries, recent_item_ids=asked.recent_item_ids)
        *_, found = base_candidates(snapshot, request)
        return [catalog.ids[int(row)] for row in np.asarray(found.places)]

    return search


def training_data(setup: Setup) -> tuple[list[Item], list[Interaction]]:
    """What every system may learn from: the catalog, and the log's days up to `options.last_day`."""
    data = read_data(setup.catalog, setup.logs, last_day=setup.options.last_day)
    return data.items, data.log


def dictionary_of(setup: Setup) -> Kae:
    """The dictionary of the `kae` system: its own when that is trained, else learned the same way and kept."""
    trained = setup.cache / f"kae-{identity(setup, 'kae')}"
    if (trained / DONE).is_file():
        return Kae.load(trained / ARTIFACT / DICTIONARY)

    def learn(directory: Path) -> dict[str, int]:
        from slotbeam_train.lexicon import behaviour_of, build_kae

        items, log = training_data(setup)
        queries, clicks = behaviour_of(log)
        kae = build_kae(items, queries, setup.options.kae, clicks=clicks)
        kae.save(directory / DICTIONARY)
        return {"concepts": len(kae.dictionary)}

    directory, _ = cached(setup, "dictionary", learn)
    return Kae.load(directory / DICTIONARY)


def tokenizer_of(setup: Setup, items: Sequence[Item], log: Sequence[Interaction], kae: Kae) -> InputBuilder:
    """The tokenizer that training makes of the same data, with room for the dictionary's slots."""
    from slotbeam_train.command import vocabulary_of
    from slotbeam_train.lexicon import behaviour_of
    from slotbeam_train.stages.corpus import corpus_texts

    texts = list(corpus_texts(items, kae, behaviour_of(log)[0]))
    size = setup.options.vocabulary or vocabulary_of(sum(map(len, texts)))
    return InputBuilder.train(texts, size, kae.codebook.sizes, setup.options.model.max_tokens)
