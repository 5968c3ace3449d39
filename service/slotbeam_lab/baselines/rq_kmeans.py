"""RQ-kmeans: residual k-means over text vectors, as in QARM (arXiv 2411.11739) and the paper's own comparison."""

from __future__ import annotations

from slotbeam_lab.baselines.closed import Method, build_closed
from slotbeam_lab.baselines.quantise import Material, Quantiser, residual_kmeans, shrinking
from slotbeam_lab.baselines.registry import Built, Setup

LAYERS = 3


def fit(material: Material) -> Quantiser:
    """Three layers, sized by the catalog."""
    return Quantiser(residual_kmeans(material.items, shrinking(len(material.items), LAYERS), material.seed))


METHOD = Method("rq-kmeans", fit, {"layers": LAYERS})


def build(setup: Setup) -> Built:
    return build_closed(setup, METHOD)
