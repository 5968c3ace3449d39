"""Whether what is said to be likely is: reliability of relevance, and how well confidence tells queries apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from slotbeam.search.artifact import Artifact
from slotbeam.search.calibration import OF_ITEM, Calibration
from slotbeam.types import BoolArray, FloatArray
from slotbeam_train.export.calibrate import fit, judged_evidence

BINS, FOLDS = 10, 10


class Bin(NamedTuple):
    """Pairs whose relevance is about the same: how many, their mean relevance, and the share that is relevant."""

    pairs: int
    said: float
    true: float


def said_of_others(
    artifact: Artifact, judged: Mapping[str, Mapping[str, bool]], seed: int = 0, folds: int = FOLDS
) -> tuple[FloatArray, BoolArray]:
    """Return the relevances (n,) of judged pairs by fits that saw none of their query, and which are relevant (n,).

    Args:
        artifact: whose calibration is fitted.
        judged: query → item id → whether it is relevant.
        seed: of which queries are left out together.
        folds: how many fits.
    """
    queries = [list(judged)[i] for i in np.random.default_rng(seed).permutation(len(judged)).tolist()]
    pairs = {query: judged_evidence(artifact, {query: judged[query]}) for query in queries}
    said: list[FloatArray] = [np.empty(0)]
    true: list[BoolArray] = [np.empty(0, np.bool_)]
    for fold in range(min(folds, len(queries))):
        others = [pairs[query] for number, query in enumerate(queries) if number % folds != fold]
        evidence, labels = (np.concatenate(column) for column in zip(*others, strict=True))
        fitted = Calibration(fit(evidence, labels, OF_ITEM))
        for query in queries[fold::folds]:
            said.append(fitted.relevance_of(pairs[query][0]))
            true.append(pairs[query][1])
    return np.concatenate(said), np.concatenate(true)


def reliability(said: FloatArray, true: BoolArray) -> list[Bin]:
    """Return the bins of equal width that hold pairs.

    Args:
        said: (n,) relevances in [0, 1].
        true: (n,) whether each is relevant.
    """
    place = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    held = [place == number for number in range(BINS) if (place == number).any()]
    return [Bin(int(own.sum()), float(said[own].mean()), float(true[own].mean())) for own in held]


def calibration_error(said: FloatArray, true: BoolArray) -> float:
    """Return ECE: the mean of |said − true| over the bins, each by its share of the pairs."""
    return sum(own.pairs * abs(own.said - own.true) for own in reliability(said, true)) / len(said)


def auc(good: Sequence[float], bad: Sequence[float]) -> float:
    """Return the chance that one of the good has more than one of the bad; half of it where they have the same."""
    above = np.subtract.outer(np.asarray(good), np.asarray(bad))
    return float((above > 0).mean() + 0.5 * (above == 0).mean())


def draw_reliability(curves: dict[str, list[Bin]], path: Path) -> None:
    """Draw said against true, one line a curve."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    for name, bins in curves.items():
        axes.plot([own.said for own in bins], [own.true for own in bins], marker="o", label=name)
    axes.set(xlabel="relevance", ylabel="share that is relevant", xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight")
    pyplot.close(figure)
