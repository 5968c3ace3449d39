"""A setting chosen on other queries than those that are measured, so that no system is tuned to its own test.

Queries are split in two by a hash of their text: each half is asked with the setting that is best on the other half
(two-fold cross-fitting). Where training days are given, the setting is the best one there, for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from slotbeam.catalog.item import Interaction
from slotbeam.language.normalize import normalize
from slotbeam.types import BoolArray, FloatArray, Progress
from slotbeam_lab.measures import metrics
from slotbeam_lab.measures.questions import Questions, ask, sample
from slotbeam_lab.measures.run import Asked, System, Table

Choices = Mapping[str, System]
"""Setting → the system that has it. The usual one is first: it is taken among equals, and with nothing to choose on."""

Rival = System | Choices
"""A system, or one whose setting is to be chosen."""

FITTED_ON = 1000
"""Rows of a log that a setting is chosen on, at most, of each kind."""
_DEPTH = 350


@dataclass(frozen=True, slots=True)
class Chosen:
    """A system whose setting was chosen.

    Attributes:
        search: the system. settings: of each half of the queries; two equal ones where training days decided.
        means: setting → its mean objective over all queries that were looked at, the whole curve.
    """

    search: System
    settings: tuple[str, str]
    means: dict[str, float]

    @property
    def said(self) -> str:
        """What was chosen, as a text."""
        first, second = self.settings
        return first if first == second else f"{first} and {second}, a half of the queries each"


def answered(
    rivals: Mapping[str, Rival],
    questions: Questions,
    ks: Sequence[int],
    days: Sequence[Interaction] = (),
    progress: Progress | None = None,
) -> tuple[dict[str, Table], dict[str, dict[str, Chosen]]]:
    """Choose what is left open, for each kind of question on its own, and ask everything.

    Args:
        rivals: label → system, or its settings. questions: what is asked. ks: values of K.
        days: rows of training days; with them, settings for a log are chosen there, and not on its other half.
        progress: told of every answer.

    Returns:
        Table name → every system's values, as `ask` does; table name → label → what was chosen.
    """
    tables: dict[str, Table] = {}
    chosen: dict[str, dict[str, Chosen]] = {}
    for kind in questions.counts():
        own = questions.alone(kind)
        picked: dict[str, Chosen] = {}
        systems: dict[str, System] = {}
        for label, rival in rivals.items():
            if isinstance(rival, Mapping):
                on_days = kind != "judged" and days
                picked[label] = chosen_on_days(rival, days, kind) if on_days else chosen_on_halves(rival, own)
                systems[label] = picked[label].search
            else:
                systems[label] = rival
        tables |= ask(systems, own, ks, progress)
        if picked:
            chosen[kind] = picked
    return tables, chosen


def half_of(query: str) -> int:
    """Return 0 or 1: the half that a query belongs to, by its canonical text."""
    return crc32(normalize(query).encode()) % 2


def chosen_on_halves(choices: Choices, questions: Questions) -> Chosen:
    """Choose for each half of the queries what is best on the other half.

    Args:
        choices: one system a setting.
        questions: judged queries are chosen on by nDCG@10, rows of a log by MRR; of both, by both.
    """
    few = {kind: sample(rows, FITTED_ON) for kind, rows in questions.kinds.items()}
    asked, values = _values(choices, replace(questions, kinds=few))
    halves = np.array([half_of(one.query) for one in asked])
    return _chosen(choices, values, (halves == 1, halves == 0))


def chosen_on_days(choices: Choices, days: Sequence[Interaction], kind: str) -> Chosen:
    """Choose for all queries what is best by MRR on the last of the training days; a sample of it is asked."""
    rows = [row for row in days if row.kind == kind]
    last = max((row.day for row in rows), default=0)
    _, values = _values(choices, Questions((), {kind: sample([r for r in rows if r.day == last], FITTED_ON)}, (), 0))
    everything = np.ones(len(values), np.bool_)
    return _chosen(choices, values, (everything, everything))


def _chosen(choices: Choices, values: FloatArray, others: tuple[BoolArray, BoolArray]) -> Chosen:
    names = list(choices)
    first, second = (names[int(np.argmax(_means(values[other])))] for other in others)  # the first of equal ones

    def search(asked: Asked, k: int) -> Sequence[str]:
        return choices[(first, second)[half_of(asked.query)]](asked, k)

    means = dict(zip(names, np.round(_means(values), 5).tolist(), strict=True))
    return Chosen(search, (first, second), means)


def _means(values: FloatArray) -> FloatArray:
    return values.mean(0) if len(values) else np.zeros(values.shape[1])


def _values(choices: Choices, questions: Questions) -> tuple[list[Asked], FloatArray]:
    """Return what is asked, and (queries, settings) how good each setting is there; 10 digits, so that equals tie."""
    asked: list[Asked] = []
    values: list[list[float]] = []
    for judged in questions.judged:
        asked.append(Asked(judged.query))
        values.append([metrics.ndcg(search(asked[-1], 10), judged.ratings) for search in choices.values()])
    for row in (row for rows in questions.kinds.values() for row in rows):
        asked.append(Asked.of(row))
        answers = (search(asked[-1], _DEPTH) for search in choices.values())
        values.append([metrics.reciprocal_rank(ranked, (row.item_id,), _DEPTH) for ranked in answers])
    return asked, np.round(np.array(values, np.float64).reshape(len(values), len(choices)), 10)
