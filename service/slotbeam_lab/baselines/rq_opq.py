"""RQ-OPQ with keyword enhancement: OneSearch's KHQE (arXiv 2509.03236).

`fused = norm(1/2 text + 1/2 mean(matched word vectors))`; three layers of residual k-means code what items share, then
OPQ (Ge et al., 2013) with two sub-codes codes what is left over, an item's own: five positions.
"""

from __future__ import annotations

from slotbeam_lab.baselines.closed import Method, build_closed
from slotbeam_lab.baselines.quantise import Material, Quantiser, product_codes, residual_kmeans, shrinking
from slotbeam_lab.baselines.registry import Built, Setup

LAYERS, PARTS, SIZE = 3, 2, 256


def fit(material: Material) -> Quantiser:
    """Three residual layers, sized by the catalog, and two sub-codes of 256 on the residual."""
    shared = Quantiser(residual_kmeans(material.items, shrinking(len(material.items), LAYERS), material.seed))
    residual = material.items - shared.decode(shared.codes(material.items))
    rotation, parts = product_codes(residual, PARTS, SIZE, material.seed + LAYERS)
    return Quantiser(shared.layers, rotation=rotation, parts=parts)


METHOD = Method("rq-opq", fit, {"layers": LAYERS, "parts": PARTS, "size": SIZE}, keywords=True)


def build(setup: Setup) -> Built:
    return build_closed(setup, METHOD)
