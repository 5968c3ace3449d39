"""18 categories → G groups by information loss: which categories may share one position of the SID.

A category X is a Bernoulli variable: does a text carry a word of X? Putting X and Y into one position loses

    IL(X, Y) = ½ [H(X|Y) + H(Y|X)] = H(X, Y) − ½ [H(X) + H(Y)]        (nats; half the variation of information)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slotbeam.errors import InputError
from slotbeam.kae.categories import CATEGORIES, ENTITY
from slotbeam.types import BoolArray, FloatArray

ELBOW_RANGE = (4, 10)


@dataclass(frozen=True, slots=True)
class Grouping:
    """The outcome of `group_categories`.

    Attributes:
        groups: category names by position; entity's group first, the others by density.
        densities: share of texts that carry a word of the group, by position.
        losses: (G, cumulative loss in nats) for every G that agglomeration went through, largest G first.
        elbow: the G the curve itself suggests; `len(groups)` differs from it when the caller asked for another.
    """

    groups: tuple[tuple[str, ...], ...]
    densities: tuple[float, ...]
    losses: tuple[tuple[int, float], ...]
    elbow: int

    @property
    def dense(self) -> tuple[bool, ...]:
        """Whether a position is among the top half by density (rounded up)."""
        order = sorted(range(len(self.groups)), key=lambda p: (-self.densities[p], p))
        top = set(order[: (len(order) + 1) // 2])
        return tuple(p in top for p in range(len(self.groups)))


def entropy(shares: FloatArray) -> float:
    """Return −Σ p ln p, in nats; p = 0 contributes nothing."""
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())


def information_loss(x: BoolArray, y: BoolArray) -> float:
    """Return IL(X, Y) in nats, from two (N,) presence columns; 0 when they always agree (or always disagree)."""
    if x.shape != y.shape or x.ndim != 1 or not len(x):
        raise InputError(f"presence columns have shapes {x.shape} and {y.shape}; two equal, non-empty (N,) are needed")
    cells = np.bincount(x.astype(np.intp) * 2 + y.astype(np.intp), minlength=4) / len(x)  # 00, 01, 10, 11
    h_x = entropy(np.array([cells[0] + cells[1], cells[2] + cells[3]]))
    h_y = entropy(np.array([cells[0] + cells[2], cells[1] + cells[3]]))
    return max(0.0, entropy(cells) - 0.5 * (h_x + h_y))


def find_elbow(losses: tuple[tuple[int, float], ...]) -> int:
    """Return the G in 4..10 with the largest second difference of the cumulative loss; ties go to the smaller G."""
    curve = dict(losses)
    largest = max(curve)
    low, high = ELBOW_RANGE
    if largest <= low:
        return largest
    best, best_bend = low, -np.inf
    for count in range(low, min(high, largest) + 1):
        bend = (curve[count - 1] - curve[count]) - (curve[count] - curve.get(count + 1, curve[count]))
        if bend > best_bend + 1e-12:
            best, best_bend = count, bend
    return best


def group_categories(presence: BoolArray, groups: int | None = None, alone: Sequence[str] = ()) -> Grouping:
    """Merge categories agglomeratively, the cheapest pair first, until the elbow (or `groups`) is reached.

    A merged variable is the OR of its two; its losses are computed anew. Categories that no text carries take no
    part: they join the cheapest group without the entity at the end (or stand alone when `groups` asks for more).

    Args:
        presence: (N, 18) does text n carry a word of category c?
        groups: the number of groups wanted, 1..18; None for the elbow.
        alone: categories that are not merged, each a group of its own. A category that (nearly) every item carries
            belongs here: without entropy its presence says nothing about the words that sharing a position would lose.
    """
    if presence.ndim != 2 or presence.shape[1] != len(CATEGORIES) or not len(presence):
        raise InputError(f"presence has shape {presence.shape}; (texts, {len(CATEGORIES)}) with ≥ 1 text is needed")
    if groups is not None and not 1 <= groups <= len(CATEGORIES):
        raise InputError(f"groups is {groups}; 1 to {len(CATEGORIES)} are allowed")
    if unknown := set(alone) - set(CATEGORIES):
        raise InputError(
            f"{', '.join(sorted(unknown))} cannot stand alone: not a category; one of {', '.join(CATEGORIES)}"
        )
    seen = [c for c in range(len(CATEGORIES)) if presence[:, c].any() or c == ENTITY]
    unseen = [c for c in range(len(CATEGORIES)) if c not in seen]
    kept = [c for c in seen if CATEGORIES[c] in alone]
    stages, losses = _agglomerate(presence, seen, frozenset(kept))
    elbow = find_elbow(losses)
    wanted = elbow if groups is None else groups
    chosen = [list(members) for members in stages[min(wanted, len(seen))]]
    spare = max(0, wanted - len(chosen))
    chosen.extend([c] for c in unseen[:spare])
    columns: list[BoolArray] = [np.asarray(presence[:, members].any(axis=1)) for members in chosen]
    for category in unseen[spare:]:
        mixed = [g for g, own in enumerate(chosen) if ENTITY not in own and not set(own) & set(kept)]
        hosts = mixed or [g for g, own in enumerate(chosen) if ENTITY not in own] or [0]
        nothing = np.zeros(len(presence), dtype=np.bool_)
        host = min(hosts, key=lambda g: (information_loss(nothing, columns[g]), g))
        chosen[host].append(category)
    density = [float(column.mean()) for column in columns]
    order = sorted(range(len(chosen)), key=lambda g: (ENTITY not in chosen[g], -density[g], min(chosen[g])))
    names = tuple(tuple(CATEGORIES[c] for c in sorted(chosen[g])) for g in order)
    return Grouping(names, tuple(density[g] for g in order), losses, elbow)


def _agglomerate(
    presence: BoolArray, seen: list[int], kept: frozenset[int]
) -> tuple[dict[int, list[tuple[int, ...]]], tuple[tuple[int, float], ...]]:
    """Return every stage of the merging by its number of groups, and the cumulative loss of each."""
    members: list[tuple[int, ...]] = [(c,) for c in seen]
    columns: list[BoolArray] = [presence[:, c] for c in seen]
    stages = {len(members): list(members)}
    total = 0.0
    losses = [(len(members), total)]
    while len(members) > 1:
        pairs = [(i, j) for i in range(len(members)) for j in range(i + 1, len(members))]
        free = [(i, j) for i, j in pairs if kept.isdisjoint(members[i] + members[j])]
        pairs = free or pairs  # those that stand alone are merged last, for callers who want fewer groups still
        loss, i, j = min((round(information_loss(columns[i], columns[j]), 12), i, j) for i, j in pairs)
        total += loss
        members[i] = tuple(sorted(members[i] + members[j]))
        columns[i] = columns[i] | columns[j]
        del members[j], columns[j]
        stages[len(members)] = list(members)
        losses.append((len(members), total))
    return stages, tuple(losses)
