"""Unseen words for the intervention tests: which slot holds each, which items carry it, and the query that asks it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.catalog.item import Interaction
from slotbeam.errors import InputError
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Overlay
from slotbeam.types import Slot

SIZES = (1, 5, 20, 100, 500)
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvz", "aeiou"


@dataclass(frozen=True, slots=True)
class Injection:
    """One unseen word on one slot.

    Attributes:
        word: new to the dictionary. slot: reserved.
        rows: catalog rows that carry it from now on; the target among them.
        target: the row that the query led to in the log.
        query: the log's query with one word replaced by the new one.
        original: the log's query.
        item_ids, target_id: of `rows` and `target`.
        chosen: those of `item_ids` that the log's users took after `original`, whoever they were; the target among
            them.
    """

    word: str
    slot: Slot
    rows: tuple[int, ...]
    target: int
    query: str
    original: str
    item_ids: tuple[str, ...]
    target_id: str
    chosen: tuple[str, ...]


def make_rounds(
    artifact: Artifact, log: Sequence[Interaction], per_size: int, sizes: Sequence[int] = SIZES, seed: int = 0
) -> list[list[Injection]]:
    """Draw `per_size` words of each size, in rounds that fill every reserved slot once (the last one maybe not).

    The other items of a word are drawn from the target's department. Where the query has a word at the slot's position
    that one is replaced, else any.

    Raises:
        InputError: no row of the log leads to an item of the catalog.
    """
    rng = np.random.default_rng(seed)
    book, ids = artifact.kae.codebook, artifact.catalog.ids
    slots = [Slot(position, index) for position in range(len(book)) for index in book.reserved(position)]
    rows = [artifact.catalog.row_of(one.item_id) for one in log]
    usable = [(normalize(one.query), row) for one, row in zip(log, rows, strict=True) if row is not None]
    usable = [(query, row) for query, row in usable if query]
    if not usable or not slots:
        raise InputError("no row of the log leads to an item of the catalog, or the codebook has no reserved slot")
    led: dict[str, set[int]] = defaultdict(set)
    for query, row in usable:
        led[query].add(row)
    wanted = [min(size, len(artifact.catalog)) for size in sizes for _ in range(per_size)]
    order = rng.permutation(len(wanted)).tolist()
    used: set[str] = set()
    rounds = []
    for start in range(0, len(order), len(slots)):
        part = order[start : start + len(slots)]
        places = [slots[i] for i in rng.permutation(len(slots))[: len(part)].tolist()]
        made = []
        for number, slot in zip(part, places, strict=True):
            query, target = usable[int(rng.integers(len(usable)))]
            word = _unseen_word(artifact, used, rng)
            carried = _neighbours(artifact, target, wanted[number], rng)
            made.append(
                Injection(
                    word,
                    slot,
                    carried,
                    target,
                    query=_replace(artifact, query, slot, word, rng),
                    original=query,
                    item_ids=tuple(ids[row] for row in carried),
                    target_id=ids[target],
                    chosen=tuple(ids[row] for row in carried if row in led[query]),
                )
            )
        rounds.append(made)
    return rounds


def overlay_of(artifact: Artifact, injections: Sequence[Injection]) -> Overlay:
    """Compile a round as live bindings."""
    return build_overlay(artifact, [Bound(one.word, one.slot, (one.word,), one.item_ids) for one in injections])


def _unseen_word(artifact: Artifact, used: set[str], rng: np.random.Generator) -> str:
    while True:
        letters = "".join(
            _CONSONANTS[int(rng.integers(len(_CONSONANTS)))] + _VOWELS[int(rng.integers(len(_VOWELS)))]
            for _ in range(4)
        )
        if letters not in used and not artifact.kae.knows(letters):
            used.add(letters)
            return letters


def _neighbours(artifact: Artifact, target: int, size: int, rng: np.random.Generator) -> tuple[int, ...]:
    department = artifact.catalog.fields.get("department")
    pool = np.arange(len(artifact.catalog))
    if department is not None:
        own = np.flatnonzero(np.asarray(department.values) == department.values[target])
        pool = own if len(own) >= size else pool
    others = rng.permutation(pool[pool != target])[: size - 1]
    return tuple(sorted([target, *others.tolist()]))


def _replace(artifact: Artifact, query: str, slot: Slot, word: str, rng: np.random.Generator) -> str:
    tokens = query.split(" ")
    chosen = artifact.kae.encode(query).chosen[slot.position]
    at = int(rng.integers(len(tokens))) if chosen is None else query[: chosen.start].count(" ")
    return " ".join(word if i == at else token for i, token in enumerate(tokens))
