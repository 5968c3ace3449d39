"""Loading an artifact runs nothing that is in it: no pickle, no marshal, no parser of a model before its hashes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slotbeam.arrays import load_array
from slotbeam.errors import ArtifactError
from slotbeam.indexing.encodedindex import COUNTS
from slotbeam.search.artifact import Artifact, read_manifest, write_manifest
from support.processes import HANG_S

WATCHED = """
import json, marshal, pickle, sys
from pathlib import Path

found = {"unpickled": [], "unmarshalled": [], "allow_pickle": [], "opened": []}
directory = Path(sys.argv[1]).resolve()

def hook(event, arguments):
    if event == "pickle.find_class":
        found["unpickled"].append(str(arguments))
    elif event == "marshal.loads":
        caller = sys._getframe(1).f_code.co_filename
        if not caller.startswith("<frozen "):  # the import system reads its own .pyc files
            found["unmarshalled"].append(caller)
    elif event == "open" and isinstance(arguments[0], str):
        path = Path(arguments[0])
        if path.is_absolute() and path.is_relative_to(directory) and path.is_file():
            found["opened"].append(path.relative_to(directory).as_posix())

sys.addaudithook(hook)

def watched(owner, name):
    real = getattr(owner, name)
    def call(*arguments, **named):
        found["unpickled"].append(f"{owner.__name__}.{name}")
        return real(*arguments, **named)
    setattr(owner, name, call)

for name in ("load", "loads", "Unpickler"):
    watched(pickle, name)
import numpy
real_load = numpy.load
def load(*arguments, **named):
    if named.get("allow_pickle") or len(arguments) > 2 and arguments[2]:
        found["allow_pickle"].append(str(arguments[0]))
    return real_load(*arguments, **named)
numpy.load = load

from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings

artifact = Artifact.load(directory)
snapshot = Snapshot(artifact)
titles = artifact.catalog.titles.take(range(5))
hits = sum(len(retrieve(snapshot, SearchRequest(title, k=20), Timings()).hits) for title in titles)
said = json.dumps({**found, "hits": hits})
pickle.loads(pickle.dumps(Path))
marshal.loads(marshal.dumps(1))
numpy.load(sys.argv[2], allow_pickle=True)
print(said)
print(json.dumps(found))
"""
"""Serves a few queries under the hooks and prints what they saw; then does what they look for, and prints again."""


class Trap:
    """Unpickled, it leaves a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (os.mkdir, (str(self.mark),))


@pytest.fixture
def copy(tiny_artifact: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_artifact, tmp_path / "copy")


def test_nothing_is_unpickled_and_nothing_read_that_the_manifest_does_not_name(
    tiny_artifact: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "object.npy", np.array([None], object), allow_pickle=True)
    argv = [sys.executable, "-c", WATCHED, str(tiny_artifact), str(tmp_path / "object.npy")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=HANG_S, env=environment)
    assert done.returncode == 0, done.stderr
    found, control = map(json.loads, done.stdout.splitlines())
    assert found["hits"] > 0
    assert (found["unpickled"], found["unmarshalled"], found["allow_pickle"]) == ([], [], [])
    assert set(found["opened"]) == {"manifest.json", *read_manifest(tiny_artifact)["files"]} - {COUNTS}
    assert all(control[what] for what in ("unpickled", "unmarshalled", "allow_pickle")), (
        "the hooks see what they are for"
    )


def test_an_array_that_holds_a_pickle_is_refused_and_not_unpickled(copy: Path, tmp_path: Path) -> None:
    arrays = [name for name in read_manifest(copy)["files"] if name.endswith(".npy")]
    assert len(arrays) > 20
    manifest = json.loads((copy / "manifest.json").read_text())
    for name in arrays:
        before = (copy / name).read_bytes()
        np.save(copy / name, np.array([Trap(tmp_path / "trapped")], object), allow_pickle=True)
        write_manifest(copy, manifest)  # whoever can write the directory can make the hashes right, too
        if name != COUNTS:  # a fold alone reads it
            with pytest.raises(ArtifactError):
                Artifact.load(copy)
        with pytest.raises(ArtifactError, match=r"allow_pickle=False|Python objects"):
            load_array(copy / name)
        (copy / name).write_bytes(before)
    assert not (tmp_path / "trapped").exists()
    np.save(tmp_path / "trap.npy", np.array([Trap(tmp_path / "trapped")], object), allow_pickle=True)
    np.load(tmp_path / "trap.npy", allow_pickle=True)
    assert (tmp_path / "trapped").exists(), "the trap works"


def test_no_parser_sees_a_model_before_every_hash_is_right(copy: Path) -> None:
    """No file of it can be parsed: what is told is the wrong hash, wherever it is, and never the garbage."""
    files = sorted(name for name in read_manifest(copy)["files"] if name.startswith("model/"))
    for name in files:
        (copy / name).write_bytes(b"garbage")
    write_manifest(copy, json.loads((copy / "manifest.json").read_text()))
    for name in files:
        (copy / name).write_bytes(b"gar?age")
        with pytest.raises(ArtifactError, match=rf"{re.escape(name)} has sha256 .* manifest\.json says"):
            Artifact.load(copy)
        (copy / name).write_bytes(b"garbage")
    with pytest.raises(ArtifactError) as told:
        Artifact.load(copy)
    assert "sha256" not in str(told.value)
