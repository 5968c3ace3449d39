"""Trend suggestions on the synthetic world: how soon a planted word is offered, and how many offers are planted.

The counter hears days 29 and 30, then day 31 with the searches for planted words mixed in, five times in another
order: 200 bursts (docs/log-2026-11.md has 1 000). Every word is tested after each 50 queries, and a planted one
after each query that carries it.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from slotbeam.kae.encode import Kae
from slotbeam.language.normalize import normalize
from slotbeam.search.unknown import WordResult, is_countable, split_words, words_that
from slotbeam.suggestions.bursts import burst_of, bursts
from slotbeam.suggestions.trends import TrendCounter
from slotbeam_lab.world import WorldOptions, make_world
from support.sharing import Once

DEMO = Path(__file__).parents[2] / "model_artifacts" / "demo"
ROUNDS = 5
HOURS = 24

Query = tuple[str, list[str]]


@pytest.fixture(scope="module")
def world(once: Once) -> Path:
    """The shipped demo's world, with half of its searches."""
    return once("demo-world", lambda directory: make_world(directory, WorldOptions(requests_per_item=4)))


def requests(path: Path, days: tuple[int, ...]) -> Iterator[tuple[int, str]]:
    """The searches of some days: rows of one user and query that follow each other are the choices after one."""
    before = None
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["day"] in days and (row["user"], row["query"]) != before:
                before = (row["user"], row["query"])
                yield row["day"], row["query"]


def unknown(kae: Kae, text: str, known: dict[str, Query]) -> Query:
    if text not in known:
        canonical = normalize(text)
        words = words_that(split_words(kae.encode(canonical), ()), WordResult.UNKNOWN)
        known[text] = (canonical, [word for word in words if is_countable(word)])
    return known[text]


def day(counter: TrendCounter, number: int, queries: list[Query]) -> Iterator[tuple[int, Query]]:
    """Feed a day evenly over its hours."""
    for at, (text, words) in enumerate(queries):
        counter.add(text, words, number * HOURS + at * HOURS // len(queries))
        yield at, (text, words)


def test_a_planted_word_is_offered_within_100_queries_and_nine_offers_of_ten_are_planted(world: Path) -> None:
    kae, cache = Kae.load(DEMO / "model" / "kae"), dict[str, Query]()
    planted = {json.loads(line)["word"] for line in (world / "planted.jsonl").read_text(encoding="utf-8").splitlines()}
    past = list(requests(world / "log.jsonl", (29, 30)))
    base = TrendCounter()
    for number in (29, 30):
        for _ in day(base, number, [unknown(kae, text, cache) for on, text in past if on == number]):
            pass
    last = [text for name in ("test", "trend") for _, text in requests(world / f"{name}.jsonl", (31,))]

    needed: list[int | None] = []
    wrong: list[str] = []
    for seed in range(ROUNDS):
        counter, carried, offered = deepcopy(base), Counter[str](), dict[str, int]()
        random.Random(seed).shuffle(last)
        for at, (_, words) in day(counter, 31, [unknown(kae, text, cache) for text in last]):
            for word in {word for word in words if word in planted}:
                carried[word] += 1
                if word not in offered and burst_of(word, counter.entries[word], counter.total, counter.bucket):
                    offered[word] = carried[word]
            if at % 50 == 49:
                for burst in bursts(counter.total, counter.entries, counter.bucket):
                    offered.setdefault(burst.word, carried[burst.word])
        needed += [offered.get(word) for word in planted]
        wrong += [word for word in offered if word not in planted]

    within = sum(count is not None and count <= 100 for count in needed)
    right = sum(count is not None for count in needed)
    found = sorted(count for count in needed if count is not None)
    print(
        f"{len(needed)} bursts: {right} offered, {within} within 100 queries (median {found[len(found) // 2]}, "
        f"most {found[-1]}); {len(wrong)} other offers {Counter(wrong)}, precision {right / (right + len(wrong)):.3f}"
    )
    assert within == len(needed) == ROUNDS * len(planted)
    assert right / (right + len(wrong)) >= 0.9
