"""The test day of a world (or of any log): BM25 beside an artifact, one row of the log one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import crc32

from slotbeam.catalog.item import Interaction
from slotbeam_lab.measures import metrics
from slotbeam_lab.measures.run import Asked, Progress, System, Table, evaluate


def world_table(
    systems: Mapping[str, System], log: Sequence[Interaction], ks: Sequence[int], progress: Progress | None = None
) -> Table:
    """HR@K and MRR@K of the chosen item for each K; an interaction is one query, its item the only relevant one."""

    def score(number: int, ranked: Sequence[str]) -> dict[str, float]:
        target = (log[number].item_id,)
        return {f"HR@{k}": metrics.hit_rate(ranked, target, k) for k in ks} | {
            f"MRR@{k}": metrics.reciprocal_rank(ranked, target, k) for k in ks
        }

    asked = [Asked(one.query, one.recent_queries, one.recent_item_ids) for one in log]
    return evaluate(systems, asked, max(ks), score, progress)


def sample(log: Sequence[Interaction], count: int | None) -> list[Interaction]:
    """At most `count` interactions, always the same ones of one log; requests stay whole as far as they can."""
    if count is None or len(log) <= count:
        return list(log)
    keyed = sorted(range(len(log)), key=lambda i: (crc32(f"{log[i].user} {log[i].query}".encode()), i))
    return [log[i] for i in sorted(keyed[:count])]
