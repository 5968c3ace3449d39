"""ONNX files that end where they end: a graph whose weights lie in another file is refused before a runtime opens it.

onnxruntime follows such references to wherever they lead (below the model's folder, or the working directory of a model
given as bytes); the artifact's manifest knows nothing of what is there. Reads the protobuf wire format only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slotbeam.errors import ArtifactError

MAX_DEPTH = 64
"""Graphs within graphs; those that slotbeam writes have none."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""Where tensors can be: message → field number → the message in it (onnx.proto, IR 13)."""

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14

_GRAPH, _INITIALIZER = 7, 5
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9
_DTYPES: dict[int | memoryview, str] = {1: "<f4", 10: "<f2"}
"""Fields and types of what `initializer` reads; slotbeam's own graphs store their weights so."""


def read_graph(path: Path) -> bytes:
    """Return the bytes of an ONNX file that refers to no other file. Raises `ArtifactError`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} is missing ({error.strerror}); copy the artifact again") from error
    try:
        external = _refers_outside(memoryview(data), "model", 0)
    except (ValueError, IndexError) as error:
        raise ArtifactError(f"{path} is not a graph: {error}; copy the artifact again") from error
    if external:
        raise ArtifactError(f"{path} keeps weights in another file, which is never opened; export them inside it")
    return data


def initializer(path: Path, name: str) -> NDArray[Any]:
    """Return a weight of an ONNX file by its name, float16 or float32, as it is stored. Raises `ArtifactError`."""
    try:
        graph = _only(memoryview(read_graph(path)), _GRAPH)
        for number, tensor in _fields(graph):
            if (
                number == _INITIALIZER
                and isinstance(tensor, memoryview)
                and bytes(_only(tensor, _NAME)) == name.encode()
            ):
                dtype = _DTYPES[next(value for field, value in _fields(tensor) if field == _DATA_TYPE)]
                shape = [int(value) for field, value in _fields(tensor) if field == _DIMS and isinstance(value, int)]
                return np.frombuffer(_only(tensor, _RAW_DATA), dtype).reshape(shape)
    except (ValueError, IndexError, KeyError, StopIteration) as error:
        raise ArtifactError(f"{path} holds no weight {name}: {error!r}; copy the artifact again") from error
    raise ArtifactError(f"{path} holds no weight {name}; copy the artifact again")


def _only(message: memoryview, number: int) -> memoryview:
    return next(value for field, value in _fields(message) if field == number and isinstance(value, memoryview))


def _refers_outside(message: memoryview, kind: str, depth: int) -> bool:
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    inside = _INSIDE[kind]
    for number, value in _fields(message):
        if kind == "tensor" and number in (_EXTERNAL_DATA, _DATA_LOCATION) and value != 0:
            return True
        if number in inside:
            if isinstance(value, int):
                raise ValueError(f"field {number} of a {kind} is no message")
            if _refers_outside(value, inside[number], depth + 1):
                return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield (number, value) of each field; fixed-width values as bytes. Raises `ValueError`, `IndexError` at damage."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if not 0 < tag < 2**32:
            raise ValueError(f"tag {tag}")
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if wire == _BYTES:
            size, at = _varint(message, at)
        if size is None or at + size > len(message):
            raise ValueError("it is cut short or damaged")
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return the number at `at`, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than ten bytes")
