"""How the commands say what a backup holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slotbeam.cli.console import RECORDS, counted


def told(path: Path, facts: dict[str, Any]) -> str:
    """Say what a backup holds, in one line."""
    newest = max(facts["bindings"].values(), key=lambda one: one["revision"])
    items, index = facts["items"], facts["index"]
    said = [f"{counted(newest['count'], *RECORDS)} of revision {newest['revision']}"]
    if items:
        said.append(f"{counted(items['count'], 'edited item')} up to seq {items['seq']}")
    if index:
        said.append(f"the index {index['active_name']}")
    return f"{path} holds {', '.join(said)}, {path.stat().st_size} bytes"


def left_out(facts: dict[str, Any]) -> list[str]:
    """Return what the store held in part: ids of records that cannot be read, hashes of item lists that are gone."""
    return sorted({name for one in facts["bindings"].values() for name in (*one["unread"], *one["lost"])})
