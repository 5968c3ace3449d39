"""The track record: every row of docs/reliability.md names tests that are there and commits of the history."""

from __future__ import annotations

import re

from support.pointers import ROOT
from test_log import HASH, history

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| 20")]
FINDERS = {"a user", "a fault run", "a checker", "a test", "reading", "–"}


def test_every_fault_says_when_what_by_whom_what_shows_it_and_what_mended_it() -> None:
    assert ROWS
    for row in ROWS:
        assert len(row) == 5, row
        assert row[2] in FINDERS, row
        assert HASH.search(row[4]), row
    dates = [row[0] for row in ROWS]
    assert dates == sorted(dates), "newest last"


def test_every_test_that_shows_a_fault_is_there() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)", source))
    assert set(re.findall(r"`(test_\w+)`", PAGE)) <= there


def test_every_commit_that_mended_a_fault_is_in_the_history() -> None:
    assert {each for row in ROWS for each in HASH.findall(row[4])} <= history()
