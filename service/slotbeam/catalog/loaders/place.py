"""Where a value of a file stands, and how what is wrong with it is said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from slotbeam.errors import InputError

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """Where a value stands: names the file and the line (a Parquet row counts as a line, from 1)."""

    path: Path
    line: int

    def fault(self, field: str, what: str, rule: str = "") -> InputError:
        """Return a loader's error in its one form: file, line, field, what is wrong; like faults share `rule`."""
        where = {"file": str(self.path), "line": self.line, "field": field}
        return InputError(f"{self}: {field}: {what}", **where, rule=rule or what)

    def error(self, field: str, got: object, allowed: str) -> InputError:
        """Return the error of a value that is not allowed, or is not there."""
        given = "missing" if got is None else shown(got)
        return self.fault(field, f"is {given}; allowed: {allowed}", allowed)

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}"


def shown(value: object) -> str:
    """Return a value for a message, as JSON writes it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
