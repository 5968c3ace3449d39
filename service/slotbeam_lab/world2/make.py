"""Write a world 2 to a directory: the files and schemas of world 1."""

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
from slotbeam_lab.world.options import DAYS
from slotbeam_lab.world2.lexicon import Lexicon2
from slotbeam_lab.world2.options import World2Options, generator_hash
from slotbeam_lab.world2.planting import late_rows, plant, traffic_rows
from slotbeam_lab.world2.products import Products2
from slotbeam_lab.world2.texts import CHUNK, item_id, item_rows
from slotbeam_lab.world2.traffic import CAMPAIGN, Requests2, Traffic2
from slotbeam_lab.world2.typist import Typist2

RECENT_QUERIES, RECENT_ITEMS = 3, 5


def make_world2(out: Path, options: World2Options | None = None, progress: Progress | None = None) -> dict[str, Any]:
    """Make a world 2 and return what `world.json` says.

    Files: as `make_world` of world 1, plus in `world.json` the `version` and the `campaign`.

    Args:
        out: directory to write; made when missing.
        options: parameters; None is the default world 2.
        progress: called with (what, done, total).
    """
    options = options or World2Options()
    report = progress or (lambda what, done, total: None)
    out.mkdir(parents=True, exist_ok=True)
    products = Products2(Lexicon2(options.seed, options.items))
    typist, traffic = Typist2(products.lexicon, options.vocabulary_gap), Traffic2(products)
    with (out / "items.jsonl").open("wb") as file:
        for start in range(0, options.items, CHUNK):
            stop = min(start + CHUNK, options.items)
            file.write(b"".join(_line(row) for row in item_rows(products, start, stop)))
            report("items", stop, options.items)
    planted = plant(products, typist, options.planted)
    _write(out / "planted.jsonl", (planting.row(products) for planting in planted))
    _write(out / "items_late.jsonl", late_rows(products, planted))
    counts = {"items": options.items}
    counts["trend"] = _write(out / "trend.jsonl", traffic_rows(products, typist, planted, DAYS))
    counts |= _log(out, traffic, typist, round(options.items * options.requests_per_item), report)
    facts = {
        "format": 1,
        "version": 2,
        "generator": generator_hash(),
        "parameters": asdict(options),
        "days": DAYS,
        "campaign": {"days": CAMPAIGN, "department": products.lexicon.departments[traffic.campaign].name},
        "counts": counts,
        "planted_words": [planting.word for planting in planted],
        "files": {path.name: sha256_of(path) for path in sorted(out.glob("*.jsonl"))},
    }
    (out / "world.json").write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    return facts


def _log(out: Path, traffic: Traffic2, typist: Typist2, wanted: int, report: Progress) -> dict[str, int]:
    """Write the log by way of one file a day, so that it is in time order and memory stays flat."""
    parts = [out / f"log.day{day:02d}.part" for day in range(1, DAYS + 1)]
    lines = [0] * DAYS
    requests = block = 0
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in parts]
        while requests < wanted:
            made = first(traffic.block(block), wanted - requests)
            for row in interactions(traffic.products, typist, made):
                files[row["day"] - 1].write(_line(row))
                lines[row["day"] - 1] += 1
            requests, block = requests + len(made.user), block + 1
            report("requests", requests, wanted)
    with (out / "log.jsonl").open("wb") as log:
        for path in parts[:-1]:
            with path.open("rb") as part:
                shutil.copyfileobj(part, log)
            path.unlink()
    parts[-1].replace(out / "test.jsonl")
    return {"requests": requests, "log": sum(lines[:-1]), "test": lines[-1]}


def first(made: Requests2, most: int) -> Requests2:
    """Return a block's first `most` requests."""
    return Requests2(*(getattr(made, name)[:most] for name in Requests2.__slots__))


def interactions(products: Products2, typist: Typist2, made: Requests2) -> Iterator[dict[str, Any]]:
    """Yield every click and order of a block, with the user's history; users `b…` are crawlers."""
    turn = np.arange(len(made.user)) - np.searchsorted(made.user, made.user)
    queries = typist.queries(made.user, turn, made.words, made.said)
    public, robots = products.public(made.shown).tolist(), made.crawler.tolist()
    last, texts, items = -1, list[str](), list[str]()
    rows = zip(made.user.tolist(), made.day.tolist(), robots, queries, public, made.chosen.tolist(), strict=True)
    for user, day, robot, (query, _), shown, chosen in rows:
        if user != last:
            last, texts, items = user, [], []
        clicked = [(place, how) for place, how in enumerate(chosen) if how]
        for place, how in clicked:
            yield {
                "query": query,
                "item_id": item_id(shown[place]),
                "kind": "order" if how == 2 else "click",
                "day": day,
                "user": f"{'b' if robot else 'u'}{user}",
                "recent_queries": texts[-RECENT_QUERIES:],
                "recent_item_ids": items[-RECENT_ITEMS:],
                "position": place + 1,
            }
        texts.append(query)
        items += [item_id(shown[place]) for place, _ in clicked]


def _line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row) + b"\n"


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(_line(row))
            count += 1
    return count
