"""What `slotbeam doctor` says of the data directory."""

from __future__ import annotations

from pathlib import Path

from slotbeam.cli.doctor.checks import look_at_directory
from slotbeam.cli.doctor.finding import BAD, GOOD
from slotbeam.settings import Settings


def test_a_disk_that_is_nearly_full_is_told_before_edits_are_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert look_at_directory(settings, wanted=1)[0] == GOOD
    mark, found = look_at_directory(settings, wanted=1 << 62)
    assert (mark, "MiB left; free some: on a full disk edits are refused" in found) == (BAD, True)
