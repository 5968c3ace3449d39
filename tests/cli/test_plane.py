"""How a command makes the application of one plane."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from fastapi import FastAPI

from slotbeam.cli.plane import load_plane
from slotbeam.items.replica.indexes import Indexes
from slotbeam.items.switch import IndexMark
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings, read_settings


def test_a_plane_is_made_of_the_index_that_took_the_artifacts_place(tiny_artifact: Path, tmp_path: Path) -> None:
    settings = read_settings(artifact=tiny_artifact, data_dir=tmp_path / "data", index_dir=tmp_path / "indexes")
    made: list[Path] = []

    def create(_: Settings, artifact: Artifact) -> FastAPI:
        made.append(artifact.directory)
        return FastAPI()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        load_plane(create, settings, listener)
        index = shutil.copytree(tiny_artifact, tmp_path / "indexes" / "next")
        manifest = (index / "manifest.json").read_text().replace('"tiny"', '"next"', 1)
        (index / "manifest.json").write_text(manifest)
        Indexes.of(settings).remember(IndexMark.of(Artifact.load(index), "next"))
        load_plane(create, settings, listener)
    assert made == [tiny_artifact.resolve(), index.resolve()]
