"""What relevance and confidence weigh, fitted to queries with an answer and queries without.

An item was asked for where somebody took it for the query, or the query was made of its title. That others were not
taken says little of them, so what an item is *not* relevant to are queries of other items that share no more than some
words with it, and queries that nobody could answer: runs of keys, letters in a row, words of the seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from slotbeam.catalog.item import Interaction
from slotbeam.catalog.table import Catalog
from slotbeam.errors import InputError
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact, save_manifest
from slotbeam.search.calibration import BIAS, OF_ANSWER, OF_ITEM, Calibration
from slotbeam.search.options import SearchOptions
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import MAX_QUERY, SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.search.words import look_up
from slotbeam.search.worth import JUDGED, Judge
from slotbeam.types import BoolArray, FloatArray, Hits, IntArray, Timings
from slotbeam_train.lexicon.seeds import seed_groups

CALIBRATED = 400
"""Queries of each kind that a fit looks at."""
LEAST = 20
"""Answers of each kind, with and without, that a fit needs."""
RIDGE = 1e-4
"""Pull of the squared weights towards 0."""
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "йцукенгшщз", "azertyuiop")
_FREE = (BIAS, "corrected")
"""What may weigh less than nothing."""


class Sought(NamedTuple):
    """A canonical query and the row of an item that was asked for."""

    query: str
    row: int


def fit_calibration(
    artifact: Artifact,
    taken: Sequence[Interaction],
    seed: int,
    count: int = CALIBRATED,
    judged: Mapping[str, Mapping[str, bool]] | None = None,
) -> Calibration:
    """Return a calibration that is fitted to a catalog; the artifact's own where it has too few queries with an answer.

    Args:
        artifact: as it will be served.
        taken: queries, and the item that each led to; with fewer than `LEAST` queries are made of the items' titles.
        seed: of what is drawn.
        count: queries of each kind, at most.
        judged: what relevance is fitted to instead, as for `fit_judged`.

    Raises:
        InputError: fewer than `LEAST` judged pairs.
    """
    rng, catalog = np.random.default_rng([seed, 6]), artifact.catalog
    led = [(normalize(row.query), catalog.row_of(row.item_id)) for row in taken[:count]]
    asked = [Sought(query, row) for query, row in led if row is not None and 0 < len(query) <= MAX_QUERY]
    if len(asked) < LEAST:
        asked = asked_of(catalog, count, rng)
    right: list[FloatArray] = []
    wrong: list[FloatArray] = []
    answered, empty = [], []
    for number, (query, row) in enumerate(asked):
        other = asked[(number + 1 + int(rng.integers(len(asked) - 1))) % len(asked)].row if len(asked) > 1 else row
        right.append(evidence_of(artifact, query, np.array([row])))
        far = evidence_of(artifact, query, np.array([other]))
        wrong.append(far[far[:, OF_ITEM.index("words")] < 1])
        answered.append(_of_first(artifact, query))
    for query in nonsense(artifact, count, rng):
        empty.append(_of_first(artifact, query))
    wrong += [own for own in empty if own is not None]
    if len(right) < LEAST or sum(map(len, wrong)) < LEAST:
        return artifact.options.calibration
    if judged:
        of_item = fit_judged(artifact, judged)
    else:
        of_item = fit_balanced(np.concatenate(right), np.concatenate(wrong), OF_ITEM)
    found = Calibration(of_item, artifact.options.calibration.confidence)
    good, bad = (_of_answers(artifact, found, own) for own in (answered, empty))
    if min(len(good), len(bad)) < LEAST:
        return found
    return replace(found, confidence=fit_balanced(good, bad, OF_ANSWER))


def fit_judged(artifact: Artifact, judged: Mapping[str, Mapping[str, bool]]) -> Mapping[str, float]:
    """Return weights of relevance, fitted to what people said of pairs, each pair the same.

    Args:
        artifact: as it will be served.
        judged: query → item id → whether the item is relevant; items that the catalog does not hold teach nothing.

    Raises:
        InputError: fewer than `LEAST` pairs.
    """
    evidence, labels = judged_evidence(artifact, judged)
    if len(labels) < LEAST:
        raise InputError(f"{len(labels)} judged pairs are of items of the catalog; give at least {LEAST}")
    return fit(evidence, labels, OF_ITEM)


def judged_evidence(artifact: Artifact, judged: Mapping[str, Mapping[str, bool]]) -> tuple[FloatArray, BoolArray]:
    """Return the evidence (n, len(OF_ITEM)) of judged pairs, and which of them are relevant (n,)."""
    evidence: list[FloatArray] = [np.empty((0, len(OF_ITEM)))]
    labels: list[bool] = []
    for query, items in judged.items():
        rows = {item: row for item in items if (row := artifact.catalog.row_of(item)) is not None}
        if rows and (canonical := normalize(query)):
            evidence.append(evidence_of(artifact, canonical, np.array(list(rows.values()))))
            labels += [items[item] for item in rows]
    return np.concatenate(evidence), np.array(labels, np.bool_)


def confidences(artifact: Artifact, queries: Iterable[str]) -> list[float]:
    """Return the confidence in the answer of each query."""
    snapshot = Snapshot(artifact)
    return [retrieve(snapshot, SearchRequest(query, k=JUDGED), Timings()).confidence for query in queries]


def calibrate(artifact: Artifact, calibration: Calibration) -> Artifact:
    """Write a calibration into the artifact's manifest; return the artifact as it will be loaded."""
    options: SearchOptions = replace(artifact.options, calibration=calibration)
    manifest = save_manifest(artifact.directory, {**artifact.manifest, "search": asdict(options)})
    return replace(artifact, options=options, manifest=manifest)


def fit_balanced(right: FloatArray, wrong: FloatArray, names: Sequence[str]) -> Mapping[str, float]:
    """Return the weights of `fit` where what is right (n, f) and what is not (m, f) count the same in all."""
    labels = np.repeat([True, False], [len(right), len(wrong)])
    share = np.where(labels, 0.5 / len(right), 0.5 / len(wrong))
    return fit(np.concatenate([right, wrong]), labels, names, share)


def fit(
    evidence: FloatArray, labels: BoolArray, names: Sequence[str], share: FloatArray | None = None
) -> Mapping[str, float]:
    """Return the weights of a logistic model, and its bias; evidence for something never weighs against it.

    Args:
        evidence: (n, f).
        labels: (n,) what is right.
        names: f of them.
        share: (n,) how much each counts, 1 in all; None: all the same.
    """
    right = labels.astype(np.float64)
    share = np.full(len(labels), 1 / len(labels)) if share is None else share
    design = np.concatenate([evidence, np.ones((len(evidence), 1))], axis=1)

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        """Mean negative log-likelihood in nats, and its gradient."""
        odds = design @ weights
        total = float(share @ (np.logaddexp(0, odds) - right * odds)) + RIDGE * float(weights[:-1] @ weights[:-1])
        slope = design.T @ (share * (1 / (1 + np.exp(-odds)) - right))
        slope[:-1] += 2 * RIDGE * weights[:-1]
        return total, slope

    every = [*names, BIAS]
    bounds = [(None, None) if name in _FREE else (0, None) for name in every]
    best = minimize(loss, np.zeros(len(every)), jac=True, method="L-BFGS-B", bounds=bounds)
    return {name: round(float(value), 4) for name, value in zip(every, best.x, strict=True)}


def evidence_of(artifact: Artifact, query: str, rows: IntArray) -> FloatArray:
    """Return (n, len(OF_ITEM)) the evidence of catalog rows (n,) for a canonical query."""
    catalog = artifact.catalog
    encoded = artifact.kae.encode(query)
    (memory,) = artifact.model.encode([artifact.inputs.build(encoded.text, encoded.sid)])
    judge = Judge(
        catalog,
        artifact.options.calibration,
        look_up(encoded, (), catalog),
        artifact.model.query_vector(memory),
        text_vector=artifact.text_vector(encoded.text),
    )
    hits = Hits(rows, np.zeros(len(rows)), catalog.sids[rows], None, np.zeros((len(rows), 0), np.bool_))
    return judge.evidence(hits)[0]


def asked_of(catalog: Catalog, count: int, rng: np.random.Generator) -> list[Sought]:
    """Make queries of the titles of items: one to four words that stand together."""
    rows = rng.permutation(len(catalog))[:count]
    made = []
    for row, title in zip(rows.tolist(), catalog.titles.take(rows), strict=True):
        words = normalize(title).split()
        size = int(rng.integers(1, 5))
        start = int(rng.integers(max(1, len(words) - size + 1)))
        if query := " ".join(words[start : start + size])[:80].strip(" ,;.-/()"):
            made.append(Sought(query, row))
    return made


def nonsense(artifact: Artifact, count: int, rng: np.random.Generator) -> list[str]:
    """Make queries that no catalog answers, a third each.

    Runs of keys; letters as often as the titles have them; a word of the catalog beside words of the seeds that it has
    not, which is what a query of another department looks like.
    """
    catalog = artifact.catalog
    titles = [normalize(title) for title in catalog.titles.take(rng.permutation(len(catalog))[:200])]
    letters = [char for title in titles for char in title if char.isalpha()] or ["x"]
    words = [word for title in titles for word in title.split()] or ["x"]
    foreign = [surfaces[0] for _, surfaces in seed_groups() if not catalog.terms.known(surfaces[0])[1]] or ["xyzzy"]

    def draw(pool: Sequence[str]) -> str:
        return pool[int(rng.integers(len(pool)))]

    made = []
    for number in range(count):
        if number % 3 == 0:
            row = draw(KEYS)
            start = int(rng.integers(len(row) - 3))
            made.append(row[start : start + int(rng.integers(3, 10))])
        elif number % 3 == 1:
            made.append(" ".join("".join(draw(letters) for _ in range(int(rng.integers(3, 10)))) for _ in range(2)))
        else:
            made.append(" ".join([draw(foreign), draw(foreign), draw(words)][:: int(rng.choice([1, -1]))]))
    return [query for query in map(normalize, made) if query]


def _of_first(artifact: Artifact, query: str) -> FloatArray | None:
    """Return (n, len(OF_ITEM)) the evidence of the first items of an answer; None without any."""
    hits = retrieve(Snapshot(artifact), SearchRequest(query, k=JUDGED), Timings()).hits
    return evidence_of(artifact, query, hits.rows) if len(hits) else None


def _of_answers(artifact: Artifact, calibration: Calibration, first: Sequence[FloatArray | None]) -> FloatArray:
    """Return (n, len(OF_ANSWER)) the evidence of the answers that hold items."""
    own = [each for each in first if each is not None]
    rows = [Judge.of_answer(each, calibration.relevance_of(each)) for each in own]
    return np.array(rows).reshape(-1, len(OF_ANSWER))
