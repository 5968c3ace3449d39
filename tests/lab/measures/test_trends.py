"""Trend suggestions on a small world 2: nine of ten are right, though days, campaigns and crawlers are unsteady."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random

import orjson
import pytest

from slotbeam.language.normalize import normalize
from slotbeam_lab.measures.trends import DAY_S, WANTED, Search, searches, suggested
from slotbeam_lab.world2.make import make_world2
from slotbeam_lab.world2.options import World2Options

DAYS = (29, 30, 31)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("world2")
    make_world2(directory, World2Options(items=1000, requests_per_item=60, planted=10))
    return directory


@pytest.fixture(scope="module")
def days(world: Path) -> list[list[Search]]:
    return list(searches(world, DAYS, Random(0), varied=True))


@pytest.fixture(scope="module")
def known(world: Path) -> frozenset[str]:
    """What the catalog says, or queries of four weeks do thrice: a dictionary in little."""
    written = re.findall(r"\w+", normalize((world / "items.jsonl").read_text(encoding="utf-8")))
    typed = Counter[str]()
    for line in (world / "log.jsonl").read_bytes().splitlines():
        row = orjson.loads(line)
        typed.update(normalize(row["query"]).split(" ") if row["day"] < DAYS[0] else ())
    return frozenset(written) | {word for word, count in typed.items() if count >= 3}


def test_each_search_of_a_day_comes_once_in_order_of_time(world: Path, days: list[list[Search]]) -> None:
    for number, asked in zip(DAYS, days, strict=True):
        assert all(number * DAY_S <= one.second < (number + 1) * DAY_S for one in asked)
        assert asked == sorted(asked)
    rows = [orjson.loads(line) for line in (world / "trend.jsonl").read_bytes().splitlines()]
    assert Counter(one.asker for one in days[-1] if one.asker[0] == "t") == Counter(
        row["user"] for row in rows if row["user"][0] == "t"
    )
    crawled = [one.query for one in days[-1] if one.asker == "b0"]
    assert len({query.split(" ")[0] for query in crawled}) == 1 < len(set(crawled))


def test_nine_suggestions_of_ten_are_right_and_every_trend_is_suggested_in_time(
    world: Path, days: list[list[Search]], known: frozenset[str]
) -> None:
    trends = orjson.loads((world / "world.json").read_bytes())["planted_words"]

    def unknown(query: str) -> tuple[str, list[str]]:
        text = normalize(query)
        return text, [word for word in text.split(" ") if word not in known]

    found = suggested(days, unknown, trends)
    assert set(found.needed) == set(trends)
    assert max(found.needed.values()) <= WANTED
    figures = found.figures()
    assert figures["precision"] >= 0.9, found.wrong
    assert figures["recall"] == 1
    crawled = {one.query.split(" ")[0] for one in days[-1] if one.asker[0] == "b"}
    assert crawled.isdisjoint(found.wrong)
    assert crawled <= set(suggested(days, unknown, trends, named=False).wrong)
