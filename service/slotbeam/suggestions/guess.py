"""What an unknown word probably is: the category guess of a trend suggestion. Pure code.

Everything is learned from the artifact that is served; there is no list of cue words in any language. Naive Bayes
over four views of the word: how many words each category has, what they look like, where they stand in item texts
(which word or category is left and right of them), and what is named beside them. A text that names a color seldom
names another, so what the word's items and queries leave unnamed speaks for a category.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from slotbeam.catalog.table import Catalog
from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.encode import Kae
from slotbeam.kae.matcher import Matcher, is_cjk
from slotbeam.kae.normalize import normalize

LEARNED_ITEMS = 2000
READ_ITEMS = 40
MOST_VOTES = 4.0
"""Texts that hold one word resemble each other: together they weigh as much as so many independent ones."""

QUERY_PRIOR = {"entity": 0.9, "brand": 0.3}
OTHER_PRIOR = 0.1
"""Share of queries that name a category, until the suggestions' own queries tell."""

_TOKEN = re.compile(r"[^\W_]+")
_END = re.compile(r"[.!?;:\n|]")
_SMOOTH = 0.5
_OTHERWISE = 0.2
"""Chance that the word stands in a text that is not written as the catalog's texts are: nothing is ruled out."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One category a word may have: its posterior `share` in 0..1, and `why` in words."""

    category: str
    share: float
    why: str


@dataclass(frozen=True, slots=True)
class _Place:
    """One occurrence of a word: what stands left and right of it."""

    left: str
    right: str


class Guesser:
    """Learns from an artifact what words of each category are like; immutable afterwards.

    Args:
        kae: of the artifact.
        catalog: of the artifact; a sample of its items is read (a second or so).
        without: canonical words to take for unknown, for measuring.
    """

    def __init__(self, kae: Kae, catalog: Catalog, without: Collection[str] = frozenset()) -> None:
        self.kae, self.catalog, self.without = kae, catalog, frozenset(without)
        self._types = Counter(dict.fromkeys(CATEGORIES, 1))
        self._shapes: dict[str, Counter[str]] = {name: Counter() for name in CATEGORIES}
        for concept in kae.dictionary:
            if concept.word not in self.without:
                self._types[concept.category] += 1
                self._shapes[concept.category][shape(concept.word)] += 1
        self._left: dict[str, Counter[str]] = {name: Counter() for name in CATEGORIES}
        self._right: dict[str, Counter[str]] = {name: Counter() for name in CATEGORIES}
        self._named, self._again, self._holding = Counter[str](), Counter[str](), Counter[str]()
        rows = range(0, len(catalog), max(1, len(catalog) // LEARNED_ITEMS))
        for row in islice(rows, LEARNED_ITEMS):
            self._learn(catalog.texts[row])
        self._items = len(rows)
        self._every_left = sum(self._left.values(), Counter[str]())
        self._every_right = sum(self._right.values(), Counter[str]())

    def guess(
        self, word: str, rows: Sequence[int] = (), queries: Sequence[str] = (), background: Sequence[str] = ()
    ) -> list[Guess]:
        """Rank all categories for a word, likeliest first.

        Args:
            word: canonical.
            rows: catalog rows whose text holds it; the first `READ_ITEMS` are read.
            queries: some that hold it.
            background: other queries of the same time: how often each category is named at all.
        """
        texts = [self.catalog.texts[int(row)] for row in rows[:READ_ITEMS]]
        matcher = Matcher([word])
        places = [place for text in texts for place in self._places(text, matcher)]
        items = [self._beside(text, word) for text in texts]
        asked = [self._beside(normalize(query), word) for query in queries if query.strip()]
        usual = self._usual([self._beside(normalize(query), word) for query in background if query.strip()])
        named = Counter(name for names in asked for name in names)
        told = [names for names in asked if names]
        score: dict[str, float] = {}
        for name in CATEGORIES:
            points = math.log(self._types[name] ** 0.5) + self._shape(name, word)
            points += self._standing(name, places)
            again = (self._again[name] + _SMOOTH) / (self._holding[name] + 4 * _SMOOTH)
            base = (self._named[name] + _SMOOTH) / (self._items + 2 * _SMOOTH)
            points += _unnamed(name, items, base, min(again, base))
            points += _unnamed(name, told, usual[name], min(0.1, usual[name] / 3))
            score[name] = points
        best = max(score.values())
        total = sum(math.exp(points - best) for points in score.values())
        ranked = sorted(CATEGORIES, key=lambda name: -score[name])
        return [
            Guess(name, math.exp(score[name] - best) / total, self._why(name, word, places, items, told, named))
            for name in ranked
        ]

    def _learn(self, text: str) -> None:
        """Count where the known words of one item stand, and which categories it names once, and twice."""
        concepts: dict[str, set[int]] = defaultdict(set)
        for line in text.split("\n"):
            found = self._known(line)
            spans = [(start, end, self.kae.dictionary[concept].category) for start, end, concept in found]
            for number, (start, end, category) in enumerate(spans):
                self._left[category][_left(line, start, spans[:number])] += 1
                self._right[category][_right(line, end, spans[number + 1 :])] += 1
                concepts[category].add(found[number][2])
        for category, distinct in concepts.items():
            self._named[category] += 1
            self._holding[category] += len(distinct)
            self._again[category] += len(distinct) * (len(distinct) > 1)

    def _known(self, line: str) -> list[tuple[int, int, int]]:
        matches = self.kae.encode(line).matches
        return [(m.start, m.end, m.concept) for m in matches if m.surface not in self.without]

    def _places(self, text: str, matcher: Matcher) -> Iterable[_Place]:
        for line in text.split("\n"):
            held = matcher.find(line)
            if not held:
                continue
            spans = [(start, end, self.kae.dictionary[concept].category) for start, end, concept in self._known(line)]
            for start, end, _ in held:
                before = [span for span in spans if span[1] <= start]
                yield _Place(_left(line, start, before), _right(line, end, [span for span in spans if span[0] >= end]))

    def _beside(self, text: str, word: str) -> frozenset[str]:
        """Return the categories that a text names in other words."""
        held = [(start, end) for start, end, _ in Matcher([word]).find(text)]
        return frozenset(
            self.kae.dictionary[match.concept].category
            for match in self.kae.encode(text, held).matches
            if match.surface not in self.without
        )

    def _usual(self, background: Sequence[frozenset[str]]) -> dict[str, float]:
        """How often queries name each category: as `background` does, and a little as queries usually do."""
        told = [names for names in background if names]
        return {
            name: (sum(name in names for names in told) + 4 * QUERY_PRIOR.get(name, OTHER_PRIOR)) / (len(told) + 4)
            for name in CATEGORIES
        }

    def _shape(self, name: str, word: str) -> float:
        counts = self._shapes[name]
        return math.log((counts[shape(word)] + _SMOOTH) / (counts.total() + _SMOOTH * len(_SHAPES)))

    def _standing(self, name: str, places: Sequence[_Place]) -> float:
        """Log-likelihood of where the word stands; many places that are alike weigh little more than one."""
        if not places:
            return 0.0
        votes = min(MOST_VOTES, len(set(places)))
        points = 0.0
        for counts, every, seen in (
            (self._left[name], self._every_left, Counter(place.left for place in places)),
            (self._right[name], self._every_right, Counter(place.right for place in places)),
        ):
            for key, times in seen.items():
                if every[key]:  # what was never seen beside any word tells nothing
                    usual = every[key] / every.total()
                    own = (counts[key] + _SMOOTH * usual) / (counts.total() + _SMOOTH)
                    points += times * math.log((1 - _OTHERWISE) * own + _OTHERWISE * usual)
        return points * votes / len(places)

    def _why(
        self,
        name: str,
        word: str,
        places: Sequence[_Place],
        items: Sequence[frozenset[str]],
        told: Sequence[frozenset[str]],
        named: Counter[str],
    ) -> str:
        """Say in a line what of the evidence can be said so."""
        parts = []
        if items:
            lacking = sum(name not in names for names in items)
            parts.append(f"{lacking} of {len(items)} items that hold it name no other {name}")
        if places:
            [(left, _)] = Counter(place.left for place in places).most_common(1)
            share = self._left[name][left] / max(1, self._left[name].total())
            if share >= 0.05 and left in CATEGORIES:
                parts.append(f"it stands after {'an' if left[0] in 'aeiou' else 'a'} {left}, as {share:.0%} of them do")
            elif share >= 0.05 and left not in ("^", ""):
                parts.append(f'it stands after "{left}", as {share:.0%} of them do')
        if told:
            parts.append(f"{len(told) - named[name]} of {len(told)} example queries name no other {name}")
        if shape(word) in ("mixed", "digits", "cjk"):
            counts = self._shapes[name]
            share = counts[shape(word)] / max(1, counts.total())
            parts.append(f"{share:.0%} of the known ones look like it")
        return "; ".join(parts) or "nothing but how many words each category has"


_SHAPES = ("digits", "mixed", "cjk", "many", "short", "long")


def shape(word: str) -> str:
    """Return what a canonical word looks like: digits, digits and letters, CJK, several words, short or long."""
    if any(character.isdigit() for character in word):
        return "mixed" if any(character.isalpha() for character in word) else "digits"
    if any(is_cjk(character) for character in word):
        return "cjk"
    if " " in word:
        return "many"
    return "short" if len(word) < 5 else "long"


def _unnamed(name: str, texts: Sequence[frozenset[str]], base: float, own: float) -> float:
    """Log of how much likelier a word of this category leaves `texts` as they are than any other word does.

    Args:
        base: share of texts that name the category.
        own: share that name another word of it beside a word of it.
    """
    if not texts or own >= base:
        return 0.0
    own = (1 - _OTHERWISE) * own + _OTHERWISE * base
    named = sum(name in names for names in texts) / len(texts)
    points = named * math.log(own / base) + (1 - named) * math.log((1 - own) / (1 - base))
    return points * min(MOST_VOTES, len(texts))


def _tokens(text: str) -> list[str]:
    return [found[0] for found in _TOKEN.finditer(text)]


def _left(line: str, start: int, spans: Sequence[tuple[int, int, str]]) -> str:
    """Return what is left of a word: a known word's category, the word that stands there, `^` at a sentence's start."""
    known = max((end for _, end, _ in spans), default=-1)
    between = line[max(known, 0) : start]
    if _END.search(between[len(between.rstrip()) - 1 :] if between.strip() else ""):
        return "^"
    tokens = _tokens(between)
    if tokens:
        return tokens[-1]
    return spans[-1][2] if spans and known >= 0 else "^"


def _right(line: str, end: int, spans: Sequence[tuple[int, int, str]]) -> str:
    """Likewise on the right; `$` at a sentence's end."""
    stop = spans[0][0] if spans else len(line)
    between = line[end:stop]
    if _END.match(between.strip()):
        return "$"
    tokens = _tokens(between)
    if tokens:
        return tokens[0]
    return spans[0][2] if spans else "$"
