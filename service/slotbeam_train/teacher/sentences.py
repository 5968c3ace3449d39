"""A sentence-transformers model as a teacher."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from tokenizers import Tokenizer

from slotbeam.errors import SetupError
from slotbeam.types import FloatArray
from slotbeam_train.stages.loop import precision_of
from slotbeam_train.teacher.protocol import MAX_TOKENS

BATCH = 64


class SentenceTeacher:
    """A transformer by its directory or its name on a hub.

    Args:
        model: the directory or the name.
        name: what it is called.

    Raises:
        SetupError: it cannot be loaded.
    """

    def __init__(self, model: str, name: str) -> None:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self._model = SentenceTransformer(model, device="cuda" if torch.cuda.is_available() else "cpu")
        except (OSError, ValueError, RuntimeError) as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SetupError(f"the teacher {model} cannot be loaded: {said}") from error
        self._model.max_seq_length = min(MAX_TOKENS, self._model.max_seq_length or MAX_TOKENS)
        self.name, self.width = name, len(self._model.encode("a"))
        # Half as long where the processor multiplies such numbers, and the vectors differ by less than a hundredth.
        self._half = precision_of("auto", self._model.device) is torch.bfloat16

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> FloatArray:
        """Return (n, w); see `Teacher.encode`."""
        if not len(texts):
            return np.zeros((0, self.width), np.float32)
        encode = self._model.encode_query if queries else self._model.encode_document
        with torch.inference_mode(), torch.autocast(self._model.device.type, torch.bfloat16, enabled=self._half):
            found = encode(list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, np.float32)

    def tokenizer(self) -> Tokenizer | None:
        """Return the model's own; see `Teacher.tokenizer`."""
        own = getattr(self._model.tokenizer, "backend_tokenizer", self._model.tokenizer)
        return Tokenizer.from_str(own.to_str()) if isinstance(own, Tokenizer) else None
