"""`slotbeam doctor`: look at a running service."""

from __future__ import annotations

import typer

from slotbeam.cli.console import show_json, table
from slotbeam.cli.options import ArtifactDir, AsJson, DataDir, RedisUrl, served_settings


def doctor(
    ctx: typer.Context,
    data_dir: DataDir = None,
    artifact: ArtifactDir = None,
    redis_url: RedisUrl = None,
    as_json: AsJson = False,
) -> None:
    """Check store, durability, artifact, data directory and planes; say what to do about what is wrong."""
    from slotbeam.cli.doctor.checks import examine
    from slotbeam.cli.doctor.finding import BAD

    findings = examine(served_settings(ctx))
    if as_json:
        show_json([finding._asdict() for finding in findings])
    else:
        table(("", "check", "found"), [(finding.mark, finding.check, finding.found) for finding in findings])
    if any(finding.mark == BAD for finding in findings):
        raise typer.Exit(1)
