"""Files that others read: whole at every moment, on disk where that is promised, one writer at a time."""

from __future__ import annotations

import ast
import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from slotbeam.files import PRIVATE, lock, locked, locked_directory, replacing, sha256_of, write_whole

SERVICE = Path(__file__).parent.parent / "service"
OF_FILES = {"fsync", "fdatasync", "flock", "lockf", "mkstemp", "NamedTemporaryFile", "rename", "link", "file_digest"}
ELSEWHERE = {
    "slotbeam/access/audit.py _append": "moves whole generations; a line is appended, nothing is replaced",
    "slotbeam_lab/paper/tasks.py world_at": "a directory, which other runs of the same world may wait for",
    "slotbeam_lab/world/make.py _log": "the last day's part is the test's file: moved in a directory that is not ready",
    "slotbeam_train/teacher/opening.py unpacked": "a directory of files of a wheel, which another run may unpack, too",
    "slotbeam_lab/world2/make.py _log": "the same of world 2",
    "slotbeam/bench/switch.py linked": "files of an index that is there, under one more name for a benchmark",
    "slotbeam/bench/switch.py _twin": "the same",
    "slotbeam/indexing/pulling.py _pulled": "a directory, which appears in one rename",
    "slotbeam/indexing/pulling.py _fetch": "hashed as it is copied, and on disk before its directory appears",
    "slotbeam/indexing/build.py replace_artifact": "a directory, which takes the place of the one before",
}
"""Where a file or a directory is renamed and no file is written by it."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "kept" / "file"
    path.parent.mkdir()
    path.write_bytes(b"old")
    return path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the disk, in order: `fsync file`, `replace`, `link`, `fsync directory`."""
    seen: list[str] = []
    fsync, replace, link = os.fsync, os.replace, os.link

    def synced(descriptor: int) -> None:
        seen.append("fsync directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "fsync file")
        fsync(descriptor)

    def replaced(*names: Any) -> None:
        seen.append("replace")
        replace(*names)

    def linked(*names: Any) -> None:
        seen.append("link")
        link(*names)

    for name, call in (("fsync", synced), ("replace", replaced), ("link", linked)):
        monkeypatch.setattr(os, name, call)
    return seen


def alone(path: Path) -> bool:
    """Whether nothing was left beside it."""
    return [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"ne")
        file.flush()
        assert path.read_bytes() == b"old"
        file.write(b"w")
    assert path.read_bytes() == b"new"
    assert alone(path)


def test_what_raises_while_it_writes_leaves_the_file_as_it_was(path: Path) -> None:
    def write() -> None:
        with replacing(path, former=path.with_name("former")) as file:
            file.write(b"ne")
            raise ValueError("no value")

    with pytest.raises(ValueError, match="no value"):
        write()
    assert path.read_bytes() == b"old"
    assert alone(path)


@pytest.mark.parametrize(("call", "once"), [("fsync", False), ("replace", False), ("fsync", True), ("link", True)])
def test_a_disk_that_is_full_leaves_the_file_as_it_was(
    path: Path, call: str, once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new", durable=True, once=once)
    assert path.read_bytes() == b"old"
    assert alone(path)


@pytest.mark.parametrize("once", [False, True])
def test_a_durable_file_is_synced_before_it_has_its_name_and_its_directory_after(
    path: Path, calls: list[str], once: bool
) -> None:
    write_whole(path, b"new", durable=True, once=once)
    assert calls == ["fsync file", "link" if once else "replace", "fsync directory"]


def test_a_file_that_need_not_be_durable_waits_for_no_disk(path: Path, calls: list[str]) -> None:
    write_whole(path, b"new")
    assert calls == ["replace"]


def test_what_a_file_held_goes_to_its_former(path: Path) -> None:
    former = path.with_name("former")
    write_whole(path, b"new", former=former)
    assert (path.read_bytes(), former.read_bytes()) == (b"new", b"old")
    write_whole(path, b"newer", former=former)
    assert (path.read_bytes(), former.read_bytes()) == (b"newer", b"new")
    fresh = path.with_name("fresh")
    write_whole(fresh, b"first", former=path.with_name("none"))
    assert not path.with_name("none").exists()


def test_a_private_file_is_for_its_owner_only_and_any_other_as_the_umask_says(path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_whole(path, b"new", mode=PRIVATE)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        write_whole(path, b"new")
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        os.close(lock(path.with_name("lock")))
        assert stat.S_IMODE(path.with_name("lock").stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_of_several_that_write_once_the_first_wins_and_all_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "secret"

    def write(number: int) -> bytes:
        write_whole(path, b"%d" % number * 1000, once=True)
        return path.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        read = set(pool.map(write, range(8)))
    assert read == {path.read_bytes()}
    assert alone(path)


def test_a_lock_that_is_held_is_refused_or_waited_for_until_its_holder_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = lock(path)
    with pytest.raises(BlockingIOError):
        lock(path, wait=False)
    order = []

    def wait() -> None:
        with locked(path):
            order.append("taken")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        order.append("held")
        os.close(held)
        waiting.result()
    assert order == ["held", "taken"]
    os.close(lock(path, wait=False))


def test_a_directory_is_made_and_one_at_a_time_works_in_it(tmp_path: Path) -> None:
    directory, order = tmp_path / "a" / "b", []

    def work() -> None:
        with locked_directory(directory):
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        with locked_directory(directory):
            waiting = pool.submit(work)
            order.append("first")
        waiting.result()
    assert order == ["first", "second"]
    assert not list(directory.iterdir())


def test_what_raises_inside_a_lock_lets_go_of_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(ValueError, match="inside"), locked(path):
        raise ValueError("inside")
    os.close(lock(path, wait=False))


def test_the_hash_of_a_file_is_that_of_its_bytes(path: Path) -> None:
    assert sha256_of(path) == hashlib.sha256(b"old").hexdigest()


def calls_of_files() -> Iterator[str]:
    """Where the three packages rename, sync, lock or hash a file, `files.py` apart: `file function`."""
    for file in sorted(SERVICE.rglob("*.py")):
        if file == SERVICE / "slotbeam" / "files.py":
            continue
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _of_files(node.func, node):
                    yield f"{file.relative_to(SERVICE).as_posix()} {function.name}"


def _of_files(call: ast.Attribute, node: ast.Call) -> bool:
    """A `replace` with one argument, or of `os`, is a rename; of a text it has two, of a dataclass or a time names."""
    if call.attr == "replace":
        return ast.unparse(call.value) == "os" or (len(node.args) == 1 and not node.keywords)
    return call.attr in OF_FILES


def test_every_file_is_written_whole_locked_and_hashed_by_one_module() -> None:
    assert set(calls_of_files()) == set(ELSEWHERE)
