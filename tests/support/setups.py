"""A comparison small enough for a test: the shop's items and log as files, the tiny configuration."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from slotbeam.catalog.item import Interaction, Item
from slotbeam_lab.baselines.registry import Setup


def write_items(path: Path, items: Iterable[Item]) -> None:
    path.write_text("".join(json.dumps(dataclasses.asdict(item)) + "\n" for item in items))


def write_log(path: Path, log: Iterable[Interaction]) -> None:
    path.write_text("".join(json.dumps(dataclasses.asdict(one)) + "\n" for one in log))


def files_of(directory: Path) -> dict[Path, int]:
    """Every file below `directory` with the moment it was written: what is made anew has another one."""
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*") if path.is_file()}


def make_setup(directory: Path, items: Sequence[Item], log: Sequence[Interaction], steps: int = 8) -> Setup:
    """Write both as files in `directory`; the cache is beside them."""
    from slotbeam_train.options import preset

    write_items(directory / "items.jsonl", items)
    write_log(directory / "log.jsonl", log)
    options = replace(preset("tiny", steps=steps, threads=1, device="cpu"), quiet=True)
    return Setup(directory / "items.jsonl", directory / "log.jsonl", options, directory / "cache")
