"""A dense dual encoder with exact search (FAISS, inner product): the same backbone, data and budget as slotbeam.

A query's row is the deployed one without its SID: text and history. An item's row is its title. Both go through one
encoder; the mean over the row, normalised, is the vector. Training: in-batch softmax over cosines with a learned
temperature, corrected by each item's chance of being in the batch (log Q).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch

from slotbeam.arrays import load_array, load_strings, save_array, save_strings
from slotbeam.kae.normalize import normalize
from slotbeam.model.tokenizer import MAX_HISTORY, MAX_RECENT_TEXT, QUERY, TITLE, InputBuilder
from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.baselines.contrastive import Contrastive, DualEncoder
from slotbeam_lab.baselines.registry import Built, Setup, cached
from slotbeam_lab.baselines.systems import dictionary_of, tokenizer_of, training_data
from slotbeam_lab.measures.run import Asked
from slotbeam_train.stages.corpus import Corpus, build_corpus, item_sids_of
from slotbeam_train.stages.data import Sampler

WEIGHTS, VECTORS, SIDS, IDS, TOKENIZER = "weights.npz", "items.npy", "sids.npy", "ids", "tokenizer.json"


class PairBatches:
    """Batches of (query row, title row, item): a function of (seed, step)."""

    def __init__(self, corpus: Corpus, sampler: Sampler, batch: int, seed: int) -> None:
        self._corpus, self._sampler, self._batch = corpus, sampler, batch
        self._seed = [seed, zlib.crc32(b"dense")]

    def batch(self, step: int) -> tuple[list[list[int]], list[list[int]], IntArray]:
        rng = np.random.default_rng([*self._seed, step])
        corpus, compose = self._corpus, self._corpus.inputs.compose
        queries, titles, items = [], [], []
        for pairs, index in self._sampler.pairs(rng, self._batch):
            item = int(pairs.item[index])
            recent, seen = self._sampler.history(pairs, index, rng)
            queries.append(compose(QUERY, [], corpus.queries[int(pairs.query[index])], recent, seen))
            titles.append(compose(TITLE, [], corpus.titles[item]))
            items.append(item)
        return queries, titles, np.asarray(items, np.int64)


def item_chances(corpus: Corpus, pseudo_share: float) -> FloatArray:
    """(N,) chance of each item to be a drawn pair's, as `Sampler.pairs` draws."""
    chances = np.zeros(len(corpus.item_sids))
    parts = [(corpus.log, 1 - pseudo_share), (corpus.pseudo, pseudo_share)]
    held = [(pairs, share) for pairs, share in parts if pairs is not None]
    total = sum(share for _, share in held)
    for pairs, share in held:
        weight = np.diff(pairs.cumulative, prepend=0).astype(np.float64)
        chances += share / total * np.bincount(pairs.item, weight, len(chances)) / pairs.cumulative[-1]
    return chances


class Dense:
    """Encoded items, and the encoder for queries.

    Args:
        model: in eval mode, on the CPU. inputs: its tokenizer. ids: (N,) item ids.
        vectors: (N, d) unit vectors. sids: (N, L) of the items, for histories.
    """

    def __init__(
        self, model: DualEncoder, inputs: InputBuilder, ids: Sequence[str], vectors: FloatArray, sids: IntArray
    ) -> None:
        self._model, self._inputs, self._ids, self._sids = model, inputs, list(ids), sids
        self._rows = {item: row for row, item in enumerate(ids)}
        self.index = faiss.IndexFlatIP(vectors.shape[1])
        self.index.add(np.ascontiguousarray(vectors, np.float32))

    def vector(self, asked: Asked) -> FloatArray:
        """(d,) unit vector of a query with its history."""
        inputs = self._inputs
        recent = [inputs.text_ids(normalize(q), MAX_RECENT_TEXT) for q in asked.recent_queries[: -MAX_HISTORY - 1 : -1]]
        known = [self._rows[item] for item in asked.recent_item_ids if item in self._rows]
        seen = [inputs.sid_ids(tuple(self._sids[row].tolist())) for row in known[: -MAX_HISTORY - 1 : -1]]
        row = inputs.compose(QUERY, [], inputs.text_ids(normalize(asked.query)), recent, seen)
        with torch.inference_mode():
            found: FloatArray = self._model.vectors(torch.tensor([row]))[0].numpy()
        return found

    def search(self, asked: Asked, k: int) -> list[str]:
        """The `k` nearest items, best first."""
        _, found = self.index.search(self.vector(asked)[None], min(k, len(self._ids)))
        return [self._ids[row] for row in found[0].tolist()]


def build(setup: Setup) -> Built:
    """Train the encoder with the comparison's options, or find it in the cache."""
    directory, facts = cached(setup, "dense", lambda place: _train(setup, place))
    with np.load(directory / WEIGHTS, allow_pickle=False) as held:
        sizes = tuple(held["sizes"].tolist())
        inputs = InputBuilder.load(directory / TOKENIZER, sizes, setup.options.model.max_tokens)
        model = DualEncoder(setup.options.model, inputs.layout)
        with torch.no_grad():
            for name, value in model.named_parameters():
                value.copy_(torch.from_numpy(held[name]))
    ids = load_strings(directory / IDS)
    dense = Dense(model.eval(), inputs, ids, load_array(directory / VECTORS), load_array(directory / SIDS))
    return Built(dense.search, facts=facts)


def _train(setup: Setup, directory: Path) -> dict[str, Any]:
    options = setup.options
    kae = dictionary_of(setup)
    items, log = training_data(setup)
    inputs = tokenizer_of(setup, items, log, kae)
    sids, encoded = item_sids_of(kae, items)
    corpus = build_corpus(items, encoded, log, kae, inputs, options.pseudo, options.seed)
    sampler = Sampler(corpus, options.data)
    torch.manual_seed(options.seed)
    model = DualEncoder(options.model, inputs.layout)
    pairs = PairBatches(corpus, sampler, options.loop.batch, options.seed)
    trainer = Contrastive(model, pairs.batch, item_chances(corpus, options.data.pseudo_share), options, directory)
    trained = trainer.run()
    model.to("cpu").eval()
    inputs.save(directory / TOKENIZER)
    save_strings(directory / IDS, [item.id for item in items])
    save_array(directory / SIDS, sids)
    save_array(directory / VECTORS, title_vectors(model, inputs, [corpus.titles[row] for row in range(len(items))]))
    arrays = {name: value.detach().numpy() for name, value in model.named_parameters()}
    np.savez(directory / WEIGHTS, sizes=np.asarray(inputs.sizes), **arrays)  # type: ignore[arg-type]
    encoder = [value for name, value in model.named_parameters() if name.startswith(("embedding", "encoder"))]
    return {**trained, "parameters": sum(value.numel() for value in encoder)}


def title_vectors(model: DualEncoder, inputs: InputBuilder, titles: Sequence[Sequence[int]]) -> FloatArray:
    """(N, d) float32 of the titles' ids."""
    rows = [inputs.compose(TITLE, [], title) for title in titles]
    with torch.inference_mode():
        made = [model.of_rows(rows[start : start + 1024]).numpy() for start in range(0, len(rows), 1024)]
    return np.concatenate(made)
