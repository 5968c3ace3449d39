"""Interventions: unseen words are bound, the test query says one of them; do its items come, and in what order?

IHR@K: is the forged target (the item the query led to, now carrying the word) in the top K? IAR@K: is any item of the
word? (paper section 5). `order nDCG@10`: of the answer only the word's items are kept, and the target is the one that
is wanted; graded: so are the others that users took after the original query. Words come in rounds that fill every
reserved slot at once, one word a slot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from slotbeam.catalog.item import Interaction
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Progress, Timings
from slotbeam_lab.interventions.editable import Editable
from slotbeam_lab.interventions.injections import Injection, make_rounds, overlay_of
from slotbeam_lab.measures import metrics
from slotbeam_lab.measures.run import Table

ORDER, ORDER_GRADED = "order nDCG@10", "graded order nDCG@10"
COLLATERAL = 10_000
"""Answers that are compared before and after."""
Group = TypeVar("Group")


@dataclass(frozen=True, slots=True)
class Scored:
    """One injection, and what every system made of it: system → metric → value."""

    injection: Injection
    values: dict[str, dict[str, float]]


def intervene(
    artifact: Artifact,
    systems: Mapping[str, Editable],
    test: Sequence[Interaction],
    per_size: int,
    ks: Sequence[int],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Bind `per_size` words of every size in every system and ask for each.

    Args:
        artifact: it decides which words, slots and queries there are; the systems may be others.
        test: rows of the test day.

    Returns:
        JSON values: `words`, `sizes` (size → system → metric → values) and `positions` (means by group).
    """
    scored = ask_rounds(systems, make_rounds(artifact, test, per_size), ks, progress)
    tables = dict(sorted(tables_by(scored, lambda word: len(word.rows)).items()))
    return {
        "words": len(scored),
        "sizes": {str(size): table.values for size, table in tables.items()},
        "positions": position_facts(artifact, scored),
    }


def untouched(
    artifact: Artifact,
    test: Sequence[Interaction],
    log: Iterable[Interaction],
    per_size: int,
    k: int,
    wanted: int = COLLATERAL,
) -> dict[str, int]:
    """Count with the first round bound how many of `wanted` queries without a bound word are asked, and answered anew.

    Args:
        log: rows of the days before the test day, oldest first; read when the test day has too few queries.
    """
    queries = collateral_queries(test, log, 2 * wanted)
    asked, changed = collateral(artifact, make_rounds(artifact, test, per_size)[0], queries, k, wanted)
    return {"untouched": asked, "changed": changed}


def ask_rounds(
    systems: Mapping[str, Editable],
    rounds: Sequence[Sequence[Injection]],
    ks: Sequence[int],
    progress: Progress | None = None,
) -> list[Scored]:
    """Bind each round in every system, then ask each word's query."""
    scored: list[Scored] = []
    total = sum(map(len, rounds))
    for injections in rounds:
        answers: list[dict[str, dict[str, float]]] = [{} for _ in injections]
        for name, system in systems.items():
            system.bind(injections)
            for injection, values in zip(injections, answers, strict=True):
                values[name] = score(injection, system.search(injection.query, max(ks)), ks)
        scored += [Scored(injection, values) for injection, values in zip(injections, answers, strict=True)]
        if progress is not None:
            progress("interventions", len(scored), total)
    return scored


def score(injection: Injection, ranked: Sequence[str], ks: Sequence[int]) -> dict[str, float]:
    """Return the metrics of one answer (ids, best first)."""
    bound = set(injection.item_ids)
    inside = [item for item in ranked if item in bound]
    values = {f"IHR@{k}": float(injection.target_id in ranked[:k]) for k in ks}
    values |= {f"IAR@{k}": float(not bound.isdisjoint(ranked[:k])) for k in ks}
    values[ORDER] = metrics.ndcg(inside, {injection.target_id: 1.0})
    values[ORDER_GRADED] = metrics.ndcg(inside, dict.fromkeys((*injection.chosen, injection.target_id), 1.0))
    return values


def tables_by(scored: Iterable[Scored], group_of: Callable[[Injection], Group]) -> dict[Group, Table]:
    """Return group → table of all systems; every query keeps its values, so ratios and intervals are paired."""
    tables: dict[Group, Table] = {}
    for each in scored:
        table = tables.setdefault(group_of(each.injection), Table())
        for system, own in each.values.items():
            values = table.values.setdefault(system, {})
            for metric, value in own.items():
                values.setdefault(metric, []).append(value)
    return tables


def position_facts(artifact: Artifact, scored: Sequence[Scored]) -> dict[str, dict[str, Any]]:
    """Return group of the codebook → `words`, and each system's means: where a mode that promises nothing fails."""
    words = Counter(each.injection.slot.position for each in scored)
    tables = tables_by(scored, lambda word: word.slot.position)
    return {
        artifact.kae.codebook.group_name(position): {
            "words": words[position],
            "systems": tables[position].means(),
        }
        for position in sorted(words)
    }


def collateral(
    artifact: Artifact, injections: Sequence[Injection], queries: Iterable[str], k: int, wanted: int | None = None
) -> tuple[int, int]:
    """Return how many of `queries` trigger no binding of the round, and how many of those answers changed.

    Args:
        queries: equal ones (in canonical form) are asked once; no more are read than are needed.
        k: K.
        wanted: stop after so many that trigger none.
    """
    overlay = overlay_of(artifact, injections)
    bare, edited = Snapshot(artifact), Snapshot(artifact, overlay)
    asked = changed = 0
    seen = set[int]()  # hashes: a text is not kept
    for query in queries:
        canonical = normalize(query)
        if hash(canonical) in seen or overlay.match(canonical, 1, artifact.is_another_word):
            continue
        seen.add(hash(canonical))
        asked += 1
        request = SearchRequest(query, k=k)
        changed += retrieve(bare, request, Timings()).hits != retrieve(edited, request, Timings()).hits
        if asked == wanted:
            break
    return asked, changed


def collateral_queries(test: Iterable[Interaction], log: Iterable[Interaction], most: int) -> Iterator[str]:
    """Yield queries of the test day, then the log's latest, newest first; of those `most` distinct ones are held.

    Args:
        test: rows of the test day. log: rows in the order of their days; read once, when the test day is used up.
    """
    yield from (row.query for row in test)
    latest: dict[str, None] = {}
    for row in log:
        latest.pop(row.query, None)
        latest[row.query] = None
        if len(latest) > most:
            del latest[next(iter(latest))]
    yield from reversed(latest)
