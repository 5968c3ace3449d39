"""Open-loop load on `/retrieve` beyond what it can do, from callers who give up: python loadtest/overload.py --help.

Goodput is the rate of answers that came while their caller still waited. It is measured at the rate that a few callers
reach who wait for each answer (the peak), and at multiples of the peak, at which queries arrive whether the last ones
were answered or not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

QUERIES = ("red shoes", "wireless headphones", "kids winter jacket", "steel water bottle", "gaming laptop 16 gb")
CALLERS = (2, 4, 8)


@dataclass
class Target:
    """A data plane, and connections to it that are kept open while their answers come in time."""

    url: str
    k: int
    timeout_s: float
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def ask(self, number: int) -> str:
        """One query; its status, or `gave up` after `timeout_s`, when the connection is closed."""
        body = json.dumps({"query": QUERIES[number % len(QUERIES)], "k": self.k}).encode()
        head = f"POST /retrieve HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        try:
            async with asyncio.timeout(self.timeout_s), self._connection() as (reader, writer):
                writer.write(head.encode() + b"\r\n\r\n" + body)
                return (await _reply(reader))[0]
        except TimeoutError:
            return "gave up"
        except (OSError, asyncio.IncompleteReadError):
            return "refused or lost"

    async def metrics(self) -> Counter[str]:
        """Return the requests by outcome so far."""
        async with self._connection() as (reader, writer):
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n")
            text = (await _reply(reader))[1].decode()
        found = re.findall(r'^slotbeam_retrieve_requests_total{outcome="(\w+)"} (\S+)', text, re.MULTILINE)
        return Counter({outcome: int(float(count)) for outcome, count in found})

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Lend an idle connection or a new one; it is closed unless it was left in good order."""
        parts = urlsplit(self.url)
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof():
                break
            writer.close()
        else:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            yield reader, writer
        except BaseException:
            writer.transport.abort()
            raise
        self.idle.append((reader, writer))


async def _reply(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Status and body of one answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    [length] = re.findall(r"(?i)^content-length: (\d+)", head, re.MULTILINE)
    return head.split(maxsplit=2)[1], await reader.readexactly(int(length))


async def waiting(target: Target, callers: int, seconds: float) -> tuple[Counter[str], float]:
    """Let `callers` ask one query after the other. Returns what came of them, and the seconds it took."""
    outcomes: Counter[str] = Counter()
    began = time.perf_counter()

    async def call(first: int) -> None:
        number = first
        while time.perf_counter() - began < seconds:
            outcomes[await target.ask(number)] += 1
            number += callers

    await asyncio.gather(*map(call, range(callers)))
    return outcomes, time.perf_counter() - began


async def arriving(target: Target, rate: float, seconds: float, seed: int) -> tuple[Counter[str], float]:
    """Ask `rate` queries a second with exponential gaps, whatever came of the last ones."""
    outcomes: Counter[str] = Counter()
    running: set[asyncio.Task[None]] = set()
    rng, number = random.Random(seed), 0
    began = due = time.perf_counter()

    async def one(number: int) -> None:
        outcomes[await target.ask(number)] += 1

    while (due := due + rng.expovariate(rate)) - began < seconds:
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        task = asyncio.create_task(one(number))
        running.add(task)
        task.add_done_callback(running.discard)
        number += 1
    took = time.perf_counter() - began
    await asyncio.gather(*running)
    return outcomes, took


@dataclass
class Row:
    """What came of one kind of load, over all rounds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    decoded: int = 0

    @property
    def goodput(self) -> float:
        return self.outcomes["200"] / self.seconds

    def add(self, measured: tuple[Counter[str], float], decoded: int) -> None:
        self.outcomes += measured[0]
        self.seconds += measured[1]
        self.decoded += decoded


async def measure(target: Target, multiples: list[float], seconds: float, rounds: int, seed: int) -> None:
    """Print a line for the peak and for each multiple of it; measured in turn, as the machine's own load varies."""
    rates = {}
    for callers in CALLERS:
        outcomes, took = await waiting(target, callers, seconds)
        rates[callers] = outcomes["200"] / took
    best = max(rates, key=lambda callers: rates[callers])
    peak, rows = Row(), {multiple: Row() for multiple in multiples}
    for number in range(rounds):
        peak.add(await waiting(target, best, seconds), 0)
        for multiple, row in rows.items():
            before = await target.metrics()
            measured = await arriving(target, multiple * peak.goodput, seconds, seed + number)
            row.add(measured, (await target.metrics() - before)["ok"])
    print(f"peak {peak.goodput:.1f} answers/s, {best} callers, k = {target.k}, given up after {target.timeout_s:g} s")
    for multiple, row in rows.items():
        print(
            f"{multiple:g} × peak: {row.goodput:.1f} answers/s in time ({row.goodput / peak.goodput:.0%} of the peak), "
            f"{row.decoded} decoded, {dict(sorted(row.outcomes.items()))}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path(os.environ.get("SLOTBEAM_DATA_DIR", "data")))
    parser.add_argument("--url", help="data plane; DATA_DIR/up.json says it otherwise")
    parser.add_argument("--timeout", type=float, default=0.3, help="seconds after which a caller gives up")
    parser.add_argument("--multiples", type=float, nargs="+", default=[1, 2, 3], help="of the peak")
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5, help="of all measurements in turn")
    parser.add_argument("--k", type=int, default=350)
    parser.add_argument("--seed", type=int, default=0, help="of the gaps between arrivals")
    options = parser.parse_args()
    url = options.url or json.loads((options.data_dir / "up.json").read_text())["data"]
    target = Target(url, options.k, options.timeout)
    with suppress(KeyboardInterrupt):
        asyncio.run(measure(target, options.multiples, options.seconds, options.rounds, options.seed))


if __name__ == "__main__":
    main()
