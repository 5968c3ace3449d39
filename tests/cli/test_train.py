"""`slotbeam train --check`: what a catalog and a log hold and what is wrong with them, without PyTorch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from support.processes import environment

GOOD = [
    {"id": "m1", "title": "Red Mug", "attributes": {"color": "red"}, "fields": {"price": 4, "sale": True}},
    {"id": "m2", "title": "Blue Mug", "description": "Holds tea.", "fields": {"price": 5.5, "brand": "Acme"}},
]
CODE = """
import sys
sys.modules.update(dict.fromkeys(("torch", "sklearn", "onnx", "pyarrow", "faiss")))  # importing one fails
sys.argv[1:] = {arguments!r}
from slotbeam import cli
cli.main()
"""


def check(*arguments: str, command: tuple[str, ...] = ("train", "--check")) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that has none of what training needs."""
    code = CODE.format(arguments=[*command, *arguments])
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())


def written(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_check_needs_no_pytorch_and_says_what_the_files_hold(tmp_path: Path) -> None:
    catalog = written(tmp_path / "items.jsonl", GOOD)
    logs = written(tmp_path / "log.jsonl", [{"query": "mug", "item_id": "m1"}, {"query": "mug", "item_id": "gone"}])
    done = check("--catalog", str(catalog), "--logs", str(logs))
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 items, 1 of them with a description; 2 interactions" in done.stdout
    shown = [line.split() for line in done.stdout.splitlines()]
    for row in (["color", "1"], ["brand", "keyword", "1"], ["price", "number", "2"], ["sale", "bool", "1"]):
        assert row in shown
    assert "warning: 1 of 2 interactions name an item that is not in the catalog" in done.stdout
    assert done.stdout.endswith("no fault was found\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["items.jsonl", "log.jsonl"]


def test_a_check_names_every_fault_on_a_line_of_its_own(tmp_path: Path) -> None:
    rows = [*GOOD, {"id": "m2", "titel": "Mug", "fields": {"price": "12,99"}}]
    done = check("--catalog", str(written(tmp_path / "items.jsonl", rows)))
    assert done.returncode == 1
    *faults, last = done.stderr.splitlines()
    assert [fault.split(": ")[:2] for fault in faults] == [
        ["items.jsonl:3", "titel"],
        ["items.jsonl:3", "title"],
        ["items.jsonl:3", "id"],
        ["items.jsonl:3", "fields.price"],
    ]
    assert last.startswith("slotbeam: 4 faults; the first: items.jsonl:3: titel: unknown key")


@pytest.mark.parametrize("command", [("train", "--out", "{}/out"), ("kae", "groups"), ("eval", "--baseline-only")])
def test_every_command_that_reads_a_catalog_tells_the_same_faults_first(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    from support.processes import CLI

    catalog = written(tmp_path / "items.jsonl", [*GOOD, *GOOD])
    written(tmp_path / "log.jsonl", [{"query": "mug", "item_id": "m1"}])
    more = ("--world", str(tmp_path / "log.jsonl")) if command[0] == "eval" else ()
    arguments = [part.format(tmp_path) for part in command]
    done = subprocess.run(
        [*CLI, *arguments, "--catalog", str(catalog), *more], capture_output=True, text=True, env=environment()
    )
    assert done.returncode == 1
    assert [line.split(": ")[:2] for line in done.stderr.splitlines()[-3:-1]] == [
        ["items.jsonl:3", "id"],
        ["items.jsonl:4", "id"],
    ]
    assert not [path for path in tmp_path.iterdir() if path.is_dir()], "nothing was begun"


def test_training_without_an_output_says_what_to_give(tmp_path: Path) -> None:
    done = check("--catalog", str(written(tmp_path / "items.jsonl", GOOD)), command=("train",))
    assert (done.returncode, done.stderr) == (
        1,
        "slotbeam: where to? give --out DIRECTORY, or --check to check the catalog alone\n",
    )
