"""A tiny world of 160 items, and the bindings that its next training absorbs."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from slotbeam_train.options import TrainOptions, preset
from support.shop import make_items
from support.training import make_log

KINDS = {**dict.fromkeys(("red", "green", "blue"), "color"), **dict.fromkeys(("acme", "bolt", "cobalt"), "brand")}
IDS = ("i003", "i004", "i010", "i017", "i042")
LABUBU = {"words": ["labubu", "la bu bu"], "category": "brand", "items": list(IDS), "state": "active"}


def small_options(**loop: Any) -> TrainOptions:
    """Seconds on one core, three reserved slots a position."""
    options = preset("tiny", **{"steps": 60, "batch": 32, "device": "cpu", "threads": 1, **loop})
    return replace(options, quiet=True, kae=replace(options.kae, reserved=3))


def write_world(directory: Path) -> Path:
    """Typed items and clicks; no text holds a bound word."""
    items = make_items(160)
    rows = []
    for item in items:
        attributes = {KINDS.get(word, "entity"): word for word in item.title.split()}
        rows.append({**dataclasses.asdict(item), "attributes": attributes})
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "items.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    log = [orjson.dumps(dataclasses.asdict(one)) for one in make_log(items, 300)]
    (directory / "log.jsonl").write_bytes(b"\n".join(log))
    return directory


def write_bindings(path: Path, *rows: Any) -> Path:
    path.write_bytes(orjson.dumps(list(rows)))
    return path
