"""What is asked: how much of everything, and which queries."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from slotbeam.errors import SetupError
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact

UNPACKED = {"Accept-Encoding": "identity"}
"""Sent with queries: over loopback packed answers only cost."""


@dataclass(frozen=True)
class Load:
    """How much is asked.

    Attributes:
        queries: of the pipeline, at most.
        warm_up: queries before those that count.
        requests: of the data plane.
        edits: of the control plane.
        pairs: of one process and several, each asked `requests` times.
        k: items wanted of each query.
        rate, seconds: items a second that are put, and for how long.
        puts, patches: items that are put one by one, and whose fields are patched.
        live: items that a switch of the index takes along.
        after_s: seconds after a switch that count as part of it: the index of before is let go of.
        found: items that are asked by their titles.
    """

    queries: int = 300
    warm_up: int = 20
    requests: int = 200
    edits: int = 100
    pairs: int = 10
    k: int = 350
    rate: float = 200.0
    seconds: float = 60.0
    puts: int = 300
    patches: int = 20_000
    found: int = 500
    live: int = 1000
    after_s: float = 1.0


def title_heads(artifact: Artifact, count: int, seed: int = 0) -> list[str]:
    """Return `count` queries: the first two to four words of random titles."""
    rng, titles = random.Random(seed), artifact.catalog.titles
    heads = (" ".join(titles[rng.randrange(len(titles))].split()[: rng.randint(2, 4)]) for _ in range(count))
    return [head[:256] for head in heads if normalize(head)]


def read_queries(path: Path, count: int) -> list[str]:
    """Return at most `count` lines of a file, evenly spread. Raises `SetupError` when there is none."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if not lines:
        raise SetupError(f"{path} holds no query; give one a line")
    return lines[:: max(1, len(lines) // count)][:count]
