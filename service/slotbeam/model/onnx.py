"""The sequence model of serving: encoder.onnx and decoder.onnx under onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read at import: its wheels report use to Microsoft from a thread
import onnxruntime as ort

from slotbeam.errors import ArtifactError
from slotbeam.model.graphfile import read_graph
from slotbeam.types import FloatArray, IntArray

ENCODER, DECODER = "encoder.onnx", "decoder.onnx"

_FIRST = np.zeros(1, np.int64)

Cross = tuple[FloatArray, FloatArray, FloatArray, IntArray]
"""Memory of one row: keys (layers, d, H·T), values (layers, H·T, d), query vector (e,), slots named (L,)."""

StepCache = list[FloatArray]
"""State of one step: for each layer its keys, then its values, each (B, position + 1, d)."""


class OnnxModel:
    """`SequenceModel` on the CPU; safe to call from several threads at once.

    Every row is encoded alone, so its memory is the same to the last bit whatever is asked beside it. Every product of
    a step is taken in float32: a beam's scores depend on the other beams of its batch by rounding alone (some 10⁻⁶
    nats; the runtime's kernel for a row changes with the number of rows), and on the processor likewise.
    """

    def __init__(self, directory: Path, sizes: Sequence[int]) -> None:
        """Load both graphs from `directory`.

        Args:
            directory: the artifact's `model/`.
            sizes: (L,) V_l, from the codebook.

        Raises:
            ArtifactError: a graph is missing, unreadable, or of other sizes.
        """
        self._sizes = tuple(sizes)
        self._encoder = _session(directory / ENCODER)
        self._decoder = _session(directory / DECODER)
        past = [value for value in self._decoder.get_inputs() if value.name.startswith("past_")]
        self._past = [value.name for value in past]
        # The same graph takes the first step: a cache of no positions, so no second graph has to be kept equal to it.
        self._empty: StepCache = [np.zeros((1, 0, value.shape[2]), np.float32) for value in past]
        self._positions = [np.asarray(position, np.int64) for position in range(len(self._sizes))]
        described = self._decoder.get_modelmeta().custom_metadata_map.get("sizes", "")
        if described != ",".join(map(str, self._sizes)):
            raise ArtifactError(
                f"{directory / DECODER} was made for sizes {described or 'unknown'}, the codebook has "
                f"{','.join(map(str, self._sizes))}; copy the artifact again"
            )

    @property
    def sizes(self) -> tuple[int, ...]:
        """(L,) V_l."""
        return self._sizes

    def encode(self, inputs: Sequence[IntArray]) -> list[Cross]:
        """Encode input rows, each (T,), one at a time."""
        # One by one: a kernel sums in another order for another batch, and a binding would move the base group's last
        # bits (docs/decisions/one-row-a-call.md).
        return [self._encode(row) for row in inputs]

    def _encode(self, row: IntArray) -> Cross:
        key, value, vector, named = self._encoder.run(None, {"ids": np.ascontiguousarray(row, np.int64)})
        return key, value, vector, named

    def query_vector(self, memory: Cross) -> FloatArray:
        """Return (e,); see `SequenceModel.query_vector`."""
        return memory[2]

    def step(
        self, memory: Cross, position: int, state: StepCache | None, parent: IntArray, codes: IntArray
    ) -> tuple[FloatArray, StepCache]:
        """Take one decoder step; see `SequenceModel.step`."""
        first = position == 0
        feeds = {
            "parent": _FIRST if first else np.ascontiguousarray(parent, np.int64),
            "codes": _FIRST if first else np.ascontiguousarray(codes, np.int64),
            "position": self._positions[position],
            "named": np.asarray(memory[3][position]),
            "cross_key": memory[0],
            "cross_value": memory[1],
        }
        feeds.update(zip(self._past, self._empty if state is None else state, strict=True))
        logp, *cache = self._decoder.run(None, feeds)
        return logp, cache


def _session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # two were never faster, and took half as much processor time again (docs/log.md)
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # Said and not guessed: bytes are never taken for the runtime's own format, which no check of ours reads.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    graph = read_graph(path)
    try:
        return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own classes, none of them public
        raise ArtifactError(f"{path} is not a graph that onnxruntime can load: {error}") from error
