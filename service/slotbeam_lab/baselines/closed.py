"""Generative retrieval over a closed codebook: the same policy, data, budget and serving, other identifiers.

What KAE does by matched words a frozen quantiser does here by vectors: items and queries get its codes, nothing is
reserved, and there is no word → slot task, so training has no S0 and its steps go to the other stages.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from slotbeam.catalog.inmemory import write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog, item_text
from slotbeam.files import sha256_of
from slotbeam.language.normalize import normalize
from slotbeam.model.itemvectors import ItemVectors, bag_of
from slotbeam.model.onnx import OnnxModel
from slotbeam.model.tokenizer import TOKENIZER, InputBuilder
from slotbeam.search.artifact import INDEX, MODEL, Artifact, read_manifest, verify, write_manifest
from slotbeam.search.options import SearchOptions
from slotbeam.trie.build import build_trie
from slotbeam.trie.csr import Trie
from slotbeam.types import IntArray
from slotbeam_lab.baselines.frozen import Embedding, FrozenEncoding, SpectralVectors
from slotbeam_lab.baselines.quantise import KMEANS, OPQ, Material, Method, Quantiser
from slotbeam_lab.baselines.registry import Built, Setup, cached
from slotbeam_lab.baselines.rq_vae import CQ_SID, RQ_VAE
from slotbeam_lab.baselines.systems import artifact_system, dictionary_of, training_data
from slotbeam_train.command import CHECKPOINT, teach
from slotbeam_train.export.artifact import export_model
from slotbeam_train.export.weights import fit_manifest
from slotbeam_train.lexicon import behaviour_of
from slotbeam_train.policy.model import Policy
from slotbeam_train.progress import Reporter
from slotbeam_train.stages.corpus import Corpus, build_corpus, item_sids_of
from slotbeam_train.stages.loop import LoopOptions
from slotbeam_train.stages.ragged import Ragged
from slotbeam_train.vocabulary import tokenizer_of

VECTORS, QUANTISER = "vectors.npz", "quantiser.npz"
_WORD_STAGE = "S0"


def build_kmeans(setup: Setup) -> Built:
    return build_closed(setup, KMEANS)


def build_opq(setup: Setup) -> Built:
    return build_closed(setup, OPQ)


def build_vae(setup: Setup) -> Built:
    return build_closed(setup, RQ_VAE)


def build_clusters(setup: Setup) -> Built:
    return build_closed(setup, CQ_SID)


def build_closed(setup: Setup, method: Method) -> Built:
    """Train (or find in the cache) the policy over `method`'s codes, and serve it by the common pipeline."""
    texts, _ = cached(_without_budget(setup), "closed-texts", lambda directory: _texts(setup, directory))
    directory, facts = cached(setup, method.name, lambda work: _train(setup, method, texts, work), method=method.facts)
    artifact = _load(setup, method, texts, directory)
    return Built(artifact_system(artifact), artifact, facts)


def forge(made: Built | Artifact, texts: Sequence[str]) -> IntArray:
    """Return the codes (N, L) that the frozen quantiser gives to these texts (paper section 5: an intervention).

    Args:
        made: what `build_closed` returned, or its artifact.
        texts: as written, an item's title with the new word for example; unseen words add nothing.
    """
    artifact = made.artifact if isinstance(made, Built) else made
    if artifact is None or not isinstance(artifact.kae, FrozenEncoding):
        raise ValueError("only a system over a closed codebook has a frozen quantiser. This is a bug.")
    return artifact.kae.forge(texts)


def _without_budget(setup: Setup) -> Setup:
    return replace(setup, options=replace(setup.options, loop=LoopOptions()), stages=())


def _texts(setup: Setup, directory: Path) -> dict[str, Any]:
    """Learn what all closed codebooks share: the tokenizer and the text vectors."""
    items, log = training_data(setup)
    tokenizer_of(items, behaviour_of(log)[0], dictionary_of(setup), setup.options).save(directory / TOKENIZER)
    asked: dict[str, list[str]] = {}
    for interaction in log:
        asked.setdefault(interaction.item_id, []).append(normalize(interaction.query))
    joined = ["\n".join([item_text(item), *asked.get(item.id, ())]) for item in items]
    vectors = SpectralVectors.fit(joined, seed=setup.options.seed)
    vectors.save(directory / VECTORS)
    return {"dimensions": vectors.dimensions}


def _train(setup: Setup, method: Method, texts: Path, work: Path) -> dict[str, Any]:
    """Fill `work` with everything that serving needs; return facts for a row."""
    options, began = setup.options, time.monotonic()
    items, log = training_data(setup)
    kae = dictionary_of(setup)
    words = InputBuilder.load(texts / TOKENIZER, kae.codebook.sizes, options.model.max_tokens)
    _, encoded = item_sids_of(kae, items)
    corpus = build_corpus(items, encoded, log, kae, words, options.pseudo, options.seed)
    # The corpus keeps ids: a text of more than MAX_TEXT tokens comes back as the policy reads it, cut.
    queries = [words.text_of(corpus.queries[number]) for number in range(len(corpus.queries))]
    embedding = Embedding(SpectralVectors.load(texts / VECTORS), kae if method.keywords else None)

    if not (work / QUANTISER).is_file():  # a stopped run goes on with the codes it began with
        quantiser = method.fit(_material(items, queries, corpus, embedding, options.seed))
        quantiser.save(work / QUANTISER)
    frozen = FrozenEncoding(embedding, Quantiser.load(work / QUANTISER))
    item_sids = frozen.codes([item_text(item) for item in items])
    inputs = InputBuilder.load(texts / TOKENIZER, frozen.codebook.sizes, options.model.max_tokens)
    corpus = _closed(corpus, inputs, item_sids, frozen.codes(queries))
    fitted_s = time.monotonic() - began

    torch.manual_seed(options.seed)
    model = Policy(options.model, inputs.layout, len(corpus.department_names))
    stages = [stage for stage in setup.stages if stage != _WORD_STAGE]
    with Reporter(options.quiet) as reporter:
        trainer = teach(model, corpus, options, stages, reporter, work / CHECKPOINT, resume=True)
    export_model(model, inputs, work / MODEL, options.half)
    bags = [bag_of(inputs.sid_ids(tuple(sid)), corpus.item_texts[row]) for row, sid in enumerate(item_sids.tolist())]
    vectors = ItemVectors.load(work / MODEL).encode(bags)
    fields = write_catalog(work / INDEX, items, item_sids, vectors=vectors)
    build_trie(item_sids).save(work / INDEX / "trie")
    (work / CHECKPOINT).unlink(missing_ok=True)
    search = dataclasses.asdict(options.search)
    write_manifest(work, {"name": method.name, "search": search, "index": {"fields": fields}})
    fit_manifest(_load(setup, method, texts, work), log, options.fit, options.seed)
    return {
        "sizes": list(inputs.sizes),
        **sharing(item_sids),
        "steps": sum(trainer.place.plan),
        "minutes": round(sum(report["seconds"] for report in trainer.place.reports.values()) / 60, 2),
        "parameters": sum(value.numel() for value in model.parameters()),
        "prepared_s": round(fitted_s, 1),
    }


def _material(
    items: Sequence[Item], queries: Sequence[str], corpus: Corpus, embedding: Embedding, seed: int
) -> Material:
    pairs = np.empty((0, 2), np.int64)
    if corpus.log is not None:
        pairs = np.stack([corpus.log.query, corpus.log.item], axis=1).astype(np.int64)
    kinds = [normalize(next(iter(item.attributes.get("entity", ())), "")) for item in items]
    names = {name: number for number, name in enumerate(sorted({kind for kind in kinds if kind}))}
    categories = [
        names[kind] if kind else len(names) + department if department >= 0 else -1
        for kind, department in zip(kinds, corpus.departments.tolist(), strict=True)
    ]
    vectors = embedding.vectors([item_text(item) for item in items])
    return Material(vectors, embedding.vectors(queries), pairs, np.asarray(categories, np.int64), seed)


def _closed(corpus: Corpus, inputs: InputBuilder, item_sids: IntArray, query_sids: IntArray) -> Corpus:
    """Return the same examples over other codes. Text ids come before slot ids, so those of `corpus` stay right."""
    return replace(
        corpus,
        inputs=inputs,
        item_sids=item_sids.astype(np.int64),
        query_sids=query_sids.astype(np.int64),
        query_spans=np.zeros((*query_sids.shape, 2), np.uint8),
        words=Ragged.of([]),
        word_facts=np.zeros((0, 3), np.int64),
        reserved=tuple(range(0) for _ in inputs.sizes),
    )


def sharing(sids: IntArray) -> dict[str, float]:
    """Count how items (N, L) share SIDs: distinct SIDs, items that share theirs with another, the most items of one."""
    _, counts = np.unique(sids, axis=0, return_counts=True)
    return {"sids": len(counts), "colliding": int(counts[counts > 1].sum()), "largest": int(counts.max(initial=0))}


def _load(setup: Setup, method: Method, texts: Path, directory: Path) -> Artifact:
    manifest = read_manifest(directory)
    verify(directory, manifest)
    embedding = Embedding(SpectralVectors.load(texts / VECTORS), dictionary_of(setup) if method.keywords else None)
    frozen = FrozenEncoding(embedding, Quantiser.load(directory / QUANTISER), sha256_of(directory / QUANTISER))
    sizes, limit = frozen.codebook.sizes, setup.options.model.max_tokens
    return Artifact(
        directory=directory,
        manifest=manifest,
        kae=frozen,
        inputs=InputBuilder.load(directory / MODEL / TOKENIZER, sizes, limit),
        model=OnnxModel(directory / MODEL, sizes),
        trie=Trie.load(directory / INDEX / "trie"),
        catalog=Catalog.load(directory / INDEX, manifest["index"]["fields"]),
        options=setup.options.search.with_weights_of(SearchOptions.read(manifest["search"])),
    )
