"""A whole artifact on disk in a second: the shop's hand-made encoding, random weights, real ONNX graphs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from slotbeam.catalog.table import write_catalog
from slotbeam.model.tokenizer import InputBuilder
from slotbeam.search.artifact import write_manifest
from slotbeam.search.options import SearchOptions
from slotbeam.trie.build import build_trie
from support.shop import make_items, make_kae

MAX_TOKENS = 48


def write_tiny_artifact(directory: Path, items: int = 120) -> Path:
    """Write a complete artifact of random weights into `directory` and return it."""
    import torch

    from slotbeam_train.export.artifact import export_model
    from slotbeam_train.policy.model import ModelOptions, Policy

    kae, catalog = make_kae(), make_items(items)
    sids = np.array([kae.encode_item(item).sid for item in catalog])
    kae.save(directory / "kae")
    build_trie(sids).save(directory / "trie")
    kinds = write_catalog(directory / "items", catalog, sids)
    inputs = InputBuilder.train([item.title for item in catalog], 300, kae.codebook.sizes, MAX_TOKENS)
    torch.manual_seed(0)
    options = ModelOptions(width=16, encoder_layers=1, heads=2, feedforward=2, max_tokens=MAX_TOKENS)
    export_model(Policy(options, inputs.layout), inputs, directory / "model")
    manifest = {
        "name": "tiny",
        "created": "2026-01-01T00:00:00Z",
        "codebook_sha": kae.codebook.sha,
        "model": {"max_tokens": MAX_TOKENS},
        "search": dataclasses.asdict(SearchOptions()),
        "fields": kinds,
    }
    write_manifest(directory, manifest)
    return directory
