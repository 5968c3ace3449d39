"""A graph node by node: names, constants, and the few composites that both serving graphs are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, checker, helper, numpy_helper

from slotbeam.types import FloatArray

OPSET = 17
IR_VERSION = 8
EPSILON = 1e-5

Arrays = dict[str, FloatArray]
"""Parameters by their torch names."""


class Nodes:
    """A graph in the making: every method adds to it and returns the name of what it added."""

    def __init__(self, name: str, half: bool) -> None:
        self.name, self.half = name, half
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self.values: dict[str, str] = {}

    def node(self, kind: str, *inputs: str, outputs: int = 1, name: str = "", **attributes: Any) -> Any:
        stem = name or f"{kind.lower()}_{len(self.nodes)}"
        names = [stem] if outputs == 1 else [f"{stem}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def weight(self, name: str, array: FloatArray) -> str:
        """Add a float32 value; stored as float16 and widened at load when the file is a half one."""
        if name in self.values:
            return self.values[name]
        if self.half:
            self.constants[name] = numpy_helper.from_array(array.astype(np.float16), name)
            self.values[name] = self.node("Cast", name, name=f"{name}.f32", to=TensorProto.FLOAT)
        else:
            self.constants[name] = numpy_helper.from_array(array.astype(np.float32), name)
            self.values[name] = name
        return self.values[name]

    def floats(self, name: str, array: FloatArray) -> str:
        """Add a float32 constant, never narrowed."""
        self.constants.setdefault(name, numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name

    def integers(self, name: str, values: Any) -> str:
        """Add an int64 constant, a scalar or an array."""
        self.constants.setdefault(name, numpy_helper.from_array(np.asarray(values, np.int64), name))
        return name

    def ints(self, *values: int) -> str:
        return self.integers("i_" + "_".join(str(value) for value in values).replace("-", "m"), values)

    def index(self, value: int) -> str:
        return self.integers(f"index_{value}", value)

    def reshape(self, x: str, *shape: int) -> str:
        return str(self.node("Reshape", x, self.ints(*shape)))

    def linear(self, x: str, arrays: Arrays, name: str) -> str:
        """x (B, in) through `name`, a torch Linear (out, in)."""
        inputs = [x, self.weight(f"{name}.weight", arrays[f"{name}.weight"])]
        if f"{name}.bias" in arrays:
            inputs.append(self.weight(f"{name}.bias", arrays[f"{name}.bias"]))
        return str(self.node("Gemm", *inputs, transB=1))

    def norm(self, x: str, arrays: Arrays, name: str) -> str:
        scale, bias = (self.weight(f"{name}.{part}", arrays[f"{name}.{part}"]) for part in ("weight", "bias"))
        return str(self.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=EPSILON))

    def feedforward(self, x: str, arrays: Arrays, name: str) -> str:
        hidden = self.node("Relu", self.linear(x, arrays, f"{name}.up"))
        return self.linear(hidden, arrays, f"{name}.down")

    def build(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> GraphProto:
        return helper.make_graph(self.nodes, self.name, inputs, outputs, list(self.constants.values()))


def tensor(name: str, kind: int, *shape: int | str) -> Any:
    """Say what goes into a graph or comes out of it; a text in `shape` is a dimension that varies."""
    return helper.make_tensor_value_info(name, kind, list(shape))


def model_of(graph: GraphProto) -> ModelProto:
    """Return the file of a graph, checked."""
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="slotbeam", ir_version=IR_VERSION
    )
    checker.check_model(model)
    return model
