"""`slotbeam slots history`: what a row says."""

from __future__ import annotations

from typing import Any

import pytest

from slotbeam.cli.slots.history import changed

RECORD: dict[str, Any] = {"words": ["a"], "category": "brand", "owner": "", "ends_at": None, "revision": 1, "items": ""}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, RECORD, []),
        (RECORD, None, []),
        (RECORD, {**RECORD, "revision": 2, "items": "y"}, []),
        (RECORD, {**RECORD, "ends_at": "2027-01-01T00:00:00.000Z", "words": ["b"]}, ["words", "ends_at"]),
        ({"unreadable": "{"}, {**RECORD}, ["words", "category", "owner"]),
    ],
)
def test_an_update_names_what_it_changed(before: Any, after: Any, expected: list[str]) -> None:
    assert changed({"before": before, "after": after}) == expected
