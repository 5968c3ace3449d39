"""A dense dual encoder with exact search (FAISS, inner product): the same backbone, data and budget as slotbeam.

A query's row is the deployed one without its SID: text and history. An item's row is its title. Both go through one
encoder; the mean over the row, normalised, is the vector. Training: in-batch softmax over cosines with a learned
temperature, corrected by each item's chance of being in the batch (log Q).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from slotbeam.arrays import load_array, load_strings, save_array, save_strings
from slotbeam.language.normalize import normalize
from slotbeam.model.tokenizer import MAX_HISTORY, MAX_RECENT_TEXT, PAD, QUERY, TITLE, TOKENIZER, InputBuilder, Layout
from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.baselines.registry import Built, Setup, cached
from slotbeam_lab.baselines.systems import dictionary_of, training_data
from slotbeam_lab.measures.run import Asked
from slotbeam_train.command import CHECKPOINT
from slotbeam_train.lexicon import behaviour_of
from slotbeam_train.options import TrainOptions
from slotbeam_train.policy.model import ModelOptions, Policy
from slotbeam_train.progress import Reporter
from slotbeam_train.stages.corpus import Corpus, build_corpus, item_sids_of
from slotbeam_train.stages.data import Sampler, padded
from slotbeam_train.stages.loop import Trainer, device_of
from slotbeam_train.stages.stages import S3
from slotbeam_train.vocabulary import tokenizer_of

WEIGHTS, VECTORS, SIDS, IDS = "weights.npz", "items.npy", "sids.npy", "ids"
STAGE = replace(S3, name="dense")
PARTS = 4
"""A batch is encoded in so many parts of like length, so that a long row pads only its own part."""


class DualEncoder(Policy):
    """The policy's encoder, used for queries and titles alike; the decoder is there and stays untrained."""

    def __init__(self, options: ModelOptions, layout: Layout) -> None:
        super().__init__(options, layout)
        self.log_scale = nn.Parameter(torch.tensor(np.log(20.0), dtype=torch.float32))

    def vectors(self, ids: Tensor) -> Tensor:
        """Encode ids (N, T) as unit vectors (N, d), float32."""
        memory, _ = self.encode(ids)
        keep = (ids != PAD).unsqueeze(-1)
        pooled = (memory.float() * keep).sum(1) / keep.sum(1)
        return F.normalize(pooled, dim=-1)

    def of_rows(self, rows: Sequence[Sequence[int]], parts: int = PARTS) -> Tensor:
        """Encode N id lists, in their order: (N, d)."""
        order = np.argsort([len(row) for row in rows], kind="stable")
        device = self.embedding.weight.device
        made = [
            self.vectors(torch.from_numpy(padded([rows[i] for i in part.tolist()])).to(device))
            for part in np.array_split(order, min(parts, len(rows)))
        ]
        return torch.cat(made)[torch.from_numpy(np.argsort(order))]

    def loss(self, queries: Tensor, titles: Tensor, items: Tensor, log_chance: Tensor) -> Tensor:
        """Return the mean of −log softmax of a query's own item among the batch's, in nats.

        Args:
            queries, titles: (N, d) unit vectors. items: (N,) item numbers; a double of a row's own item is no rival.
            log_chance: (N,) log of each item's chance to be drawn.
        """
        logits = self.log_scale.clamp(max=float(np.log(100.0))).exp() * (queries @ titles.T) - log_chance
        double = (items[:, None] == items) & ~torch.eye(len(items), dtype=torch.bool, device=items.device)
        return F.cross_entropy(logits.masked_fill(double, -torch.inf), torch.arange(len(items), device=items.device))


class PairLoss:
    """Step → the loss of its batch of (query row, title row, item): a function of (seed, step) and of the model.

    Args:
        model: on the device that it is trained on.
        corpus: its pairs are drawn as S3 draws them.
    """

    def __init__(self, model: DualEncoder, corpus: Corpus, options: TrainOptions) -> None:
        self._model, self._corpus, self._batch = model, corpus, options.loop.batch
        self._sampler = Sampler(corpus, options.data)
        self._seed = [options.seed, zlib.crc32(b"dense")]
        chances = item_chances(corpus, options.data.pseudo_share)
        self._device = device_of(options.loop.device)
        self._log_chance = torch.from_numpy(np.log(np.maximum(chances, 1e-12))).float().to(self._device)

    def __call__(self, step: int) -> Tensor:
        """Return −log softmax of each query's own item among the batch's, in nats, averaged."""
        rng = np.random.default_rng([*self._seed, step])
        corpus, compose = self._corpus, self._corpus.inputs.compose
        queries, titles, items = [], [], []
        for pairs, index in self._sampler.pairs(rng, self._batch):
            item = int(pairs.item[index])
            recent, seen = self._sampler.history(pairs, index, rng)
            queries.append(compose(QUERY, [], corpus.queries[int(pairs.query[index])], recent, seen))
            titles.append(compose(TITLE, [], corpus.titles[item]))
            items.append(item)
        numbers = torch.tensor(items, device=self._device)
        query, title = self._model.of_rows(queries), self._model.of_rows(titles)
        with torch.autocast(self._device.type, enabled=False):  # bfloat16 is too coarse for cosines this close
            return self._model.loss(query.float(), title.float(), numbers, self._log_chance[numbers])


def item_chances(corpus: Corpus, pseudo_share: float) -> FloatArray:
    """Return (N,) the chance of each item to be a drawn pair's, as `Sampler.pairs` draws."""
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
        """Return (d,) the unit vector of a query with its history."""
        inputs = self._inputs
        recent = [inputs.text_ids(normalize(q), MAX_RECENT_TEXT) for q in asked.recent_queries[: -MAX_HISTORY - 1 : -1]]
        known = [self._rows[item] for item in asked.recent_item_ids if item in self._rows]
        seen = [inputs.sid_ids(tuple(self._sids[row].tolist())) for row in known[: -MAX_HISTORY - 1 : -1]]
        row = inputs.compose(QUERY, [], inputs.text_ids(normalize(asked.query)), recent, seen)
        with torch.inference_mode():
            vector: FloatArray = self._model.vectors(torch.tensor([row]))[0].numpy()
        return vector

    def search(self, asked: Asked, k: int) -> list[str]:
        """Return the ids of the `k` nearest items, best first."""
        _, nearest = self.index.search(self.vector(asked)[None], min(k, len(self._ids)))
        return [self._ids[row] for row in nearest[0].tolist()]


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
    inputs = tokenizer_of(items, behaviour_of(log)[0], kae, options)
    sids, encoded = item_sids_of(kae, items)
    corpus = build_corpus(items, encoded, log, kae, inputs, options.pseudo, options.seed)
    torch.manual_seed(options.seed)
    model = DualEncoder(options.model, inputs.layout)
    with Reporter(options.quiet) as reporter:
        trainer = dense_trainer(model, corpus, options, reporter, directory / CHECKPOINT)
        trainer.resume()
        report = trainer.run()[STAGE.name]
    model.to("cpu").eval()
    inputs.save(directory / TOKENIZER)
    save_strings(directory / IDS, [item.id for item in items])
    save_array(directory / SIDS, sids)
    save_array(directory / VECTORS, title_vectors(model, inputs, [corpus.titles[row] for row in range(len(items))]))
    arrays = {name: value.detach().numpy() for name, value in model.named_parameters()}
    np.savez(directory / WEIGHTS, sizes=np.asarray(inputs.sizes), **arrays)  # type: ignore[arg-type]
    encoder = [value for name, value in model.named_parameters() if name.startswith(("embedding", "encoder"))]
    return {
        "steps": int(report["steps"]),
        "minutes": round(report["seconds"] / 60, 2),
        "loss": round(report["last_loss"], 4),
        "parameters": sum(value.numel() for value in encoder),
    }


def dense_trainer(
    model: DualEncoder, corpus: Corpus, options: TrainOptions, reporter: Reporter, checkpoint: Path | None = None
) -> Trainer:
    """Prepare the one lesson of a dual encoder, on the whole budget of `options.loop`."""
    lesson = PairLoss(model, corpus, options)
    return Trainer(model, [(STAGE, lesson)], options.loop, options.seed, reporter, checkpoint)


def title_vectors(model: DualEncoder, inputs: InputBuilder, titles: Sequence[Sequence[int]]) -> FloatArray:
    """Encode (N, d) float32 of the titles' ids."""
    rows = [inputs.compose(TITLE, [], title) for title in titles]
    with torch.inference_mode():
        made = [model.of_rows(rows[start : start + 1024]).numpy() for start in range(0, len(rows), 1024)]
    return np.concatenate(made)
