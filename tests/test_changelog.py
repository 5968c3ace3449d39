"""The changelog tells of the version that is built."""

from __future__ import annotations

import re
import tomllib
from datetime import date

from slotbeam import __version__
from support.pointers import ROOT

VERSIONS = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_newest_version_of_the_changelog_is_the_one_that_is_built() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert VERSIONS[0].split(" ")[0] == built == __version__


def test_every_version_of_the_changelog_has_its_day_and_stands_above_those_before() -> None:
    parted = [re.fullmatch(r"(\d+)\.(\d+)\.(\d+) – (\d{4}-\d\d-\d\d)", each) for each in VERSIONS]
    assert all(parted), VERSIONS
    numbers = [(tuple(map(int, each.groups()[:3])), date.fromisoformat(each[4])) for each in parted if each]
    assert numbers == sorted(numbers, reverse=True)
    assert len({number for number, _ in numbers}) == len(numbers)
