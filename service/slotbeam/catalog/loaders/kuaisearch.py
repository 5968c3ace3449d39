"""The KuaiSearch release: items, recall and rank logs, relevance labels.

A recall row is one request with lists of clicked and purchased items; a rank row is one shown item. The release has no
dates (`time_index` only orders events), so its split stands in: `train` is day 1, any other split is day 31.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slotbeam.catalog.item import Interaction
from slotbeam.catalog.loaders.faults import Faults, RowParts, good_rows, refusing
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.catalog.loaders.rows import rows
from slotbeam.catalog.loaders.values import identifier, text
from slotbeam.errors import InputError

TRAIN_DAY, TEST_DAY = 1, 31


@dataclass(frozen=True, slots=True)
class Relevance:
    """One human label: how well a title answers a query, 0 to 3."""

    query: str
    title: str
    score: int


def interactions(path: Path, faults: Faults) -> Iterator[Interaction]:
    """Yield the clicks and orders of `recall.jsonl` or `rank.jsonl`; a purchase counts once, as an order."""
    for place, row, _ in good_rows(rows(path), faults):
        try:
            yield from _chosen(place, row)
        except InputError as error:
            faults.note(error)


def _chosen(place: SourcePlace, row: Mapping[str, Any]) -> list[Interaction]:
    """Return what was clicked or bought in one request."""
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
    return [
        Interaction(
            query=query,
            item_id=identifier(place, "target_item_id", item),
            kind="order" if is_purchased else "click",
            day=_day(place, row),
            user=identifier(place, "user_id", row.get("user_id")),
            recent_item_ids=tuple(recent),
            position=rank,
        )
        for item, rank, is_clicked, is_purchased in chosen
        if is_clicked or is_purchased
    ]


def relevance(path: Path) -> Iterator[Relevance]:
    """Yield the labels of `relevance.jsonl`."""
    return refusing(lambda faults: _labels(path, faults))


def _labels(path: Path, faults: Faults) -> Iterator[Relevance]:
    for place, row, _ in good_rows(rows(path), faults):
        parts, score = RowParts(), row.get("score")
        if isinstance(score, bool) or not isinstance(score, int) or not 0 <= score <= 3:
            parts.faults.append(place.error("score", score, "0, 1, 2 or 3"))
        label = Relevance(
            parts.take(text, place, "query", row.get("query"), required=True),
            parts.take(text, place, "item_title", row.get("item_title"), required=True),
            score,  # type: ignore[arg-type]
        )
        faults.note(*parts.faults)
        if not parts.faults:
            yield label


def _ids(place: SourcePlace, row: Mapping[str, Any], field: str) -> list[str]:
    value = row.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise place.error(field, value, "a list of item ids")
    return [identifier(place, field, one) for one in value]


def _day(place: SourcePlace, row: Mapping[str, Any]) -> int:
    return TRAIN_DAY if text(place, "split", row.get("split", "train")) == "train" else TEST_DAY
