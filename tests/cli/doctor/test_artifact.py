"""What `slotbeam doctor` and `/info` say of what read a catalog."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from slotbeam.api.http.probes import plane_info
from slotbeam.cli.doctor.checks import examine
from slotbeam.cli.doctor.finding import GOOD, WARN
from slotbeam.language.fold import RUNNING, Folding, Versions
from slotbeam.search.artifact import INDEX, LANGUAGE, Artifact
from slotbeam.search.snapshot import Snapshot
from slotbeam.settings import Settings


def told(artifact: Path, data_dir: Path) -> tuple[str, str]:
    [found] = [one for one in examine(Settings(artifact=artifact, data_dir=data_dir)) if one.check == "artifact"]
    return found.mark, found.found


def test_an_artifact_that_this_process_could_have_made_is_fine_and_says_by_what(
    tiny_artifact: Path, tmp_path: Path
) -> None:
    mark, found = told(tiny_artifact, tmp_path)
    assert mark == GOOD
    assert found.endswith(f"language en, normaliser {RUNNING.normalizer}, ICU {RUNNING.icu}")


@pytest.mark.parametrize(
    "made_by", [Versions(RUNNING.normalizer - 1, RUNNING.icu), Versions(RUNNING.normalizer, RUNNING.icu[:-1] + "x")]
)
def test_an_artifact_that_other_versions_made_is_warned_of(
    tiny_artifact: Path, tmp_path: Path, made_by: Versions
) -> None:
    """Sizes stay what the manifest says; the hashes of an index are no start's business."""
    copy = tmp_path / "copy"
    shutil.copytree(tiny_artifact, copy)
    parts = Folding.load(copy / INDEX / LANGUAGE).parts
    Folding("en", parts, made_by).save(copy / INDEX / LANGUAGE)
    mark, found = told(copy, tmp_path)
    assert mark == WARN
    assert f"normaliser {made_by.normalizer}, ICU {made_by.icu}; this process reads with" in found
    assert 'make the index again ("slotbeam index")' in found
    said = plane_info(Snapshot(Artifact.load(copy)))["catalog"]
    assert isinstance(said, dict)
    assert (said["normalizer"], said["icu"]) == made_by
