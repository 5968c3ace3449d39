"""Which words name the thing that is sold: every title has one head, and the heads of all titles decide together.

Expectation–maximisation over titles: a title's head is one of its words (or none); a word's propensity to be the head
is the share of its titles in which it is. A trailing attribute ("calculator pocket *scientific*") stands beside a
better head in most of its titles and loses its propensity; a real noun keeps it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from slotbeam.kae.importance import head_end
from slotbeam.kae.matcher import Matcher
from slotbeam_train.lexicon.corpus import Doc
from slotbeam_train.lexicon.drafts import Drafts
from slotbeam_train.lexicon.seeds import stop_words
from slotbeam_train.lexicon.words import key

ROUNDS = 12
NO_HEAD = 0.03
LAST, INNER, OUTSIDE = 1.0, 0.35, 0.08  # how likely a word is the head by where it stands


@dataclass(frozen=True, slots=True)
class TitleUnit:
    """A dictionary surface or a token of a title. `category` is None for a word that no source has typed yet."""

    key: str
    text: str
    start: int
    end: int
    category: str | None

    @property
    def nominal(self) -> bool:
        """May name the product: an entity or an untyped word with letters and without digits."""
        return self.category == "entity" or (
            self.category is None and self.text.isalpha() is not False and not any(c.isdigit() for c in self.text)
        )


def segment(docs: Sequence[Doc], drafts: Drafts) -> list[list[TitleUnit]]:
    """Return the units of every title: what the drafts know, leftmost-longest, and the tokens between."""
    surfaces: dict[str, str] = {}
    for draft in drafts:
        for surface in draft.surfaces:
            surfaces.setdefault(surface, draft.category)
    words = list(surfaces)
    matcher = Matcher(words)
    stop = stop_words()
    out: list[list[TitleUnit]] = []
    for doc in docs:
        known = matcher.find(doc.title)
        units = [TitleUnit(key(words[w]), words[w], start, end, surfaces[words[w]]) for start, end, w in known]
        for text, start, end in doc.tokens:
            if any(a < end and start < b for a, b, _ in known) or text in stop or len(text) < 2:
                continue
            units.append(TitleUnit(key(text), text, start, end, None))
        out.append(sorted(units, key=lambda unit: unit.start))
    return out


def places(title: str, units: Sequence[TitleUnit]) -> list[tuple[TitleUnit, float]]:
    """Return the nominal units of a title with their place weights."""
    nominal = [unit for unit in units if unit.nominal]
    if not nominal:
        return []
    anchor = next((unit.end for unit in nominal if unit.category == "entity"), nominal[0].end)
    cut = head_end(title, anchor)
    inside = [unit for unit in nominal if unit.start < cut]
    return [(unit, OUTSIDE if unit.start >= cut else LAST if unit is inside[-1] else INNER) for unit in nominal]


def propensities(titles: Sequence[list[tuple[TitleUnit, float]]]) -> tuple[dict[str, float], dict[str, float]]:
    """(propensity, expected number of titles it heads) by unit key.

    Typed entities start high with a strong prior, untyped words low with a weak one.
    """
    frequency: Counter[str] = Counter()
    typed: set[str] = set()
    rows: list[list[tuple[str, float]]] = []
    for units in titles:
        best: dict[str, float] = {}
        for unit, weight in units:
            best[unit.key] = max(best.get(unit.key, 0.0), weight)
            if unit.category == "entity":
                typed.add(unit.key)
        frequency.update(best)
        rows.append(list(best.items()))
    prior = {name: (9.0, 1.0) if name in typed else (0.3, 1.7) for name in frequency}
    theta = {name: a / (a + b) for name, (a, b) in prior.items()}
    mass: dict[str, float] = {}
    for _ in range(ROUNDS):
        mass = defaultdict(float)
        for row in rows:
            total = NO_HEAD + sum(theta[name] * weight for name, weight in row)
            for name, weight in row:
                mass[name] += theta[name] * weight / total
        theta = {n: (mass[n] + a) / (frequency[n] + a + b) for n, (a, b) in prior.items()}
    return theta, dict(mass)


@dataclass(frozen=True, slots=True)
class Habits:
    """How a word is used in titles.

    Attributes:
        items: titles that carry it.
        owner: largest share one brand has of the titles that carry it in their head part (0: no brands known).
        trailing: share of its titles in which a typed entity stands before it.
        counted: share of its titles in which a number stands right before it ("2 year", "1200 pixels").
    """

    items: int
    owner: float
    trailing: float
    counted: float


def habits(docs: Sequence[Doc], titles: Sequence[Sequence[TitleUnit]]) -> dict[str, Habits]:
    """Return the habits of every untyped unit, by key."""
    items: Counter[str] = Counter()
    inside: dict[str, Counter[str]] = defaultdict(Counter)
    trailing: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for doc, units in zip(docs, titles, strict=True):
        seen: set[str] = set()
        entity_end = -1
        cut = len(doc.title)
        for unit in units:
            if unit.category == "entity":
                if entity_end < 0:
                    cut = head_end(doc.title, unit.end)
                entity_end = unit.end
            if unit.category is not None or unit.key in seen:
                continue
            seen.add(unit.key)
            items[unit.key] += 1
            trailing[unit.key] += entity_end >= 0
            before = doc.title[: unit.start].rstrip(" -")
            counted[unit.key] += before[-1:].isdigit()
            if doc.brand and unit.start < cut:
                inside[unit.key][doc.brand] += 1
    return {
        name: Habits(
            count,
            max(inside[name].values()) / sum(inside[name].values()) if inside[name] else 0.0,
            trailing[name] / count,
            counted[name] / count,
        )
        for name, count in items.items()
    }
