"""Codebooks by residual k-means, alone and with OPQ behind it.

RQ-kmeans: three layers over text vectors, as in QARM (arXiv 2411.11739) and the paper's own comparison.

RQ-OPQ with keyword enhancement: OneSearch's KHQE (arXiv 2509.03236).
`fused = norm(1/2 text + 1/2 mean(matched word vectors))`; three layers of residual k-means code what items share, then
OPQ (Ge et al., 2013) with two sub-codes codes what is left over, an item's own: five positions.
"""

from __future__ import annotations

from slotbeam_lab.baselines.closed import Method, build_closed
from slotbeam_lab.baselines.quantise import Material, Quantiser, product_codes, residual_kmeans, shrinking
from slotbeam_lab.baselines.registry import Built, Setup

LAYERS, PARTS, SIZE = 3, 2, 256


def fit(material: Material) -> Quantiser:
    """Three layers, sized by the catalog."""
    return Quantiser(residual_kmeans(material.items, shrinking(len(material.items), LAYERS), material.seed))


def fit_with_opq(material: Material) -> Quantiser:
    """The three layers, and two sub-codes of 256 on the residual."""
    shared = fit(material)
    residual = material.items - shared.decode(shared.codes(material.items))
    rotation, parts = product_codes(residual, PARTS, SIZE, material.seed + LAYERS)
    return Quantiser(shared.layers, rotation=rotation, parts=parts)


KMEANS = Method("rq-kmeans", fit, {"layers": LAYERS})
OPQ = Method("rq-opq", fit_with_opq, {"layers": LAYERS, "parts": PARTS, "size": SIZE}, keywords=True)


def build_kmeans(setup: Setup) -> Built:
    return build_closed(setup, KMEANS)


def build_opq(setup: Setup) -> Built:
    return build_closed(setup, OPQ)
