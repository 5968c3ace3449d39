"""Write a world to a directory."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from slotbeam.files import sha256_of
from slotbeam.types import Progress
from slotbeam_lab.world.attributes import Products
from slotbeam_lab.world.lexicon import Lexicon
from slotbeam_lab.world.options import DAYS, WorldOptions, generator_hash
from slotbeam_lab.world.planting import late_rows, plant, traffic_rows
from slotbeam_lab.world.texts import CHUNK, item_id, item_rows
from slotbeam_lab.world.traffic import Requests, Traffic
from slotbeam_lab.world.typist import Typist

RECENT_QUERIES, RECENT_ITEMS = 3, 5


def make_world(out: Path, options: WorldOptions | None = None, progress: Progress | None = None) -> dict[str, Any]:
    """Make a world and return what `world.json` says.

    Files: `items.jsonl` (catalog), `items_late.jsonl` (descriptions edited on the last day), `log.jsonl` (days 1
    to 30), `test.jsonl` (day 31), `trend.jsonl` (searches for planted words on day 31), `planted.jsonl`, `world.json`.

    Args:
        out: directory to write; made when missing.
        options: parameters; None is the default world.
        progress: called with (what, done, total).
    """
    options = options or WorldOptions()
    report = progress or (lambda what, done, total: None)
    out.mkdir(parents=True, exist_ok=True)
    products = Products(Lexicon(options.seed, options.items))
    typist = Typist(products.lexicon, options.vocabulary_gap)
    counts = {"items": options.items}
    with (out / "items.jsonl").open("wb") as file:
        for start in range(0, options.items, CHUNK):
            stop = min(start + CHUNK, options.items)
            file.write(_lines(item_rows(products, start, stop)))
            report("items", stop, options.items)
    planted = plant(products, typist, options.planted)
    _write(out / "planted.jsonl", (planting.row(products) for planting in planted))
    _write(out / "items_late.jsonl", late_rows(products, planted))
    counts["trend"] = _write(out / "trend.jsonl", traffic_rows(products, typist, planted, DAYS))
    counts |= _log(out, products, typist, round(options.items * options.requests_per_item), report)
    facts = {
        "format": 1,
        "generator": generator_hash(),
        "parameters": asdict(options),
        "days": DAYS,
        "counts": counts,
        "planted_words": [planting.word for planting in planted],
        "files": {path.name: sha256_of(path) for path in sorted(out.glob("*.jsonl"))},
    }
    (out / "world.json").write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    return facts


def _log(out: Path, products: Products, typist: Typist, wanted: int, report: Progress) -> dict[str, int]:
    """Write the log by way of one file a day, so that it is in time order and memory stays flat."""
    traffic = Traffic(products)
    parts = [out / f"log.day{day:02d}.part" for day in range(1, DAYS + 1)]
    lines = [0] * DAYS
    requests = block = 0
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in parts]
        while requests < wanted:
            made = traffic.block(block)
            for day, row in _interactions(products, typist, made, wanted - requests):
                files[day - 1].write(row)
                lines[day - 1] += 1
            requests, block = requests + len(made.user), block + 1
            report("requests", min(requests, wanted), wanted)
    with (out / "log.jsonl").open("wb") as log:
        for path in parts[:-1]:
            with path.open("rb") as part:
                shutil.copyfileobj(part, log)
            path.unlink()
    parts[-1].replace(out / "test.jsonl")
    return {"requests": min(requests, wanted), "log": sum(lines[:-1]), "test": lines[-1]}


def _interactions(products: Products, typist: Typist, made: Requests, most: int) -> Iterator[tuple[int, bytes]]:
    """Yield (day, line) of every click and order of a block's first `most` requests, with the user's history."""
    made = Requests(*(getattr(made, name)[:most] for name in Requests.__slots__))
    turn = np.arange(len(made.user)) - np.searchsorted(made.user, made.user)
    queries = typist.queries(made.user, turn, made.words, made.said)
    public = products.public(made.shown).tolist()
    last, texts, items = -1, list[str](), list[str]()
    rows = zip(made.user.tolist(), made.day.tolist(), queries, public, made.chosen.tolist(), strict=True)
    for user, day, query, shown, chosen in rows:
        if user != last:
            last, texts, items = user, [], []
        clicked = [(place, how) for place, how in enumerate(chosen) if how]
        for place, how in clicked:
            row = {
                "query": query,
                "item_id": item_id(shown[place]),
                "kind": "order" if how == 2 else "click",
                "day": day,
                "user": f"u{user}",
                "recent_queries": texts[-RECENT_QUERIES:],
                "recent_item_ids": items[-RECENT_ITEMS:],
                "position": place + 1,
            }
            yield day, orjson.dumps(row) + b"\n"
        texts.append(query)
        items += [item_id(shown[place]) for place, _ in clicked]


def _lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps(row) + b"\n")
            count += 1
    return count
