"""docs/http.md names every error, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from slotbeam.api.http.problems import STATUS
from support.raising import brought

DOCS = (Path(__file__).parents[3] / "docs" / "http.md").read_text(encoding="utf-8")


def test_every_error_is_documented_with_its_status() -> None:
    rows = {(slug, int(status)) for slug, status in re.findall(r"^\| `([a-z-]+)` \| ([45]\d\d) \|", DOCS, re.MULTILINE)}
    assert rows == {(kind.type, status) for kind, status in STATUS.items()}


def test_every_member_that_an_error_brings_is_documented_with_its_type() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| [45]\d\d \| (.*) \|$", DOCS, re.MULTILINE))
    assert {(kind.type, member) for kind, member in brought() if f"`{member}`" not in rows[kind.type]} == set()
