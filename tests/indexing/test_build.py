"""An index of any catalog: the same bytes however it is made, whole or not at all."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from slotbeam.catalog.inmemory import item_source, write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import CatalogReader
from slotbeam.catalog.table import Catalog
from slotbeam.errors import ArtifactError, InputError, SetupError
from slotbeam.indexing.build import build_index
from slotbeam.indexing.encode import ItemEncoder
from slotbeam.kae.encode import Kae
from slotbeam.language.fold import Folding
from slotbeam.search.artifact import FORMAT, Artifact, read_manifest, verify
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings
from support.processes import CLI, HANG_S, environment, wait_for
from support.shop import make_items
from support.tiny import MAX_TOKENS
from support.trees import bytes_of


def written(path: Path, items: Sequence[Item]) -> Path:
    path.write_bytes(b"\n".join(map(item_source, items)))
    return path


def index_of(out: Path) -> dict[str, bytes]:
    return bytes_of(out / "index")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 000 items: more than one block, so that processes have something to share."""
    return written(tmp_path_factory.mktemp("catalog") / "items.jsonl", make_items(3000, seed=3))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path, catalog: Path) -> Path:
    out = tmp_path_factory.mktemp("whole") / "artifact"
    build_index(tiny_artifact, CatalogReader(catalog), out)
    return out


def test_what_is_made_is_an_artifact_that_serves(whole: Path, tiny_artifact: Path) -> None:
    artifact = Artifact.load(whole)
    verify(whole, artifact.manifest)
    assert bytes_of(whole / "model") == bytes_of(tiny_artifact / "model")
    assert len(artifact.catalog) == artifact.manifest["index"]["items"] == 3000
    hits = retrieve(Snapshot(artifact), SearchRequest("red mug", k=20), Timings()).hits
    assert len(hits) == 20
    assert {path.name for path in whole.parent.iterdir()} == {"artifact"}, "nothing is left beside it"


def test_the_index_of_a_stream_is_that_of_the_items_in_memory(whole: Path, tiny_artifact: Path, tmp_path: Path) -> None:
    items = make_items(3000, seed=3)
    folding = Folding.load(whole / "index" / "language")
    kae = Kae.load(tiny_artifact / "model" / "kae", folding)
    encoded = [kae.encode_item(item) for item in items]
    concepts = [one.concept_terms for one in encoded]
    encoder = ItemEncoder.load(tiny_artifact / "model", MAX_TOKENS, whole / "index" / "language")
    vectors = encoder.columns([(item, b"{}") for item in items]).vectors
    write_catalog(tmp_path, items, np.array([one.sid for one in encoded]), concepts, vectors, folding)
    made = {name: data for name, data in index_of(whole).items() if not name.startswith(("trie/", "language/"))}
    assert bytes_of(tmp_path) == made


@pytest.mark.parametrize(("jobs", "run_items"), [(1, 1), (1, 1500), (2, 700), (3, 10**9)])
def test_processes_and_runs_change_no_byte(
    whole: Path, tiny_artifact: Path, catalog: Path, tmp_path: Path, jobs: int, run_items: int
) -> None:
    build_index(tiny_artifact, CatalogReader(catalog), tmp_path / "out", jobs, run_items=run_items)
    assert index_of(tmp_path / "out") == index_of(whole)


def test_the_order_in_which_items_come_changes_no_byte(whole: Path, tiny_artifact: Path, tmp_path: Path) -> None:
    items = make_items(3000, seed=3)
    shuffled = [items[i] for i in np.random.default_rng(1).permutation(len(items)).tolist()]
    path = written(tmp_path / "items.jsonl", shuffled)
    build_index(tiny_artifact, CatalogReader(path), tmp_path / "out", run_items=500)
    assert index_of(tmp_path / "out") == index_of(whole)


def test_an_index_is_made_again_from_the_sources_that_it_holds(
    whole: Path, tiny_artifact: Path, tmp_path: Path
) -> None:
    held = Artifact.load(whole).catalog
    path = tmp_path / "items.jsonl"
    path.write_bytes(b"\n".join(held.source(row) for row in range(len(held))))
    build_index(tiny_artifact, CatalogReader(path), tmp_path / "out")
    assert index_of(tmp_path / "out") == index_of(whole)


def test_wrong_rows_are_left_out_up_to_a_number_and_counted(tiny_artifact: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "items.jsonl", make_items(50))
    path.write_bytes(path.read_bytes() + b'\n{"id": "x"}\n{"id": "i001", "title": "twice"}\n')
    with pytest.raises(InputError, match="in 2 rows, 1 may be left out"):
        build_index(tiny_artifact, CatalogReader(path, skip_bad=1), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    manifest = build_index(tiny_artifact, CatalogReader(path, skip_bad=2), tmp_path / "out")
    assert (manifest["index"]["items"], manifest["index"]["catalog"]["left_out"]) == (50, 2)


def test_a_catalog_without_items_is_refused_and_nothing_is_left(tiny_artifact: Path, tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text("")
    with pytest.raises(InputError, match="there is no item in"):
        build_index(tiny_artifact, CatalogReader(tmp_path / "items.jsonl", format="jsonl"), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["items.jsonl"]


def test_a_directory_that_is_no_artifact_is_never_replaced(tiny_artifact: Path, catalog: Path, tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(b"meow")
    with pytest.raises(SetupError, match="is no artifact"):
        build_index(tiny_artifact, CatalogReader(catalog), tmp_path)


def test_an_artifact_may_be_replaced_by_its_own_next_index(tiny_artifact: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    few = written(tmp_path / "items.jsonl", make_items(9))
    build_index(whole, CatalogReader(few), out, name="few")
    build_index(out, CatalogReader(few), out)
    assert read_manifest(out)["name"] == "few"
    assert len(Artifact.load(out).catalog) == 9


def test_a_damaged_model_is_refused_by_name(tiny_artifact: Path, catalog: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_artifact, tmp_path / "copy")
    path = copy / "model" / "items.npz"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ArtifactError, match=r"model/items\.npz has sha256"):
        build_index(copy, CatalogReader(catalog), tmp_path / "out")


def run(*arguments: object, **more: object) -> subprocess.CompletedProcess[str]:
    argv = [*CLI, "index", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=HANG_S, env=environment(), **more)  # type: ignore[call-overload, no-any-return]


def test_the_command_makes_an_index_says_what_it_holds_and_verifies_it(
    whole: Path, tiny_artifact: Path, catalog: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = run("--model", tiny_artifact, "--catalog", catalog, "--out", out, "--jobs", 2, "--name", "mine")
    assert done.returncode == 0, done.stderr
    assert f"{out} holds 3000 items" in done.stdout
    assert index_of(out) == index_of(whole)
    assert read_manifest(out)["name"] == "mine"
    assert run("verify", out).returncode == 0
    path = out / "index" / "items" / "titles.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    done = run("verify", out)
    assert done.returncode == 1
    assert "index/items/titles.npy has sha256" in done.stderr
    Artifact.load(out)  # of the index only sizes are looked at


def test_the_command_says_what_is_missing() -> None:
    done = run("--out", "x")
    assert done.returncode == 1
    assert "--model, --catalog missing" in done.stderr


def test_a_disk_that_is_full_is_said_and_leaves_nothing(tiny_artifact: Path, catalog: Path, tmp_path: Path) -> None:
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    out = tmp_path / "out"
    done = run("--model", tiny_artifact, "--catalog", catalog, "--out", out, preexec_fn=no_large_files)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_killed_worker_ends_the_command_with_what_to_do_and_leaves_nothing(
    tiny_artifact: Path, catalog: Path, tmp_path: Path
) -> None:
    argv = [*CLI, "index", "--model", str(tiny_artifact), "--catalog", str(catalog), "--out", str(tmp_path / "out")]
    process = subprocess.Popen([*argv, "--jobs", "2"], stderr=subprocess.PIPE, text=True, env=environment())
    try:
        # It has just begun: it still imports what it needs to answer its first block.
        os.kill(wait_for(lambda: next(iter(workers_of(process.pid)), None)), signal.SIGKILL)
        _, said = process.communicate(timeout=HANG_S)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "was killed" in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


def workers_of(pid: int) -> list[int]:
    """Return the processes that encode: those below `pid` which are no helper of multiprocessing's own."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return [child for child, command in commands.items() if b"spawn_main" in command]


def test_the_manifest_tells_of_model_and_index_apart(whole: Path, tiny_artifact: Path) -> None:
    made, model = read_manifest(whole), read_manifest(tiny_artifact)
    assert made["model"] == model["model"]
    assert made["index"]["fields"] == {"department": "keyword", "price": "number"}
    assert made["index"]["bytes"] == sum(len(data) for data in index_of(whole).values())
    assert json.loads((whole / "manifest.json").read_bytes())["format"] == FORMAT
    assert len(Catalog.load(whole / "index", made["index"]["fields"])) == 3000
