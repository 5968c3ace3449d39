"""The log: every entry has its form and names commits of the history; so does every row of the table before it."""

from __future__ import annotations

import re
import subprocess

import pytest

from support.pointers import ROOT

LOG = (ROOT / "docs" / "log.md").read_text(encoding="utf-8")
ROWS = (ROOT / "docs" / "log-2026-11.md").read_text(encoding="utf-8")
MEMBERS = ("Why", "Command", "Seed", "Commit", "Result", "What follows")
HEADING = re.compile(r"(2\d{3}-\d\d-\d\d) · [^·]+ · [^·]+")
HASH = re.compile(r"\b[0-9a-f]{7}\b")


def entries(text: str) -> list[tuple[str, dict[str, str]]]:
    """(heading, member → its text) of each entry; what stands in a fenced block is no entry."""
    _, *parts = re.split(r"^## (?=2\d{3}-)", re.sub(r"^```\n.*?^```$", "", text, flags=re.M | re.S), flags=re.M)
    found = []
    for part in parts:
        heading, _, body = part.partition("\n")
        members = re.findall(r"^\* \*\*([\w ]+)\*\*[:,] ?(.*?)(?=^\* \*\*|\Z)", body, re.M | re.S)
        assert [name for name, _ in members] == list(MEMBERS), heading
        found.append((heading, {name: " ".join(told.split()) for name, told in members}))
    return found


def rows() -> list[str]:
    return re.findall(r"^\| 20.*$", ROWS, re.MULTILINE)


def committed(row: str) -> str:
    return row.split(" | ")[3]


def history() -> set[str]:
    """Every commit, seven digits of each. Skips where this is no whole clone."""
    asked = ["git", "-C", str(ROOT), "log", "--format=%h", "--abbrev=7"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    if "770798c" not in found:
        pytest.skip("no whole history here")
    return set(found)


def test_every_entry_of_the_log_says_when_what_and_how_it_came_out_and_then_every_member() -> None:
    told = entries(LOG)
    assert told
    for heading, members in told:
        assert HEADING.fullmatch(heading), heading
        assert all(members.values()), heading
    dates = [heading[:10] for heading, _ in told]
    assert dates == sorted(dates), "newest last"


def test_every_entry_of_the_log_names_its_commit_or_says_why_there_is_none() -> None:
    for heading, members in entries(LOG):
        assert HASH.search(members["Commit"]) or re.match(r"– \w", members["Commit"]), heading


def test_measurements_are_entries_and_no_rows_and_no_line_of_them_is_long() -> None:
    assert not re.findall(r"^\| 20.*$", LOG, re.MULTILINE), "a measurement is an entry; the table is closed"
    assert max(map(len, LOG.splitlines())) <= 300


def test_every_row_before_the_entries_names_its_commit_or_is_followed_by_one_that_does() -> None:
    corrected = next(number for number, row in enumerate(rows()) if "the commits of rows that name none" in row)
    for number, row in enumerate(rows()):
        assert re.fullmatch(r"–|[0-9a-f]{7}(?:; [0-9a-f]{7})*", committed(row)) or number < corrected, row


def test_every_commit_of_the_log_is_in_the_history_or_said_to_be_lost() -> None:
    """Where this is a whole clone; the tests before are the promise, this finds a hash that is wrong."""
    lost = set(re.findall(r"\b([0-9a-f]{7}) \(", ROWS[ROWS.index("commits that are in no history any more") :]))
    named = {each for row in rows() for each in HASH.findall(committed(row))}
    named |= {each for _, members in entries(LOG) for each in HASH.findall(members["Commit"])}
    assert named <= history() | lost


def test_what_stands_points_at_rows_that_are_there() -> None:
    stands = LOG[LOG.index("## What stands") :].partition("\n## ")[0]
    pointed = {
        each for line in stands.splitlines() if line.startswith("| ") for each in HASH.findall(line.split("|")[3])
    }
    assert pointed
    assert pointed <= set(HASH.findall("\n".join(rows())))
