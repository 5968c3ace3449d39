"""One line of the doctor's check-up."""

from __future__ import annotations

from typing import NamedTuple

GOOD, WARN, BAD = "✓", "!", "✗"


class Finding(NamedTuple):
    """What was checked; whether it is fine, worth knowing or wrong; and what was found (when wrong: what to do)."""

    check: str
    mark: str
    found: str
