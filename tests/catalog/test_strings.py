"""Strings as two arrays."""

from __future__ import annotations

from pathlib import Path

from slotbeam.arrays import Strings


def test_taking_rows_gives_what_each_row_holds(tmp_path: Path) -> None:
    words = ["mug", "", "拉布布", "a\u0301", "🎁"]
    Strings.of(words).save(tmp_path, "words")
    for strings in (Strings.of(words), Strings.load(tmp_path, "words")):
        assert strings.take([4, 0, 0, 2, 1, 3]) == ["🎁", "mug", "mug", "拉布布", "", "a\u0301"]
        assert strings.take([]) == []
