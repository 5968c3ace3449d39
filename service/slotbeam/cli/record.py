"""What `up` writes about itself, for the other commands of its data directory."""

from __future__ import annotations

import json
import os
from pathlib import Path


def read_record(data_dir: Path) -> dict[str, object] | None:
    """Return what `up` wrote about itself in `data_dir`, or None when none runs there."""
    try:
        record = json.loads((data_dir / "up.json").read_text(encoding="utf-8"))
        os.kill(int(record["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(record)
