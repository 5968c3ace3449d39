"""An ONNX text encoder as a teacher: onnxruntime and tokenizers are enough."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from slotbeam.errors import SetupError
from slotbeam.types import FloatArray
from slotbeam_train.teacher.prefixes import prefixes_of
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
            longest = (self._tokenizer.truncation or {}).get("max_length", MAX_TOKENS)
            self._tokenizer.enable_truncation(min(MAX_TOKENS, longest))
            self._tokenizer.enable_padding()
            self._inputs = {value.name for value in self._session.get_inputs()}
            outputs = [value.name for value in self._session.get_outputs()]
            wanted = ("sentence_embedding", "last_hidden_state", outputs[0])
            self._output = next(name for name in wanted if name in outputs)
            self._prefixes = prefixes_of(name, _prompts_of(directory))
            self.width = int(self._batch(["a"]).shape[1])
        except Exception as error:  # both libraries raise classes of their own
            raise SetupError(f"the teacher in {directory} cannot be loaded: {error}") from error

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> FloatArray:
        """Return (n, w); see `Teacher.encode`."""
        before = self._prefixes.query if queries else self._prefixes.passage
        told = [before + text for text in texts]
        parts = [self._batch(told[start : start + BATCH]) for start in range(0, len(told), BATCH)]
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
        if found.ndim == 3:  # a vector a token
            found = (found * mask[:, :, None]).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)[:, None]
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), np.float32)


def _prompts_of(directory: Path) -> dict[str, str]:
    path = directory / "config_sentence_transformers.json"
    return json.loads(path.read_text(encoding="utf-8")).get("prompts") or {} if path.is_file() else {}
