"""The serving graphs, written node by node: encoder.onnx and decoder.onnx (docs/artifact.md, "Graphs").

Hand-built rather than traced: shapes, node order and bytes are ours, and three things a tracer would not do are done
here. Cross-attention is *absorbed*: `W_q K_hᵀ` and `V_h W_o` are computed once per row by the encoder graph, so a beam
pays two plain matrix products of width H·T and no transposes. Self-attention over at most L keys is elementwise, with
heads summed by a (d, H) matrix of ones. The output head of a position is its own subgraph, so only its V_l rows are
multiplied and the matrix is packed once, at load.

Symbols: T input ids, B beams, P keys already cached (= position), d width, H heads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto

from slotbeam.model.tokenizer import RECENT, SEEN, TEXT
from slotbeam_train.export.nodes import Arrays, Nodes, model_of, tensor


def encoder_graph(arrays: Arrays, heads: int, sizes: Sequence[int], half: bool) -> ModelProto:
    """Write the encoder of one row.

    Input: `ids` (T,) int64. Outputs: `cross_key` (layers, d, H·T), `cross_value` (layers, H·T, d), `query_vector` (e,),
    `named` (L,) int64.

    Args:
        arrays: parameters of a `Policy`.
        heads: H.
        sizes: (L,) V_l.
        half: store weights as float16; the arithmetic stays float32.
    """
    graph = Nodes("encoder", half)
    width = arrays["embedding.weight"].shape[1]
    size = width // heads
    tokens = graph.node("Shape", "ids")  # (1,)
    place = graph.node(
        "Slice", graph.weight("encoder_place", arrays["encoder_place"]), graph.ints(0), tokens, graph.ints(0)
    )
    table = graph.weight("embedding.weight", arrays["embedding.weight"])
    x = graph.node("Add", graph.node("Gather", table, "ids"), place)
    scale = graph.floats("scale", np.asarray(size**-0.5))

    def split(y: str, *order: int) -> str:
        """(T, d) → heads apart, in the given axis order of (T, H, dh)."""
        return str(graph.node("Transpose", graph.reshape(y, -1, heads, size), perm=list(order)))

    for layer in _layers(arrays, "encoder"):
        name = f"encoder.{layer}"
        y = graph.norm(x, arrays, f"{name}.norm1")
        q = graph.node("Mul", graph.linear(y, arrays, f"{name}.attention.query"), scale)
        k, v = graph.node("Split", graph.linear(y, arrays, f"{name}.attention.key_value"), axis=1, outputs=2)
        scores = graph.node("MatMul", split(q, 1, 0, 2), split(k, 1, 2, 0))  # (H, T, T)
        weights = graph.node("Softmax", scores, axis=-1)
        mixed = graph.node("Transpose", graph.node("MatMul", weights, split(v, 1, 0, 2)), perm=[1, 0, 2])  # (T, H, dh)
        x = graph.node("Add", x, graph.linear(graph.reshape(mixed, -1, width), arrays, f"{name}.attention.out"))
        y = graph.norm(x, arrays, f"{name}.norm2")
        x = graph.node("Add", x, graph.feedforward(y, arrays, f"{name}.feedforward"))
    memory = graph.norm(x, arrays, "encoder_norm")

    keys, values = [], []
    for layer in _layers(arrays, "decoder"):
        name = f"decoder.{layer}.cross"
        k, v = graph.node("Split", graph.linear(memory, arrays, f"{name}.key_value"), axis=1, outputs=2)
        k = graph.node("Mul", k, scale)
        query = arrays[f"{name}.query.weight"].reshape(heads, size, width).transpose(0, 2, 1)  # (H, d, dh)
        out = arrays[f"{name}.out.weight"].T.reshape(heads, size, width)  # (H, dh, d)
        key = graph.node("MatMul", graph.weight(f"{name}.query.absorbed", query), split(k, 1, 2, 0))  # (H, d, T)
        value = graph.node("MatMul", split(v, 1, 0, 2), graph.weight(f"{name}.out.absorbed", out))  # (H, T, d)
        keys.append(graph.reshape(graph.node("Transpose", key, perm=[1, 0, 2]), 1, width, -1))
        values.append(graph.reshape(value, 1, -1, width))
    _named(graph, arrays["embedding.weight"].shape[0] - sum(sizes), sizes)
    head = graph.weight("query_head.weight", arrays["query_head.weight"])
    gathered = graph.node("Gather", memory, graph.index(0), axis=0)
    direction = graph.node("LpNormalization", graph.node("MatMul", head, gathered), axis=-1, p=2)
    length = graph.floats("vector_length", np.exp(arrays["vector_scale"]))
    graph.node("Mul", direction, length, name="query_vector")
    graph.node("Concat", *keys, axis=0, name="cross_key")
    graph.node("Concat", *values, axis=0, name="cross_value")
    layers = len(keys)
    return model_of(
        graph.build(
            [tensor("ids", TensorProto.INT64, "T")],
            [
                tensor("cross_key", TensorProto.FLOAT, layers, width, "HT"),
                tensor("cross_value", TensorProto.FLOAT, layers, "HT", width),
                tensor("query_vector", TensorProto.FLOAT, len(arrays["query_head.weight"])),
                tensor("named", TensorProto.INT64, len(sizes)),
            ],
        )
    )


def _named(graph: Nodes, slot_start: int, sizes: Sequence[int]) -> None:
    """Add `named` (L,): the slots before the row's text and history, 0 where it has none at a position."""
    first = slot_start + np.concatenate([[0], np.cumsum(sizes[:-1])])
    offsets, last = graph.integers("offsets", first), graph.integers("last", np.asarray(sizes) - 1)
    marks = [graph.node("Equal", "ids", graph.index(mark)) for mark in (TEXT, RECENT, SEEN)]
    passed = graph.node("Cast", graph.node("Or", graph.node("Or", *marks[:2]), marks[2]), to=TensorProto.INT64)
    own = graph.node("Equal", graph.node("CumSum", passed, graph.index(0)), graph.index(0))  # (T,)
    codes = graph.node("Sub", graph.node("Unsqueeze", "ids", graph.ints(1)), offsets)  # (T, L)
    fits = graph.node("And", graph.node("Greater", codes, graph.index(0)), graph.node("LessOrEqual", codes, last))
    inside = graph.node("And", fits, graph.node("Unsqueeze", own, graph.ints(1)))
    held = graph.node("Where", inside, codes, graph.index(0))
    graph.node("ReduceMax", held, axes=[0], keepdims=0, name="named")


def decoder_graph(arrays: Arrays, heads: int, sizes: Sequence[int], half: bool) -> ModelProto:
    """Write the decoder: one step of all beams of one row, any position.

    Inputs: `parent` (B,) int64, `codes` (B,) int64, `position` () int64, `named` () int64 (the slot that the row names
    at this position, 0 for none), `cross_key` (layers, d, H·T),
    `cross_value` (layers, H·T, d), and for each layer n `past_key_n` and `past_value_n` (B', P, d).
    Outputs: `logp` (B, V_position), and for each layer `key_n` and `value_n` (B, P + 1, d).
    At position 0: B = B' = 1, parent = codes = [0], P = 0.

    Args:
        arrays: parameters, with `slots` = start row + slot rows of the shared table (1 + ΣV, d).
        heads: H.
        sizes: (L,) V_l.
        half: store weights as float16.
    """
    graph = Nodes("decoder", half)
    width = arrays["slots"].shape[1]
    layers, positions = len(_layers(arrays, "decoder")), len(sizes)
    table = graph.weight("slots", arrays["slots"])
    starts = np.concatenate([[0, 1], 1 + np.cumsum(sizes[:-1])])[:positions]  # table row of code 0 of position - 1
    first = graph.node("Gather", graph.integers("starts", starts), "position")
    x = graph.node("Gather", table, graph.node("Add", "codes", first))
    x = graph.node("Add", x, graph.node("Gather", graph.weight("decoder_place", arrays["decoder_place"]), "position"))
    ones = np.kron(np.eye(heads), np.ones((width // heads, 1)))  # (d, H): sums within a head
    gather_heads = graph.floats("gather_heads", ones * (width // heads) ** -0.5)
    spread_heads = graph.floats("spread_heads", ones.T)

    for layer in range(layers):
        name = f"decoder.{layer}"
        y = graph.norm(x, arrays, f"{name}.norm1")
        q = graph.linear(y, arrays, f"{name}.attention.query")
        k, v = graph.node("Split", graph.linear(y, arrays, f"{name}.attention.key_value"), axis=1, outputs=2)
        key = _extend(graph, "key", layer, k)  # (B, P + 1, d)
        value = _extend(graph, "value", layer, v)
        scores = graph.node("MatMul", graph.node("Mul", graph.node("Unsqueeze", q, graph.ints(1)), key), gather_heads)
        weights = graph.node("Softmax", scores, axis=1)  # (B, P + 1, H)
        mixed = graph.node("Mul", graph.node("MatMul", weights, spread_heads), value)
        mixed = graph.node("ReduceSum", mixed, graph.ints(1), keepdims=0)  # (B, d)
        x = graph.node("Add", x, graph.linear(mixed, arrays, f"{name}.attention.out"))
        y = graph.norm(x, arrays, f"{name}.norm2")
        scores = graph.node("MatMul", y, graph.node("Gather", "cross_key", graph.index(layer), axis=0))  # (B, H·T)
        weights = graph.node("Softmax", graph.node("Reshape", scores, graph.ints(0, heads, -1)), axis=-1)
        weights = graph.node("Reshape", weights, graph.node("Shape", scores))
        mixed = graph.node("MatMul", weights, graph.node("Gather", "cross_value", graph.index(layer), axis=0))
        bias = graph.weight(f"{name}.cross.out.bias", arrays[f"{name}.cross.out.bias"])
        x = graph.node("Add", x, graph.node("Add", mixed, bias))
        y = graph.norm(x, arrays, f"{name}.norm3")
        x = graph.node("Add", x, graph.feedforward(y, arrays, f"{name}.feedforward"))
    hidden = graph.norm(x, arrays, "decoder_norm")
    bounds = [1 + int(bound) for bound in np.concatenate([[0], np.cumsum(sizes)])]
    bias = graph.weight("slot_bias", arrays["slot_bias"])

    def head(position: int) -> GraphProto:
        """Logits of one position; the slices of constants fold away at load."""
        branch = Nodes(f"head_{position}", half)
        rows = _rows(branch, table, bounds[position], bounds[position + 1])
        offsets = _rows(branch, bias, bounds[position] - 1, bounds[position + 1] - 1)
        branch.node("Gemm", hidden, rows, offsets, transB=1, name=f"logits_{position}")
        return branch.build([], [tensor(f"logits_{position}", TensorProto.FLOAT, "B", sizes[position])])

    logits = _choose(graph, positions, head)
    bias = graph.node("Gather", graph.weight("pass_bias", arrays["pass_bias"]), "position")
    weight = graph.weight("pass_on.weight", arrays["pass_on.weight"])
    raised = graph.node("Add", graph.node("Gemm", hidden, weight, transB=1), bias)  # (B, 1)
    width_of = graph.node("Gather", graph.node("Shape", logits), graph.index(1), axis=0)
    slots = graph.node("Range", graph.index(0), width_of, graph.index(1))  # (V,)
    which = graph.node("And", graph.node("Equal", slots, "named"), graph.node("Greater", slots, graph.index(0)))
    passed = graph.node("Mul", raised, graph.node("Cast", which, to=TensorProto.FLOAT))  # (B, V)
    graph.node("LogSoftmax", graph.node("Add", logits, passed), axis=-1, name="logp")
    state = [f"{part}_{layer}" for layer in range(layers) for part in ("key", "value")]
    return model_of(
        graph.build(
            [
                tensor("parent", TensorProto.INT64, "B"),
                tensor("codes", TensorProto.INT64, "B"),
                tensor("position", TensorProto.INT64),
                tensor("named", TensorProto.INT64),
                tensor("cross_key", TensorProto.FLOAT, layers, width, "HT"),
                tensor("cross_value", TensorProto.FLOAT, layers, "HT", width),
                *(tensor(f"past_{name}", TensorProto.FLOAT, "B'", "P", width) for name in state),
            ],
            [
                tensor("logp", TensorProto.FLOAT, "B", "V"),
                *(tensor(name, TensorProto.FLOAT, "B", "P + 1", width) for name in state),
            ],
        )
    )


def _extend(graph: Nodes, part: str, layer: int, new: str) -> str:
    """Add the layer's past (B', P, d) at each beam's parent, with new (B, d) behind it."""
    kept = graph.node("Gather", f"past_{part}_{layer}", "parent", axis=0)
    return str(graph.node("Concat", kept, graph.node("Unsqueeze", new, graph.ints(1)), axis=1, name=f"{part}_{layer}"))


def _rows(graph: Nodes, table: str, first: int, last: int) -> str:
    return str(graph.node("Slice", table, graph.ints(first), graph.ints(last), graph.ints(0)))


def _choose(graph: Nodes, positions: int, head: Callable[[int], GraphProto]) -> str:
    """Add a chain of If nodes: the subgraph of the asked position alone runs."""

    def chain(outer: Nodes, position: int) -> str:
        if position == positions - 1:
            branch = head(position)
            outer.nodes.extend(branch.node)
            outer.constants.update({constant.name: constant for constant in branch.initializer})
            return f"logits_{position}"
        rest = Nodes(f"beyond_{position}", outer.half)
        last = chain(rest, position + 1)
        otherwise = rest.build([], [tensor(last, TensorProto.FLOAT, "B", f"V_{position}")])
        here = outer.node("Equal", "position", outer.integers(f"position_{position}", position), name=f"at_{position}")
        name = f"chosen_{position}"
        return str(outer.node("If", here, name=name, then_branch=head(position), else_branch=otherwise))

    return chain(graph, 0)


def _layers(arrays: Arrays, stem: str) -> range:
    return range(len({name.split(".")[1] for name in arrays if name.startswith(f"{stem}.")}))
