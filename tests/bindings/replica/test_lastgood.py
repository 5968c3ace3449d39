"""The last-known-good file."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from slotbeam.bindings.replica.lastgood import (
    KEPT_S,
    LastGood,
    file_name,
    folder,
    generations,
    load,
    load_newest,
    save,
    second,
)
from slotbeam.types import Slot
from support.failing import no_room
from support.live import make_binding, make_listing


def good(revision: int, word: str = "labubu") -> LastGood:
    binding = make_binding(word)
    listing = make_listing({Slot(1, 4): binding}, revision=revision)
    return LastGood(listing, {binding.items: ("i001", "i002")})


def same(one: LastGood | None, other: LastGood) -> bool:
    return one is not None and (
        (one.listing.epoch, one.listing.revision, one.listing.state, dict(one.listing.records), dict(one.listing.slots))
        == (
            other.listing.epoch,
            other.listing.revision,
            other.listing.state,
            dict(other.listing.records),
            dict(other.listing.slots),
        )
        and one.items == other.items
    )


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    save(path, "c0de", good(3))
    wanted = good(4, "拉布布")
    save(path, "c0de", wanted)
    found, problems = load(path, "c0de")
    assert same(found, wanted)
    assert problems == []
    assert sorted(p.name for p in path.parent.iterdir()) == ["file", "file.1", "file.items"]
    assert path.stat().st_mode & 0o077 == 0


def test_of_several_processes_the_newest_file_is_read_by_each(tmp_path: Path) -> None:
    codebook, where = "c0de" * 16, folder(tmp_path)
    one, two, three = (where / file_name("data", codebook, process) for process in (1, 2, 3))
    save(where / file_name("admin", codebook), codebook, good(9))
    save(where / file_name("data", "beef" * 16), "beef" * 16, good(9))
    assert load_newest(one, codebook)[0] is None
    old, new = good(3), good(5)
    save(one, codebook, old)
    save(two, codebook, new)
    for path, is_own in ((one, False), (two, True), (three, False)):
        found, own, problems = load_newest(path, codebook)
        assert same(found, new)
        assert (own, problems) == (is_own, [])
    two.write_bytes(b"cut")
    found, own, problems = load_newest(two, codebook)
    assert same(found, old)
    assert (own, len(problems)) == (False, 1)
    assert {one, two} <= set(generations(tmp_path))


@pytest.mark.parametrize("at", [0, 70, -1])
def test_one_flipped_byte_falls_back_to_the_older_generation(tmp_path: Path, at: int) -> None:
    path, older = tmp_path / "file", good(3)
    save(path, "c0de", older)
    save(path, "c0de", good(4))
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))
    found, problems = load(path, "c0de")
    assert same(found, older)
    assert len(problems) == 1
    second(path).write_bytes(b"")
    assert load(path, "c0de")[0] is None


def test_a_file_of_another_codebook_is_not_used(tmp_path: Path) -> None:
    save(tmp_path / "file", "c0de", good(3))
    found, problems = load(tmp_path / "file", "other")
    assert found is None
    assert "another codebook" in problems[0]


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    assert load(tmp_path / "file", "c0de") == (None, [])


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path, older = tmp_path / "file", good(3)
    save(path, "c0de", older)
    with no_room(), pytest.raises(OSError, match="File too large"):
        save(path, "c0de", good(4))
    assert same(load(path, "c0de")[0], older)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "file.items"]


class Disk:
    """What a power cut leaves: of each file the bytes that were synced; which directories have unsynced renames."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.synced, self.cuts, self.open_renames = root, dict[int, int](), 0, set[str]()
        self.moments: list[Path] = []
        fsync, replace = os.fsync, os.replace

        def synced(descriptor: int) -> None:
            fsync(descriptor)
            status = os.fstat(descriptor)
            if os.path.isdir(f"/proc/self/fd/{descriptor}"):
                self.open_renames.discard(os.readlink(f"/proc/self/fd/{descriptor}"))
            self.synced[status.st_ino] = status.st_size
            self.cut()

        def replaced(source: Any, target: Any) -> None:
            replace(source, target)
            self.open_renames.add(str(Path(target).parent))
            self.cut()

        monkeypatch.setattr("os.fsync", synced)
        monkeypatch.setattr("os.replace", replaced)

    def cut(self) -> Path:
        """A copy of the directory as a power cut would leave it now, if all renames were done."""
        self.cuts += 1
        copy = self.root.with_name(f"cut-{self.cuts}")
        shutil.copytree(self.root, copy)
        for file in (file for file in self.root.rglob("*") if file.is_file()):
            os.truncate(copy / file.relative_to(self.root), self.synced.get(file.stat().st_ino, 0))
        self.moments.append(copy)
        return copy


def test_a_power_cut_at_any_moment_leaves_the_old_or_the_new_bindings_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "disk"
    root.mkdir()
    disk = Disk(root, monkeypatch)
    older, newer = good(1, "labubu"), good(2, "crocs")
    save(root / "file", "c0de", older)
    disk.moments.clear()
    save(root / "file", "c0de", newer)
    assert disk.open_renames == set(), "every rename is on disk when save returns"
    for moment in disk.moments:
        found, _ = load(moment / "file", "c0de")
        assert same(found, older) or same(found, newer), moment
    found, problems = load(disk.cut() / "file", "c0de")
    assert same(found, newer)
    assert problems == []
    assert len(disk.moments) > 4


def test_an_item_list_that_was_changed_costs_that_list_alone(tmp_path: Path) -> None:
    one, two = make_binding("a", ids=["i001"]), make_binding("b", ids=["i002"])
    listing = make_listing({Slot(1, 4): one, Slot(1, 5): two})
    save(tmp_path / "file", "c0de", LastGood(listing, {one.items: ("i001",), two.items: ("i002",)}))
    (tmp_path / "file.items" / one.items).write_bytes(b"[]")
    found, problems = load(tmp_path / "file", "c0de")
    assert found is not None
    assert found.items == {two.items: ("i002",)}
    assert one.items[:12] in problems[0]


def test_item_lists_are_written_once_and_go_when_no_generation_names_them(tmp_path: Path) -> None:
    path, lists = tmp_path / "file", tmp_path / "file.items"
    save(path, "c0de", good(1))
    [kept] = lists.iterdir()
    long_ago = time.time() - KEPT_S - 60
    os.utime(kept, (long_ago, long_ago))
    stamp = kept.stat().st_mtime_ns
    empty = LastGood(make_listing({}, revision=2), {})
    save(path, "c0de", good(2, "other word"))
    save(path, "c0de", empty)
    assert kept.stat().st_mtime_ns == stamp
    save(path, "c0de", empty)
    assert list(lists.iterdir()) == []
