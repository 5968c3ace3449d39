"""Word vectors for clustering: which other words a word occurs with, and which letters it is made of."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from scipy import sparse

FloatMatrix = np.ndarray


def word_vectors(
    words: Sequence[str], occurrences: Sequence[Sequence[int]], size: int = 48, letters: int = 16, seed: int = 0
) -> FloatMatrix:
    """(N, size + letters) float32 unit rows: SVD of the PPMI of co-occurrence, and hashed character trigrams.

    Args:
        words: (N,) canonical words.
        occurrences: for every text, the distinct word numbers in it.
        size: dimensions for co-occurrence; letters: for trigrams.
        seed: of the SVD.
    """
    shape = _letters(words, letters)
    context = _context(len(words), occurrences, size, seed)
    return np.hstack([context, 0.5 * shape]).astype(np.float32)


def _context(count: int, occurrences: Sequence[Sequence[int]], size: int, seed: int) -> FloatMatrix:
    from sklearn.utils.extmath import randomized_svd

    rows = np.repeat(np.arange(len(occurrences)), [len(own) for own in occurrences])
    columns = np.fromiter((n for own in occurrences for n in own), dtype=np.int64, count=len(rows))
    texts = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(occurrences), count))
    frequency = np.asarray(texts.sum(axis=0)).ravel()
    anchors = np.argsort(-frequency, kind="stable")[:4096]  # the frequent words are context enough
    together = (texts.T @ texts[:, anchors]).tocoo()
    keep = together.row != anchors[together.col]
    row, column, value = together.row[keep], together.col[keep], together.data[keep]
    expected = np.maximum(frequency[row], 1) * frequency[anchors][column] / max(1, len(occurrences))
    ppmi = np.maximum(0.0, np.log(value / expected))
    matrix = sparse.csr_matrix((ppmi, (row, column)), shape=(count, len(anchors)))
    rank = min(size, min(matrix.shape) - 1)
    out = np.zeros((count, size))
    if rank >= 1 and matrix.nnz:
        left, values, _ = randomized_svd(matrix, rank, n_iter=3, random_state=seed)
        out[:, :rank] = left * np.sqrt(values)
    return _unit(out)


def _letters(words: Sequence[str], size: int) -> FloatMatrix:
    out = np.zeros((len(words), size))
    for n, word in enumerate(words):
        padded = f"^{word}$"
        for at in range(max(1, len(padded) - 2)):
            code = zlib.crc32(padded[at : at + 3].encode())
            out[n, code % size] += 1.0 if code & 0x10000 else -1.0
    return _unit(out)


def _unit(matrix: FloatMatrix) -> FloatMatrix:
    norm = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(norm > 0, norm, 1.0)
