"""What a query costs while the index is switched, beside what it costs while nothing happens."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from slotbeam.bench.items import live_batch, new_items
from slotbeam.bench.load import UNPACKED, Load
from slotbeam.errors import SetupError
from slotbeam.search.artifact import Artifact, read_manifest, save_manifest

_WAIT_S, _CALL_S = 60, 120
_TWINS = ("twin-a", "twin-b")


def bench_switch(
    directory: Path, artifact: Artifact, addresses: dict[str, Any], texts: Sequence[str], switches: int, load: Load
) -> dict[str, Any]:
    """Switch between two indexes of the same items in a `slotbeam up`, one caller asking its data plane without pause.

    Each switch is preceded by as long a time without one. Live items, which every index lacks, go along.

    Args:
        directory: of the artifact.
        artifact: the same, loaded.
        addresses: of the `up`.
        texts: queries.
        switches: how many.
        load: `k`, `live` items, and how long after it a switch may be felt.

    Returns:
        `switches`, `live`, `seconds` (median of a switch, until all replicas serve it), `asked` and `failed` requests;
        `idle_ms` and `switching_ms` (p50, p99), `ratio` of the two p99, `interval` (the middle nine tenths of it, with
        switches drawn at random).

    Raises:
        SetupError: a replica did not serve an index in time.
    """
    indexes = Path(addresses["data_dir"]) / "indexes"
    for name in _TWINS:
        _twin(directory, indexes / name)
    headers = {"Authorization": f"Bearer {addresses['token']}"}
    caller = _Caller(addresses["data"], texts, load.k)
    caller.start()
    spans = []
    try:
        with httpx.Client(base_url=addresses["admin"], headers=headers, timeout=_CALL_S, trust_env=False) as client:
            live_batch(client, new_items(artifact, load.live))
            seconds = _switch(client, _TWINS[1], load)  # warms up, and says how long one takes
            for number in range(switches):
                idle = time.perf_counter()
                time.sleep(seconds)
                began = time.perf_counter()
                seconds = _switch(client, _TWINS[number % 2], load)
                spans.append((idle, began, time.perf_counter()))
    finally:
        caller.stop()
    return {"switches": switches, "live": load.live, **caller.between(spans, load.after_s)}


def _switch(client: httpx.Client, name: str, load: Load) -> float:
    """Activate an index; return how many seconds it took and is felt."""
    began = time.perf_counter()
    wait = {"wait": "all", "timeout": f"{_WAIT_S}s"}
    answer = client.post(f"/admin/indexes/{name}:activate", params=wait)
    answer.raise_for_status()
    if answer.status_code != 200:
        raise SetupError(f"{name} was not served by all replicas after {_WAIT_S} s: {answer.json()['propagation']}")
    time.sleep(load.after_s)
    return time.perf_counter() - began


def _twin(directory: Path, place: Path) -> None:
    """Make the same artifact under another name; of one disk its files are shared."""

    def linked(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)

    shutil.copytree(directory, place, copy_function=linked)
    save_manifest(place, {**read_manifest(directory), "name": place.name})


class _Caller:
    """Asks a data plane, one request after the other, in a thread of its own.

    Attributes:
        asked: (begun, seconds, whether it was answered with 200) of each request.
    """

    def __init__(self, url: str, texts: Sequence[str], k: int) -> None:
        self._url, self._texts, self._k = url, texts, k
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.asked: list[tuple[float, float, bool]] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(_CALL_S)

    def _ask(self) -> None:
        with httpx.Client(base_url=self._url, headers=UNPACKED, timeout=30, trust_env=False) as client:
            while not self._stop.is_set():
                body = {"query": self._texts[len(self.asked) % len(self._texts)], "k": self._k}
                began = time.perf_counter()
                try:
                    answered = client.post("/retrieve", json=body).status_code == 200
                except httpx.HTTPError:
                    answered = False
                self.asked.append((began, time.perf_counter() - began, answered))

    def between(self, spans: Sequence[tuple[float, float, float]], after_s: float) -> dict[str, Any]:
        """Compare what was asked in the two parts of each span, which begin, change over and end at these times."""
        asked = np.array(self.asked)
        parts = [[_ms(asked, first, last) for first, last in ((one, two), (two, three))] for one, two, three in spans]
        p99 = [np.percentile(np.concatenate([pair[side] for pair in parts]), 99) for side in (0, 1)]
        rng, drawn = random.Random(0), []
        for _ in range(1000):
            pairs = rng.choices(parts, k=len(parts))
            idle, switching = (np.percentile(np.concatenate([pair[side] for pair in pairs]), 99) for side in (0, 1))
            drawn.append(switching / idle)
        p50 = [np.percentile(np.concatenate([pair[side] for pair in parts]), 50) for side in (0, 1)]
        told = [[round(float(p50[side]), 2), round(float(p99[side]), 2)] for side in (0, 1)]
        return {
            "seconds": round(float(np.median([end - began for _, began, end in spans])) - after_s, 2),
            "asked": len(asked),
            "failed": int((asked[:, 2] == 0).sum()),
            "idle_ms": told[0],
            "switching_ms": told[1],
            "ratio": round(float(p99[1] / p99[0]), 3),
            "interval": [round(float(bound), 3) for bound in np.quantile(drawn, [0.05, 0.95])],
        }


def _ms(asked: np.ndarray[Any, Any], first: float, last: float) -> np.ndarray[Any, Any]:
    """Return the milliseconds of the requests that ran at a time between `first` and `last`."""
    began, seconds = asked[:, 0], asked[:, 1]
    return np.asarray(seconds[(began < last) & (began + seconds > first)] * 1000)
