"""Systems for the registry that need no training."""

from __future__ import annotations

from slotbeam_lab.baselines.registry import Built, Setup
from slotbeam_lab.measures.run import Asked

CALLS: list[tuple[str, int]] = []
"""(built or asked, seed) in order."""


def build_fake(setup: Setup) -> Built:
    """A system that needs no training: items in the order of the catalog, from a place that depends on the seed."""
    from slotbeam.catalog.loaders import load_catalog

    CALLS.append(("built", setup.options.seed))
    ids = [item.id for item in load_catalog(setup.catalog)]

    def search(asked: Asked, k: int) -> list[str]:
        first = (len(asked.query) * 7 + setup.options.seed * 400) % len(ids)
        return (ids[first:] + ids[:first])[:k]

    return Built(search, facts={"steps": 3, "minutes": 0.5})


def build_broken(setup: Setup) -> Built:
    raise RuntimeError("this system cannot be built")
