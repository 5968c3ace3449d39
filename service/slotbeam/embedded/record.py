"""`DATA_DIR/up.json`: what runs under `slotbeam up`, for the planes below it and for other commands."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slotbeam.files import write_whole

PARTS = ("store", "serve", "admin")
"""What `slotbeam up` keeps running."""


def record_of(data_dir: Path) -> Path:
    """Return where the record of the `up` on a data directory is."""
    return data_dir / "up.json"


def write_record(data_dir: Path, record: Mapping[str, Any]) -> None:
    """Replace the record. Raises OSError."""
    write_whole(record_of(data_dir), json.dumps(record, indent=1).encode() + b"\n")


def read_record(data_dir: Path) -> dict[str, Any] | None:
    """Return what `up` wrote about itself in `data_dir`, or None when none runs there."""
    try:
        record = json.loads(record_of(data_dir).read_bytes())
        os.kill(int(record["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(record)


def restarts_of_up(data_dir: Path) -> dict[str, int]:
    """Return how often the `slotbeam up` that started this process had to start each of `PARTS` again; else nothing."""
    try:
        record = read_record(data_dir)
        if record is None or record["pid"] != os.getppid():
            return {}
        return {part: int(record["restarts"].get(part, 0)) for part in PARTS}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
