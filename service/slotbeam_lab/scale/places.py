"""Where a run at scale keeps its worlds, its model and their indexes; what is there is not made again."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from slotbeam.catalog.loaders import CatalogReader
from slotbeam.indexing.build import build_index
from slotbeam.search.artifact import MANIFEST, read_manifest
from slotbeam_lab.paper import tasks as paper
from slotbeam_lab.scale.options import ScaleOptions, requests_per_item
from slotbeam_lab.world import WorldOptions


@dataclass(frozen=True, slots=True)
class Places:
    """What the units of a run read.

    Attributes:
        options: of the run. out: its directory.
    """

    options: ScaleOptions
    out: Path

    @property
    def demo(self) -> Path:
        """The artifact that is asked as it is."""
        assert self.options.demo is not None
        return self.options.demo

    def world(self, items: int) -> Path:
        """Return the directory of a world, made when it is not there."""
        wanted = WorldOptions(items=items, seed=self.options.seed, requests_per_item=requests_per_item(items))
        return paper.world_at(paper.Place(self.out / "worlds", self.out / "systems"), wanted)

    def model(self) -> Path:
        """Return the artifact whose model encodes every world: the one given, or one trained on the largest world."""
        if self.options.model is not None:
            return self.options.model
        options = self.options
        out = self.out / f"model-{options.items[-1]}-seed{options.seed}-{options.minutes:g}min-{options.sample}"
        if not (out / MANIFEST).is_file():
            from slotbeam_train.command import train
            from slotbeam_train.options import preset

            world = self.world(options.items[-1])
            training = replace(preset("quick", minutes=options.minutes), sample=options.sample, quiet=True)
            train(world, out, logs=world, options=training.seeded(options.seed), resume=True)
        return out

    def index(self, items: int) -> Path:
        """Return the artifact that holds a world's catalog, made when it is not there."""
        model, world = self.model(), self.world(items)
        out = self.out / "indexes" / f"{world.name}-{model_name(model)[:8]}"
        if not (out / MANIFEST).is_file():
            out.parent.mkdir(parents=True, exist_ok=True)
            build_index(model, CatalogReader(world), out, jobs=len(os.sched_getaffinity(0)))
        return out


def model_name(artifact: Path) -> str:
    """Return what names an artifact's model, and how it is searched, to the byte."""
    manifest = read_manifest(artifact)
    said = json.dumps([manifest["model"]["sha"], manifest["search"]], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
