"""The KuaiSearch release: items, recall and rank logs, relevance labels.

A recall row is one request with lists of clicked and purchased items; a rank row is one shown item. The release has no
dates (`time_index` only orders events), so its split stands in: `train` is day 1, any other split is day 31.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders.mapping import MappingFile, identifier, text
from slotbeam.catalog.loaders.records import Place, rows

MAPPING = Path(__file__).parent.parent / "mappings" / "kuaisearch.json"
TRAIN_DAY, TEST_DAY = 1, 31


@dataclass(frozen=True, slots=True)
class Relevance:
    """One human label: how well a title answers a query, 0 to 3."""

    query: str
    title: str
    score: int


def items(path: Path) -> Iterator[Item]:
    """Yield the items of `items.jsonl`."""
    mapping = MappingFile.load(MAPPING)
    for place, row in rows(path):
        yield mapping.item(place, row)


def interactions(path: Path) -> Iterator[Interaction]:
    """Yield the clicks and orders of `recall.jsonl` or `rank.jsonl`; a purchase counts once, as an order."""
    for place, row in rows(path):
        query = text(place, "query", row.get("query"), required=True)
        if "target_item_id" in row:
            chosen = [(row["target_item_id"], 0, row.get("is_clicked"), row.get("is_purchased"))]
            recent = _ids(place, row, "recently_clicked_item_ids")
        else:
            shown = {item: rank for rank, item in enumerate(_ids(place, row, "impressed_item_ids"), start=1)}
            bought = _ids(place, row, "purchased_item_ids")
            clicked = _ids(place, row, "clicked_item_ids")
            order = set(bought)
            chosen = [(item, shown.get(item, 0), 1, item in order) for item in dict.fromkeys(clicked + bought)]
            recent = []
        for item, rank, is_clicked, is_purchased in chosen:
            if not is_clicked and not is_purchased:
                continue
            yield Interaction(
                query=query,
                item_id=identifier(place, "target_item_id", item),
                kind="order" if is_purchased else "click",
                day=_day(place, row),
                user=identifier(place, "user_id", row.get("user_id")),
                recent_item_ids=tuple(recent),
                position=rank,
            )


def relevance(path: Path) -> Iterator[Relevance]:
    """Yield the labels of `relevance.jsonl`."""
    for place, row in rows(path):
        score = row.get("score")
        if isinstance(score, bool) or not isinstance(score, int) or not 0 <= score <= 3:
            raise place.error("score", score, "0, 1, 2 or 3")
        yield Relevance(
            text(place, "query", row.get("query"), required=True),
            text(place, "item_title", row.get("item_title"), required=True),
            score,
        )


def _ids(place: Place, row: Mapping[str, Any], field: str) -> list[str]:
    value = row.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise place.error(field, value, "a list of item ids")
    return [identifier(place, field, one) for one in value]


def _day(place: Place, row: Mapping[str, Any]) -> int:
    return TRAIN_DAY if text(place, "split", row.get("split", "train")) == "train" else TEST_DAY
