"""`slotbeam backup verify`: whether a backup can be read, and whether the newest one is new enough."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from slotbeam.cli.backup.telling import told
from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import AsJson
from slotbeam.errors import SetupError

Source = Annotated[Path, typer.Argument(help="A backup, or a directory of them: the newest one.")]
HOUR_MS = 3_600_000


def verify(
    source: Source,
    max_age: Annotated[float | None, typer.Option(min=0, help="Hours since it was made, at most.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read a backup to its end, and check every digest in it; for a health check, also that it is not too old."""
    from slotbeam.backup.archive import opened
    from slotbeam.bindings.times import parse_ms

    path = backup_at(source)
    with opened(path) as (_, facts):
        age_ms = int(time.time() * 1000) - (parse_ms(facts["made_at"]) or 0)
    if max_age is not None and age_ms > max_age * HOUR_MS:
        raise SetupError(
            f"{path} was made at {facts['made_at']}, more than {max_age:g} hours ago: no backup came after it; "
            "look at what slotbeam backup make says"
        )
    if as_json:
        show_json({"file": str(path), **facts})
        return
    say(f"{told(path, facts)}, made at {facts['made_at']}; every digest in it fits")


def backup_at(source: Path) -> Path:
    """Return the backup that is meant. Raises `SetupError`: there is none."""
    from slotbeam.backup.archive import backups

    if not source.is_dir():
        return source
    there = backups(source)
    if not there:
        raise SetupError(f"{source} holds no backup; slotbeam backup make {source} writes one")
    return there[-1]
