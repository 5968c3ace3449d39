"""How many requests a second several data planes behind one port answer, beside one."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from slotbeam.bench.load import Load
from slotbeam.bench.service import running_up
from slotbeam.errors import SetupError

CALLERS = 4
"""For each process: enough that none of them waits for work."""


def bench_throughput(artifact: Path, texts: Sequence[str], processes: int, load: Load) -> dict[str, Any]:
    """Ask one `slotbeam up` of one data plane and one of `processes` in turn, in pairs whose order is drawn.

    Returns:
        `callers` at the same time, `one` and `several` (median requests/s), `ratio` (median of the pairs) and
        `interval` (the middle nine tenths of them).
    """
    rng, pairs = random.Random(0), []
    callers = CALLERS * processes
    with running_up(artifact, processes=1) as one, running_up(artifact, processes=processes) as several:
        arms = {"one": one["data"], "several": several["data"]}
        for number in range(load.pairs + 1):
            pair = {}
            for arm in rng.sample(sorted(arms), 2):
                pair[arm] = asyncio.run(_rate(arms[arm], texts, callers, load))
            if number:  # the first warms up
                pairs.append((pair["one"], pair["several"]))
    rates = np.asarray(pairs)
    ratios = rates[:, 1] / rates[:, 0]
    return {
        "processes": processes,
        "callers": callers,
        "pairs": len(pairs),
        "one": round(float(np.median(rates[:, 0])), 1),
        "several": round(float(np.median(rates[:, 1])), 1),
        "ratio": round(float(np.median(ratios)), 3),
        "interval": [round(float(bound), 3) for bound in np.quantile(ratios, [0.05, 0.95])],
    }


async def _rate(url: str, texts: Sequence[str], callers: int, load: Load) -> float:
    """Return the requests/s of `callers`, each on a connection of its own, that share `load.requests` out."""
    left = iter(range(load.requests))
    started = time.perf_counter()
    await asyncio.gather(*(_call(url, texts, left, load.k) for _ in range(callers)))
    return load.requests / (time.perf_counter() - started)


async def _call(url: str, texts: Sequence[str], left: Any, k: int) -> None:
    """Ask without pause. A client as cheap as can be: it takes the cores that it measures."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for number in left:
        body = orjson.dumps({"query": texts[number % len(texts)], "k": k})
        head = (
            f"POST /retrieve HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        )
        writer.write(head.encode() + b"\r\n\r\n" + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SetupError(f"/retrieve answered {answer.splitlines()[0].decode()}; see the log of the data plane")
        length = next(line for line in answer.lower().splitlines() if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
    writer.close()
    await writer.wait_closed()
