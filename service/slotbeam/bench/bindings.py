"""What many live bindings cost: a query beside them, an edit, and a data plane that starts."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from slotbeam.bench.load import Load
from slotbeam.bench.service import bench_commits, bench_http, running_up
from slotbeam.errors import SetupError
from slotbeam.kae.categories import CATEGORIES
from slotbeam.search.artifact import Artifact

_ROWS, _ITEMS = 1000, 12
"""Bindings of one file, and items of each."""
_CALL_S, _START_S = 120, 60
_SYLLABLES = ("ba", "ko", "ti", "mu", "re", "sol", "vin", "dra", "pek", "lu", "zor", "qui")


def bench_bindings(
    directory: Path, artifact: Artifact, texts: Sequence[str], bindings: int, load: Load
) -> dict[str, Any]:
    """Ask a `slotbeam up` without bindings and one with so many in turn; edit the latter; end its data plane.

    Args:
        directory: of the artifact.
        artifact: the same, loaded.
        texts: queries, which trigger no binding.
        bindings: of words that nobody knows, 12 items each.
        load: `pairs` of `requests`, and how many edits.

    Returns:
        `bindings`, `alone` and `bound` (median ms of a request), `ratio` (median of the pairs) and `interval` (the
        middle nine tenths of them); `edit_ms` (p50, p99, until it is acknowledged), `live_ms` (p50, p99, from there
        until the data plane serves it), `start_s` (until a data plane that was killed serves them again).

    Raises:
        SetupError: what was bound is not served in time.
    """
    pairs = []
    with running_up(directory) as alone, running_up(directory) as bound:
        _bind(bound, artifact, bindings)
        rng, small = random.Random(0), replace(load, requests=max(1, load.requests // load.pairs))
        for number in range(load.pairs + 1):
            pair = {}
            for arm in rng.sample((0, 1), 2):
                pair[arm] = float(np.median(bench_http((alone, bound)[arm]["data"], texts, small)))
            if number:  # the first warms up
                pairs.append((pair[0], pair[1]))
        answered, live = bench_commits(bound, artifact.catalog.ids[0], load)
        start_s = _start(bound)
    seconds = np.asarray(pairs)
    ratios = seconds[:, 1] / seconds[:, 0]
    return {
        "bindings": bindings,
        "alone": round(float(np.median(seconds[:, 0]) * 1000), 3),
        "bound": round(float(np.median(seconds[:, 1]) * 1000), 3),
        "ratio": round(float(np.median(ratios)), 3),
        "interval": [round(float(bound), 3) for bound in np.quantile(ratios, [0.05, 0.95])],
        "edit_ms": [round(float(ms), 1) for ms in np.percentile(np.asarray(answered) * 1000, [50, 99])],
        "live_ms": [round(float(ms), 1) for ms in np.percentile(np.asarray(live) * 1000, [50, 99])],
        "start_s": round(start_s, 2),
    }


def _bind(addresses: dict[str, Any], artifact: Artifact, bindings: int) -> None:
    rng, ids = random.Random(0), artifact.catalog.ids
    rows = [
        {
            "words": [f"{''.join(rng.choice(_SYLLABLES) for _ in range(6))}{_numbered(number)}"],
            "category": CATEGORIES[number % len(CATEGORIES)],
            "items": sorted({ids[rng.randrange(len(ids))] for _ in range(_ITEMS)}),
        }
        for number in range(bindings)
    ]
    headers = {"Authorization": f"Bearer {addresses['token']}"}
    with httpx.Client(base_url=addresses["admin"], headers=headers, timeout=_CALL_S, trust_env=False) as client:
        for start in range(0, len(rows), _ROWS):
            params = {"wait": "all", "timeout": "60s"}
            answer = client.post("/admin/slots:import", json=rows[start : start + _ROWS], params=params)
            if answer.status_code != 200:
                raise SetupError(f"{_ROWS} bindings were answered with {answer.status_code}: {answer.text[:300]}")


def _numbered(number: int) -> str:
    """Return a number in syllables, so that no two words are alike."""
    digits = [number // 12**power % 12 for power in range(4)]
    return "".join(_SYLLABLES[digit] for digit in digits)


def _start(addresses: dict[str, Any]) -> float:
    """End the data plane, and return how long it takes until `up` has another one that serves the same revision."""
    with httpx.Client(base_url=addresses["data"], timeout=_START_S, trust_env=False) as client:
        before = client.get("/info").json()["bindings"]["revision"]
        began = time.perf_counter()
        os.kill(addresses["children"]["serve"], signal.SIGKILL)
        while time.perf_counter() < began + _START_S:
            try:
                told = client.get("/info").json()["bindings"]
                if told["revision"] == before:
                    return time.perf_counter() - began
            except (httpx.HTTPError, KeyError):
                pass
            time.sleep(0.05)
    raise SetupError(f"the data plane did not serve revision {before} again within {_START_S} s")
