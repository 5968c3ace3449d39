"""`slotbeam index verify`: every file of an artifact against the hash in its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slotbeam.cli.console import say
from slotbeam.cli.progress import progress_bar


def verify(directory: Annotated[Path, typer.Argument(exists=True, help="An artifact.")]) -> None:
    """Check every file of an artifact against the hash in its manifest."""
    from slotbeam.search.artifact import read_manifest
    from slotbeam.search.artifact import verify as check

    manifest = read_manifest(directory)
    with progress_bar() as progress:
        check(directory, manifest, progress=lambda done, total: progress("hash", done, total))
    say(f"{directory}: {len(manifest['files'])} files are as they were written")
