"""An ONNX text encoder as a teacher: onnxruntime and tokenizers are enough."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from slotbeam.errors import SetupError
from slotbeam.types import FloatArray
from slotbeam_train.teacher.protocol import MAX_TOKENS

BATCH = 32


def graph_of(directory: Path) -> Path | None:
    """Return the graph of a directory, None where it has none."""
    return next((path for name in ("model.onnx", "onnx/model.onnx") if (path := directory / name).is_file()), None)


class OnnxTeacher:
    """The mean of the last hidden states of a text's tokens, or the `sentence_embedding` of a graph that gives one.

    Args:
        directory: with the graph and `tokenizer.json`.
        name: what it is called.

    Raises:
        SetupError: it cannot be loaded.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._directory, self.name = directory, name
        try:
            self._session = ort.InferenceSession(str(graph_of(directory)), providers=["CPUExecutionProvider"])
            self._tokenizer = self.tokenizer()
        except Exception as error:  # both libraries raise classes of their own
            raise SetupError(f"the teacher in {directory} cannot be loaded: {error}") from error
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        self._inputs = {value.name for value in self._session.get_inputs()}
        outputs = [value.name for value in self._session.get_outputs()]
        self._pooled = "sentence_embedding" in outputs
        self._output = "sentence_embedding" if self._pooled else outputs[0]
        self.width = int(self._batch(["a"]).shape[1])

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> FloatArray:
        """Return (n, w); see `Teacher.encode`."""
        parts = [self._batch(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate([np.zeros((0, self.width), np.float32), *parts])

    def tokenizer(self) -> Tokenizer:
        """Return the one beside the graph; see `Teacher.tokenizer`."""
        return Tokenizer.from_file(str(self._directory / "tokenizer.json"))

    def _batch(self, texts: Sequence[str]) -> FloatArray:
        read = self._tokenizer.encode_batch(list(texts))
        mask = np.array([one.attention_mask for one in read], np.int64)
        feeds = {"input_ids": np.array([one.ids for one in read], np.int64), "attention_mask": mask}
        feeds["token_type_ids"] = np.zeros_like(mask)
        (found,) = self._session.run([self._output], {key: feeds[key] for key in feeds if key in self._inputs})
        if not self._pooled and found.ndim == 3:
            found = (found * mask[:, :, None]).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)[:, None]
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), np.float32)
