"""`slotbeam index pull`: an artifact comes whole and as its manifest says, or not at all."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from typer.testing import CliRunner, Result

from slotbeam.cli import app
from slotbeam.errors import SetupError
from slotbeam.indexing import pulling
from slotbeam.search.artifact import read_manifest, save_manifest
from support.trees import bytes_of

Pull = Callable[..., Result]


@pytest.fixture
def remote(tiny_artifact: Path, tmp_path: Path) -> Path:
    """An artifact elsewhere."""
    return Path(shutil.copytree(tiny_artifact, tmp_path / "share" / "shop-1"))


@pytest.fixture
def pull(tmp_path: Path) -> Pull:
    def run(url: object, *arguments: str) -> Result:
        environment = {"SLOTBEAM_INDEX_DIR": str(tmp_path / "indexes")}
        return CliRunner().invoke(app, ["index", "pull", str(url), *arguments], env=environment)

    return run


@pytest.fixture
def indexes(tmp_path: Path) -> Path:
    return tmp_path / "indexes"


def told(remote: Path, **files: dict[str, Any]) -> None:
    """Change what the manifest names."""
    manifest = read_manifest(remote)
    save_manifest(remote, {**manifest, "files": {**manifest["files"], **files}})


def refusal(done: Result, indexes: Path) -> str:
    """What was refused; nothing is left of it."""
    assert done.exit_code == 1
    assert not list(indexes.iterdir())
    return str(done.exception)


def test_an_artifact_is_copied_and_one_that_is_there_costs_nothing(pull: Pull, remote: Path, indexes: Path) -> None:
    done = pull(f"file://{remote}")
    assert done.exit_code == 0, done.output
    assert f"{indexes / 'shop-1'} holds 120 items; activate it: slotbeam index activate shop-1" in done.stdout
    assert bytes_of(indexes / "shop-1") == bytes_of(remote)
    (remote / "index" / "trie" / "rows.npy").unlink()  # is not asked for again
    assert "is there already, with 120 items" in pull(remote, "--name", "shop-1").stdout
    assert [path.name for path in indexes.iterdir()] == ["shop-1"]


def test_a_name_that_another_artifact_has_is_refused(pull: Pull, remote: Path, indexes: Path) -> None:
    assert pull(remote).exit_code == 0
    manifest = read_manifest(remote)
    save_manifest(remote, {**manifest, "name": "another"})
    assert "holds another artifact" in str(pull(remote).exception)
    assert pull(remote, "--name", "shop-2").exit_code == 0
    (indexes / "notes").mkdir()
    assert "is no artifact; give another name" in str(pull(remote, "--name", "notes").exception)
    (indexes / "shop-2" / "index" / "trie" / "rows.npy").unlink()
    assert "rows.npy is missing" in str(pull(remote, "--name", "shop-2").exception)


@pytest.mark.parametrize("change", [lambda data: data[:-1] + b"!", lambda data: data + b"!", lambda data: data[:-1]])
def test_a_damaged_file_is_named_and_nothing_is_kept(
    pull: Pull, remote: Path, indexes: Path, change: Callable[[bytes], bytes]
) -> None:
    path = remote / "index" / "items" / "titles.npy"
    path.write_bytes(change(path.read_bytes()))
    said = refusal(pull(f"file://{remote}"), indexes)
    assert said.startswith(f"file://{remote}: index/items/titles.npy has ")
    assert "upload the artifact again" in said


@pytest.mark.parametrize("name", ["manifest.json", "model/encoder.onnx", "index/terms/rows.npy"])
def test_a_missing_file_is_named_and_nothing_is_kept(pull: Pull, remote: Path, indexes: Path, name: str) -> None:
    shutil.move(remote / name, remote / "gone")
    assert f"{name} is missing; nothing was kept" in refusal(pull(remote), indexes)


def test_what_was_left_by_one_that_was_killed_is_cleared(pull: Pull, remote: Path, indexes: Path) -> None:
    left = indexes / ".shop-1.pull"
    left.mkdir(parents=True)
    (left / "manifest.json").write_text("half of i")
    assert pull(remote).exit_code == 0
    assert [path.name for path in indexes.iterdir()] == ["shop-1"]


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/x",
        "index/../../x",
        "model//x",
        "./index/x",
        "index",
        "other/x",
        "index/.x",
        "index/a\\b",
        "index/\0",
    ],
)
def test_a_manifest_that_leads_out_of_the_artifact_is_refused(
    pull: Pull, remote: Path, indexes: Path, name: str
) -> None:
    told(remote, **{name: {"bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()}})
    assert "allowed: plain paths below model/ and index/" in refusal(pull(remote), indexes)


@pytest.mark.parametrize("facts", [{"bytes": -1, "sha256": "0" * 64}, {"bytes": 1, "sha256": "0"}, {"bytes": 1}, []])
def test_a_manifest_without_sizes_or_hashes_is_refused(pull: Pull, remote: Path, indexes: Path, facts: Any) -> None:
    told(remote, **{"index/x": facts})
    assert "says of index/x no size, or no hash" in refusal(pull(remote), indexes)


def test_a_url_that_nothing_reads_is_said_without_its_password(pull: Pull, indexes: Path) -> None:
    done = pull("nope://user:secret@host/x")
    assert "nope://********@host/x cannot be read: Protocol not known: nope" in str(done.exception)
    assert "secret" not in str(done.exception)
    assert "is refused" in str(pull("file:///x", "--name", "../x").exception)


def test_any_file_system_of_fsspec_will_do(pull: Pull, remote: Path, indexes: Path) -> None:
    memory = MemoryFileSystem()
    memory.put(str(remote), "/bucket/shop-3", recursive=True)
    try:
        assert "holds 120 items" in pull("memory://bucket/shop-3").stdout
    finally:
        memory.rm("/bucket", recursive=True)
    assert bytes_of(indexes / "shop-3") == bytes_of(remote)


def test_what_fails_there_is_told_apart_from_what_fails_here(pull: Pull, remote: Path, tmp_path: Path) -> None:
    class Closed:
        def open(self, path: str, mode: str = "rb") -> Any:
            raise PermissionError("you may not")

    with pytest.raises(SetupError, match=r"x/manifest\.json cannot be read: PermissionError: you may not"):
        pulling.pull(Closed(), "x", tmp_path / "indexes" / "x")
    (tmp_path / "file").write_text("")
    here = pull(remote, "--index-dir", str(tmp_path / "file"))
    assert "cannot be used: File exists; set SLOTBEAM_INDEX_DIR" in str(here.exception)
