"""A whole artifact on disk in a second: the shop's hand-made encoding, random weights, real ONNX graphs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from slotbeam.catalog.inmemory import item_source
from slotbeam.catalog.loaders import CatalogReader
from slotbeam.indexing.build import write_index
from slotbeam.model.itemvectors import ItemVectors
from slotbeam.model.tokenizer import InputBuilder
from slotbeam.search.artifact import INDEX, MODEL, write_manifest
from slotbeam.search.options import SearchOptions
from support.shop import RESERVED, make_items, make_kae

MAX_TOKENS = 48


def tiny_vectors(inputs: InputBuilder) -> ItemVectors:
    """Return item vectors of 8 components over the vocabulary of `inputs`, random but always the same."""
    rng = np.random.default_rng(0)
    table, mix, head = (rng.normal(0, 0.3, shape) for shape in ((inputs.layout.vocabulary, 16), (16, 16), (8, 16)))
    return ItemVectors.of(table, rng.random(len(table)), mix, np.zeros(16), head)


def write_tiny_artifact(directory: Path, items: int = 120, name: str = "tiny", reserved: int = RESERVED) -> Path:
    """Write a complete artifact of random weights into `directory` and return it; its codebook follows `reserved`."""
    import torch

    from slotbeam_train.export.artifact import write_model
    from slotbeam_train.policy.model import ModelOptions, Policy

    kae, catalog = make_kae(reserved), make_items(items)
    inputs = InputBuilder.train([item.title for item in catalog], 300, kae.codebook.sizes, MAX_TOKENS)
    torch.manual_seed(0)
    options = ModelOptions(width=16, encoder_layers=1, heads=2, feedforward=2, max_tokens=MAX_TOKENS)
    model = write_model(directory / MODEL, kae, Policy(options, inputs.layout), inputs)
    lines = directory.with_name(f"{directory.name}.jsonl")
    lines.write_bytes(b"\n".join(map(item_source, catalog)))
    index = write_index(directory / INDEX, directory / MODEL, MAX_TOKENS, CatalogReader(lines))
    search = dataclasses.asdict(SearchOptions())
    manifest = {"name": name, "created": "2026-01-01T00:00:00Z", "model": model, "search": search, "index": index}
    write_manifest(directory, manifest)
    return directory
