"""Policy → serving graphs → artifact, and back: the artifact's files are also where a refresh starts from."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from slotbeam.catalog.item import Item
from slotbeam.catalog.table import item_text, write_catalog
from slotbeam.errors import ArtifactError
from slotbeam.kae.encode import Encoded, Kae
from slotbeam.model.onnx import DECODER, ENCODER
from slotbeam.model.tokenizer import START, InputBuilder
from slotbeam.search.artifact import write_manifest
from slotbeam.trie.build import build_trie
from slotbeam.types import IntArray
from slotbeam_train.export.graphs import decoder_graph, encoder_graph
from slotbeam_train.export.nodes import Arrays
from slotbeam_train.lexicon import ABSORBED, Absorbed, write_absorbed
from slotbeam_train.policy.model import Policy
from slotbeam_train.stages.corpus import item_bags, item_texts_of

EXTRA = "extra.npz"
"""Parameters that only training needs: with the graphs' own weights they make up the whole policy."""

TOKENIZER = "tokenizer.json"

_TRAINING_ONLY = (
    "text_place",
    "department.weight",
    "department.bias",
    "item_gate",
    "item_mix.weight",
    "item_mix.bias",
    "item_head.weight",
    "vector_scale",
    "prior_weight",
)


def parameters(model: Policy, half: bool = False) -> Arrays:
    """Return the policy's parameters by torch name, float32; with `half`, rounded to what a float16 file can hold."""
    arrays = {name: value.detach().float().cpu().numpy() for name, value in model.state_dict().items()}
    if half:
        arrays = {name: array.astype(np.float16).astype(np.float32) for name, array in arrays.items()}
    return arrays


def round_to_half(model: Policy) -> None:
    """Round the weights in place to float16's grid: then a half file holds them exactly."""
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(value.half().float())


def export_model(model: Policy, inputs: InputBuilder, directory: Path, half: bool = True) -> None:
    """Write encoder.onnx, decoder.onnx, tokenizer.json and extra.npz into `directory`.

    Args:
        model: the policy; unchanged.
        inputs: its input builder.
        directory: the artifact's `model/`; made when missing.
        half: store weights as float16 (half the bytes); the graphs compute in float32 either way.
    """
    directory.mkdir(parents=True, exist_ok=True)
    arrays = parameters(model, half)
    heads = model.options.heads
    table = arrays["embedding.weight"]
    slots = np.concatenate([table[START : START + 1], table[inputs.layout.slot_start :]])
    encoder = encoder_graph(arrays, heads, inputs.sizes, half)
    decoder = decoder_graph({**arrays, "slots": slots}, heads, inputs.sizes, half)
    for graph, name in ((encoder, ENCODER), (decoder, DECODER)):
        onnx.helper.set_model_props(graph, {"sizes": ",".join(map(str, inputs.sizes))})
        (directory / name).write_bytes(graph.SerializeToString(deterministic=True))
    np.savez(directory / EXTRA, **{name: arrays[name] for name in _TRAINING_ONLY})  # type: ignore[arg-type]
    inputs.save(directory / TOKENIZER)


def read_parameters(directory: Path, heads: int) -> Arrays:
    """Return the reverse of `export_model`: every parameter by its torch name, float32.

    Raises:
        ArtifactError: a file is missing or is no graph of this project.
    """
    arrays: Arrays = {}
    try:
        for name in (ENCODER, DECODER):
            for constant in onnx.load(str(directory / name)).graph.initializer:
                array = numpy_helper.to_array(constant)
                if array.dtype in (np.float16, np.float32):
                    arrays[constant.name] = array.astype(np.float32)
        with (directory / EXTRA).open("rb") as file, np.load(file, allow_pickle=False) as extra:
            arrays.update({name: extra[name] for name in _TRAINING_ONLY})
        width = arrays["embedding.weight"].shape[1]
        for name in [name for name in arrays if name.endswith(".absorbed")]:
            array = arrays.pop(name)
            if name.endswith("query.absorbed"):  # (H, d, dh) → (d, d)
                array = array.transpose(0, 2, 1).reshape(width, width)
            else:  # (H, dh, d) → (d, d), transposed
                array = array.reshape(width, width).T
            arrays[name.replace(".absorbed", ".weight")] = np.ascontiguousarray(array)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{directory} holds no weights to go on from: {error}") from error
    return arrays


def restore(model: Policy, arrays: Arrays) -> list[str]:
    """Put `arrays` into the policy; returns the parameters that did not fit and keep their fresh values."""
    kept: list[str] = []
    with torch.no_grad():
        for name, value in model.named_parameters():
            found = arrays.get(name)
            if found is None or found.shape != tuple(value.shape):
                kept.append(name)
            else:
                value.copy_(torch.from_numpy(found))
    return kept


def item_vectors(model: Policy, inputs: InputBuilder, sids: IntArray, items: Sequence[Item]) -> IntArray:
    """Return (N, e) int8: 127 × the unit vector of each item, for `Catalog.vectors`."""
    bags = torch.from_numpy(item_bags(inputs, np.asarray(sids), item_texts_of(items, inputs)))
    with torch.no_grad():
        parts = [model.item_vectors(part) for part in torch.split(bags, 4096)]
    whole: IntArray = (torch.cat(parts) * 127).round().to(torch.int8).numpy()
    return whole


def export_parts(
    out: Path,
    items: Sequence[Item],
    item_sids: IntArray,
    model: Policy,
    inputs: InputBuilder,
    trained: Sequence[Item],
    texts: Sequence[str],
    half: bool,
) -> dict[str, Any]:
    """Write trie, items and graphs into `out`, and return what the manifest says of the items' fields.

    Args:
        items, item_sids, trained, half: see `export_artifact`.
        texts: canonical text of each item, for lexical overlap.
    """
    build_trie(np.asarray(item_sids)).save(out / "trie")
    vectors = item_vectors(model, inputs, item_sids, trained)
    fields = write_catalog(out / "items", items, item_sids, texts, vectors)
    export_model(model, inputs, out / "model", half)
    return fields


def export_artifact(
    out: Path,
    kae: Kae,
    items: Sequence[Item],
    item_sids: IntArray,
    model: Policy,
    inputs: InputBuilder,
    manifest: dict[str, Any],
    trained: Sequence[Item],
    encoded: Sequence[Encoded],
    half: bool = True,
    absorbed: Sequence[Absorbed] = (),
) -> Path:
    """Write a whole artifact into `out`, the manifest last.

    Args:
        out: a directory that is empty or does not exist.
        items: what is served. item_sids: (N, L), in their order.
        manifest: `name`, `created`, `search`, `training`, `metrics` and whatever else is worth keeping; what the parts
            say of themselves (positions, model, fields, hashes) is added here.
        half: see `export_model`.
        trained: the same items as training saw them, and `encoded`, what was matched in them: item vectors and lexical
            overlap are made of these.
        absorbed: the bindings that became words; a refresh needs them.
    """
    kae.save(out / "kae")
    if absorbed:
        write_absorbed(out / "kae" / ABSORBED, absorbed)
    texts = [f"{item_text(item)} {one.concept_terms}" for item, one in zip(trained, encoded, strict=True)]
    fields = export_parts(out, items, item_sids, model, inputs, trained, texts, half)
    book = kae.codebook
    facts = {
        "codebook_sha": book.sha,
        "positions": [
            {
                "group": book.group_name(position),
                "categories": list(categories),
                "cluster": book.cluster_counts[position],
                "solo": book.solo_counts[position],
                "reserved": book.reserved_counts[position],
            }
            for position, categories in enumerate(book.groups)
        ],
        "model": {
            **dataclasses.asdict(model.options),
            "parameters": sum(value.numel() for value in model.parameters()),
            "text_vocabulary": inputs.layout.text_vocabulary,
            "stored": "float16" if half else "float32",
        },
        "fields": fields,
    }
    write_manifest(out, {**manifest, **facts})
    return out
