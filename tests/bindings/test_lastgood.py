"""The last-known-good file."""

from __future__ import annotations

from pathlib import Path

import pytest

from slotbeam.bindings.lastgood import LastGood, load, save, second
from slotbeam.types import Slot
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
    assert sorted(p.name for p in path.parent.iterdir()) == ["file", "file.1"]
    assert path.stat().st_mode & 0o077 == 0


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
    assert "another format or codebook" in problems[0]


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    assert load(tmp_path / "file", "c0de") == (None, [])


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, older = tmp_path / "file", good(3)
    save(path, "c0de", older)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(path, "c0de", good(4))
    assert same(load(path, "c0de")[0], older)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
