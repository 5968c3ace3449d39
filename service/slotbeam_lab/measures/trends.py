"""Trend suggestions under unsteady noise: which are right, how many of the true trends come, and how soon.

A world 2 is replayed, query by query, through what the data planes count with and the control plane tests with. Each
department has its own hours; what a campaign lifts, what a crawler repeats and what one hour asks every day is noise.
`python -m slotbeam_lab.measures.trends WORLD ARTIFACT` prints the figures as JSON (docs/evaluation.md).
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import orjson

from slotbeam.kae.encode import Kae
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.unknown import WordResult, split_words, words_that
from slotbeam.suggestions.bursts import bursts, merge, read_counts
from slotbeam.suggestions.reporting import TrendReporter
from slotbeam.suggestions.trends import BUCKET_S
from slotbeam_lab.world.options import DAYS

DAY_S = 86_400
HABIT = 2.0
"""How much a department keeps to its hours: in its best one it is asked for 3 times as often as on average."""
HOURLY = (4, 3, 2, 2, 2, 3, 5, 8, 10, 11, 11, 12, 12, 12, 11, 11, 12, 13, 15, 17, 18, 17, 13, 8)
"""Traffic of a shop, by hour of the day."""
REPLICAS = 2
LOOKED_S = 60
"""Seconds between two looks while a trend that is not suggested yet is asked for; else they are at the end of hours."""
WANTED = 100
"""Queries that hold a true trend, after which it should have been suggested."""


class Search(NamedTuple):
    """One search: its time in seconds since day 0, what is typed, and who asks.

    Askers `u…` are users, `t…` those after a planted word, `b…` crawlers, `c…` followers of a campaign.
    """

    second: float
    query: str
    asker: str


@dataclass(slots=True)
class Suggested:
    """What was suggested.

    Attributes:
        needed: true trend → how many queries held it when it was suggested.
        wrong: every other word that was suggested → the day when it first was, and who asked for it most on it: the
            first letter of an asker.
        trends: how many there are.
    """

    trends: int = 0
    needed: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, tuple[int, str]] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        needed = sorted(self.needed.values())
        offered = len(needed) + len(self.wrong)
        return {
            "trends": self.trends,
            "precision": round(len(needed) / offered, 3) if offered else None,
            "recall": round(len(needed) / self.trends, 3) if self.trends else None,
            "within": sum(count <= WANTED for count in needed),
            "median": needed[len(needed) // 2] if needed else None,
            "most": needed[-1] if needed else None,
            "wrong": self.wrong,
        }


def searches(world: Path, days: Sequence[int], rng: Random, varied: bool = False) -> Iterator[list[Search]]:
    """Yield the searches of each day of a world, in order of time, planted trends with their noise on the last one.

    Args:
        world: its directory. days: of which, in order.
        rng: draws the times of the day: the world's rows of one day have no order.
        varied: crawlers put another search behind their word each time, as one that follows links does.
    """
    with (world / "items.jsonl").open("rb") as lines:
        departments = {row["id"]: row["fields"]["department"] for row in map(orjson.loads, lines)}
    peaks = {
        name: 24 * at / len(set(departments.values())) for at, name in enumerate(sorted(set(departments.values())))
    }

    def time_of(row: dict[str, Any]) -> float:
        while True:
            hour = rng.choices(range(24), HOURLY)[0] + rng.random()
            away = (hour - peaks[departments[row["item_id"]]]) / 24 * math.tau
            if rng.random() < math.exp(HABIT * (math.cos(away) - 1)):
                return hour * 3600

    made: dict[int, list[Search]] = {day: [] for day in days}
    for name in ("log", "test"):
        for row in _of_days(world / f"{name}.jsonl", days):
            start = row["day"] * DAY_S
            made[row["day"]].append(Search(start + time_of(row), row["query"], row["user"]))
    if DAYS in made:
        planted = list(_of_days(world / "trend.jsonl", days))
        for at, row in enumerate(planted):
            query = row["query"]
            if varied and row["user"][0] == "b":
                query = f"{query} {rng.choice(made[DAYS]).query}"
            second = DAYS * DAY_S + _wave(at / len(planted)) * DAY_S
            made[DAYS].append(Search(second, query, row["user"]))
    for day in days:
        yield sorted(made[day])


def _of_days(path: Path, days: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Rows of one user and query that follow each other are the choices after one search."""
    before, wanted = None, frozenset(days)
    with path.open("rb") as lines:
        for row in map(orjson.loads, lines):
            search = row["day"], row["user"], row["query"]
            if row["day"] in wanted and (search != before or path.stem == "trend"):
                before = search
                yield row


def _wave(share: float) -> float:
    """Return the time, as a share of the day, at which `share` of `trend.jsonl` is over: it has two waves."""
    return 0.2 + 0.3 * share / 0.4 if share < 0.4 else 0.55 + 0.35 * (share - 0.4) / 0.6


def suggested(
    days: Iterable[Sequence[Search]],
    unknown: Callable[[str], tuple[str, Sequence[str]]],
    trends: Sequence[str],
    named: bool = True,
) -> Suggested:
    """Replay searches through the reporters of `REPLICAS` data planes, and look at what they publish.

    Args:
        days: the searches of each day.
        unknown: a typed query → its canonical text and unknown words.
        trends: the true ones.
        named: whether requests say who asks (`X-Asker`).
    """
    now = looked = 0.0
    reporters = [TrendReporter(lambda: now) for _ in range(REPLICAS)]
    result, carried, asked = Suggested(len(trends)), Counter[str](), dict[str, Counter[str]]()
    true = frozenset(trends)

    def look() -> None:
        nonlocal looked
        looked = now
        for reporter in reporters:
            reporter.drain()
        published = [read_counts(each.counter.document()) for each in reporters]
        counts = merge((each for each in published if each), int(now) // BUCKET_S)
        for burst in bursts(counts.total, counts.words, counts.bucket):
            if burst.word in true:
                result.needed.setdefault(burst.word, carried[burst.word])
            else:
                by = asked.get(burst.word, Counter("-")).most_common(1)[0][0]
                result.wrong.setdefault(burst.word, (int(now) // DAY_S, by))

    for searched in days:
        asked.clear()
        for at, search in enumerate(searched):
            if search.second // BUCKET_S != now // BUCKET_S:
                look()  # what was asked in an hour is counted in it
            now = search.second
            text, words = unknown(search.query)
            reporters[at % REPLICAS].note(text, words, search.asker if named else "")
            for word in words:
                asked.setdefault(word, Counter())[search.asker[0]] += 1
            held = true.intersection(words)
            carried.update(held)
            if held - result.needed.keys() and now - looked >= LOOKED_S:
                look()
        look()
    return result


def reader(kae: Kae) -> Callable[[str], tuple[str, Sequence[str]]]:
    """Return what a data plane without bindings makes of a typed query: its canonical text and unknown words."""

    @lru_cache(1 << 18)
    def read(query: str) -> tuple[str, Sequence[str]]:
        text = normalize(query)
        return text, words_that(split_words(kae.encode(text), ()), WordResult.UNKNOWN)

    return read


def main() -> None:
    """Print the figures of one world and one dictionary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("world", type=Path, help="the directory of a world 2")
    parser.add_argument("artifact", type=Path, help="its dictionary says which words are unknown")
    parser.add_argument("--first-day", type=int, default=10, help="of the replay; what is suggested later counts")
    parser.add_argument("--varied", action="store_true", help="crawlers that put other words behind theirs")
    parser.add_argument("--unnamed", action="store_true", help="requests that do not say who asks")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    trends = orjson.loads((given.world / "world.json").read_bytes())["planted_words"]
    days = searches(given.world, range(given.first_day, DAYS + 1), Random(given.seed), given.varied)
    found = suggested(days, reader(Artifact.load(given.artifact).kae), trends, not given.unnamed)
    print(json.dumps(found.figures(), indent=1))


if __name__ == "__main__":
    main()
