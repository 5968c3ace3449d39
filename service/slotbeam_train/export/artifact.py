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

from slotbeam.errors import ArtifactError
from slotbeam.kae.absorbed import ABSORBED
from slotbeam.kae.encode import Kae
from slotbeam.model.itemvectors import PARAMETERS, gate_weights
from slotbeam.model.onnx import DECODER, ENCODER
from slotbeam.model.tokenizer import START, TOKENIZER, InputBuilder
from slotbeam_train.export.graphs import decoder_graph, encoder_graph
from slotbeam_train.export.nodes import Arrays
from slotbeam_train.lexicon import Absorbed, write_absorbed
from slotbeam_train.policy.model import Policy

EXTRA = "extra.npz"
"""Parameters that only training needs: with the graphs' own weights they make up the whole policy."""

_TRAINING_ONLY = (
    "text_place",
    "department.weight",
    "department.bias",
    "item_gate",
    "vector_scale",
    "prior_weight",
)
_OF_ITEMS = ("item_mix.weight", "item_mix.bias", "item_head.weight")


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
    """Write encoder.onnx, decoder.onnx, tokenizer.json, items.npz and extra.npz into `directory`.

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
    weights = gate_weights(table, arrays["item_gate"])
    np.savez(directory / PARAMETERS, weights=weights, **{name: arrays[name] for name in _OF_ITEMS})  # type: ignore[arg-type]
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
        for name, held in ((EXTRA, _TRAINING_ONLY), (PARAMETERS, _OF_ITEMS)):
            with (directory / name).open("rb") as file, np.load(file, allow_pickle=False) as more:
                arrays.update({each: more[each] for each in held})
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


def write_model(
    directory: Path,
    kae: Kae,
    model: Policy,
    inputs: InputBuilder,
    half: bool = True,
    absorbed: Sequence[Absorbed] = (),
) -> dict[str, Any]:
    """Write all that a model is into `directory`, the artifact's `model/`, and return what the manifest says of it.

    Args:
        half: see `export_model`.
        absorbed: the bindings that became words; an index and a refresh need them.
    """
    kae.save(directory / "kae")
    if absorbed:
        write_absorbed(directory / "kae" / ABSORBED, absorbed)
    export_model(model, inputs, directory, half)
    book = kae.codebook
    return {
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
        "shape": dataclasses.asdict(model.options),
        "parameters": sum(value.numel() for value in model.parameters()),
        "text_vocabulary": inputs.layout.text_vocabulary,
        "stored": "float16" if half else "float32",
    }
