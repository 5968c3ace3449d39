"""docs/architecture.md draws the layers that import-linter holds, and names every room."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from support.pointers import ROOT, tree

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
Layers = list[frozenset[str]]


def held(contract: dict[str, Any]) -> Layers:
    """Modules of each layer, the top first; those of `slotbeam` without its name."""
    return [
        frozenset(re.sub(r"^slotbeam\.|[()]", "", name) for name in re.split(r" [|:] ", layer))
        for layer in contract["layers"]
    ]


def drawn() -> tuple[Layers, dict[str, Layers]]:
    """Rooms of each line of the drawing; and by the first room of a line the floors behind it."""
    [drawing] = re.findall(r"^```\n(cli\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    rooms: Layers = []
    floors: dict[str, Layers] = {}
    for line in drawing.splitlines():
        left, *right = re.split(r" {4,}", line)
        rooms.append(frozenset(left.split(", ")))
        if right:
            floors[left.split(", ")[0]] = [frozenset(each.strip().split(", ")) for each in right[0].split(">")]
    return rooms, floors


def test_the_layers_that_are_drawn_are_those_that_are_held() -> None:
    layered = [contract for contract in CONTRACTS if contract["type"] == "layers"]
    [rooms] = [held(contract) for contract in layered if "containers" not in contract]
    inside = {c["containers"][0].removeprefix("slotbeam."): held(c) for c in layered if "containers" in c}
    assert drawn() == (rooms, inside)


def test_every_room_and_every_module_beside_them_is_in_the_table_and_in_the_layers() -> None:
    found = (re.fullmatch(r"service/slotbeam/(?:(\w+)/__init__|(\w+))\.py", name) for name in tree())
    there = {each[1] or each[2] for each in found if each} - {"__init__"} | {"slotbeam_train", "slotbeam_lab"}
    told = re.findall(r"^\|( `[^|]*) \|", PAGE, re.MULTILINE)
    assert there == set(re.findall(r"`(\w+)/?`", " ".join(told))) == frozenset().union(*drawn()[0])
