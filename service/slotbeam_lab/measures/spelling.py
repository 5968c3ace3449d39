"""What spelling correction is worth: recall of misspelt queries, and right queries that it changes.

`python -m slotbeam_lab.measures.spelling ARTIFACT ASKED RIGHT` prints the figures as JSON (docs/evaluation.md).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import slotbeam.search.spelling as spelling
from slotbeam.errors import InputError
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.reading import read_query
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings
from slotbeam_lab.measures.misspell import KINDS, misspelt

Asked = tuple[str, frozenset[str]]
"""A canonical query and the ids that are right."""


class _NoContext(spelling.Speller):
    def _fits(self, *_: Any) -> bool:
        return True


class _NoSpaces(spelling.Speller):
    def _split(self, word: str) -> Any:
        return iter(())

    def _joined(self, *_: Any) -> Any:
        return iter(())


class _EachForItself(spelling.Speller):
    def consider(self, *args: Any) -> Any:
        return self.each(*args)


class _Endings(spelling.Speller):
    @staticmethod
    def _is_slip(typed: str, meant: str, slips: int) -> bool:
        return slips < 2 or typed[0] == meant[0]


def variants(artifact: Artifact) -> dict[str, Callable[[], spelling.Speller]]:
    """Return the speller as it is served, and with a part of it taken out."""
    kinds = {
        "as served": spelling.Speller,
        "no context": _NoContext,
        "no spaces": _NoSpaces,
        "each word for itself": _EachForItself,
        "endings are slips": _Endings,
    }
    return {name: partial(kind, artifact.kae, artifact.catalog) for name, kind in kinds.items()}


def measure(
    artifact: Artifact, asked: Sequence[Asked], right: Sequence[str], k: int = 100, seed: int = 0
) -> dict[str, Any]:
    """Return recall@k of right and misspelt queries, and how many right ones are changed, for each variant."""
    draws, language = Random(seed), artifact.folding.language
    made = [(kind, misspelt(query, kind, draws, language), query, ids) for query, ids in asked for kind in KINDS]
    usable = [
        (kind, normalize(slip), query, ids) for kind, slip, query, ids in made if slip and normalize(slip) != query
    ]
    found: dict[str, Any] = {"language": language, "misspelt": len(usable), "right": len(right)}
    found["recall"] = {"right": _recall(artifact, [(q, ids) for _, _, q, ids in usable], k, False)}
    found["recall"]["uncorrected"] = _recall(artifact, [(slip, ids) for _, slip, _, ids in usable], k, False)
    for name, make in variants(artifact).items():
        artifact.__dict__["speller"] = make()
        of = {"all": _recall(artifact, [(slip, ids) for _, slip, _, ids in usable], k, True)}
        if name == "as served":
            of |= {
                kind: _recall(artifact, [(s, ids) for own, s, _, ids in usable if own == kind], k, True)
                for kind in KINDS
            }
        read = [(query, read_query(Snapshot(artifact), SearchRequest(query))) for query in right]
        changed = [(query, reading.text) for query, reading in read if reading.corrected]
        found["recall"][name] = of
        found.setdefault("changed", {})[name] = len(changed)
        if name == "as served":
            found["changes"] = changed
    artifact.__dict__["speller"] = spelling.Speller(artifact.kae, artifact.catalog)
    found["read_us"] = _time(artifact, [slip for _, slip, _, _ in usable], [*right])
    return found


def _recall(artifact: Artifact, asked: Sequence[Asked], k: int, corrects: bool) -> float:
    values = []
    for query, ids in asked:
        rows = retrieve(Snapshot(artifact), SearchRequest(query, k=k, spelling=corrects), Timings()).hits.rows
        values.append(len(ids & set(artifact.catalog.ids.take(rows))) / len(ids))
    return round(float(np.mean(values)), 4) if values else 0.0


def _time(artifact: Artifact, slips: Sequence[str], right: Sequence[str]) -> dict[str, float]:
    """Return the median µs of reading a query, interleaved with spelling off."""
    snapshot, taken = Snapshot(artifact), {}
    for name, queries in {"misspelt": slips, "right": right}.items():
        spent: dict[bool, list[float]] = {True: [], False: []}
        for query in queries[:1000]:
            for corrects in (False, True):
                started = time.perf_counter()
                read_query(snapshot, SearchRequest(query, spelling=corrects, normalised=True))
                spent[corrects].append(time.perf_counter() - started)
        for corrects, seconds in spent.items():
            taken[f"{name}, {'on' if corrects else 'off'}"] = round(float(np.median(seconds)) * 1e6, 1)
    return taken


def main(artifact: str, asked: str, right: str) -> None:
    """Print the figures: `asked` has a line `{"query": …, "ids": […]}` a query, `right` a query a line."""
    rows = [json.loads(line) for line in Path(asked).read_text(encoding="utf-8").splitlines()]
    queries = [(normalize(row["query"]), frozenset(row["ids"])) for row in rows]
    others = [normalize(line) for line in Path(right).read_text(encoding="utf-8").splitlines()]
    found = measure(Artifact.load(artifact), queries, [line for line in others if 0 < len(line) <= 256])
    print(json.dumps(found, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise InputError("give an artifact, a file of asked queries and one of right queries")
    main(*sys.argv[1:])
