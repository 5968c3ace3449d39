"""Policy → serving graphs → artifact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch

from slotbeam.model.onnx import DECODER, ENCODER
from slotbeam.model.tokenizer import START, InputBuilder
from slotbeam.train.graphs import Arrays, decoder_graph, encoder_graph
from slotbeam.train.model import Policy

EXTRA = "extra.npz"
"""Parameters that only training needs, so that `train --from` starts where the artifact ended."""


def parameters(model: Policy, half: bool = False) -> Arrays:
    """The policy's parameters by torch name, float32; with `half`, rounded to what a float16 file can hold."""
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
    encoder = encoder_graph(arrays, heads, half)
    decoder = decoder_graph({**arrays, "slots": slots}, heads, inputs.sizes, half)
    onnx.helper.set_model_props(decoder, {"sizes": ",".join(map(str, inputs.sizes))})
    onnx.save_model(encoder, str(directory / ENCODER))
    onnx.save_model(decoder, str(directory / DECODER))
    inputs.save(directory / "tokenizer.json")
