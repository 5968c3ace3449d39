"""What is installed, by `make` and into the image, is named to the byte, and is what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).parent.parent.parent
LOCKS = ROOT / "deploy" / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SERVE = PROJECT["dependencies"]
DEV = [*SERVE, *PROJECT["optional-dependencies"]["train"], *PROJECT["optional-dependencies"]["dev"]]
BUILD = (LOCKS / "build.in").read_text().split()
CLIENT = (LOCKS / "client.in").read_text().split()
ASKED = {"build.txt": BUILD, "serve.txt": SERVE, "dev.txt": [*DEV, *BUILD], "client.txt": CLIENT}
PYTHONS = ("3.11", "3.12", "3.13")


def lines(name: str) -> list[str]:
    """The requirements of a lock, each with its hashes on one line."""
    return (LOCKS / name).read_text().replace("\\\n", " ").splitlines()


def locked(name: str, python: str = "3.11") -> dict[NormalizedName, str]:
    """Package → version on Linux with `python`."""
    found = {}
    for line in lines(name):
        requirement = Requirement(line.split("--hash")[0].strip())
        where = {"python_version": python, "python_full_version": f"{python}.9", "sys_platform": "linux"}
        if requirement.marker is None or requirement.marker.evaluate(where):
            [pin] = requirement.specifier
            assert pin.operator == "=="
            found[canonicalize_name(requirement.name)] = pin.version
    return found


@pytest.mark.parametrize("name", ASKED)
def test_every_package_has_a_version_and_hashes_and_names_no_host(name: str) -> None:
    for line in lines(name):
        first, *hashes = line.split(" --hash=")
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[^ ;]+( ; .*)?", first.strip()), line
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", text.strip()) for text in hashes), line


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", ASKED)
def test_the_locks_hold_what_pyproject_asks_for(name: str, python: str) -> None:
    found = locked(name, python)
    for text in ASKED[name]:
        requirement = Requirement(text)
        if requirement.name != "torch":
            version = found[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version, prereleases=True), (text, version)


def test_the_image_has_nothing_of_training_and_nothing_that_is_tested_in_another_version() -> None:
    serve, dev = locked("serve.txt"), locked("dev.txt")
    assert serve.items() <= dev.items()
    for text in DEV[len(SERVE) :]:
        name = canonicalize_name(Requirement(text).name)
        assert name not in serve or name in ("pyyaml", "packaging"), name
    assert not any(name.startswith(("torch", "nvidia", "triton")) for name in {*serve, *dev})


PLUGINS = {"pytest-timeout": "timeout = ", "pytest-xdist": "-n $(JOBS)"}
"""What is neither imported nor run, and where it is asked for."""


def test_every_dependency_is_imported_run_or_asked_for() -> None:
    files = [path for folder in ("service", "tests") for path in (ROOT / folder).rglob("*.py")]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in files)
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)|(?:import\w*|files)\(\"(\w+)", sources, re.MULTILINE))
    roots = {name for pair in imported for name in pair if name}
    makefile = (ROOT / "Makefile").read_text()
    asked = makefile + (ROOT / "pyproject.toml").read_text()
    modules: dict[str, set[str]] = {}
    for module, names in packages_distributions().items():
        for name in names:
            modules.setdefault(canonicalize_name(name), set()).add(module)
    for text in DEV:
        name = canonicalize_name(Requirement(text).name)
        scripts = {name} | {entry.name for entry in distribution(name).entry_points if entry.group == "console_scripts"}
        used = modules.get(name, set()) & roots or any(f"$(BIN)/{script}" in makefile for script in scripts)
        assert used or PLUGINS.get(name, "\0") in asked, f"nothing uses {name}"
