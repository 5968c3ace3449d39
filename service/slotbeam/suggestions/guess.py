"""What an unknown word probably is: the category guess of a trend suggestion. Pure code.

Everything is learned from the artifact that is served; there is no list of cue words in any language. Naive Bayes
over four views of the word: how many words each category has, what they look like, where they stand in item texts
(which word or category is left and right of them), and what is named beside them. A text that names a color seldom
names another, so what the word's items and queries leave unnamed speaks for a category.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from slotbeam.catalog.table import Catalog
from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.encode import Kae
from slotbeam.kae.matcher import Matcher
from slotbeam.language.normalize import normalize
from slotbeam.model.textvectors import TextVectors
from slotbeam.suggestions.alike import WordsAlike
from slotbeam.suggestions.features import SHAPES, KnownWord, Neighbours, neighbours_of, shape

LEARNED_ITEMS = 2000
READ_ITEMS = 40
MOST_VOTES = 4.0
"""Texts that hold one word resemble each other: together they weigh as much as so many independent ones."""

QUERY_PRIOR = {"entity": 0.9, "brand": 0.3}
OTHER_PRIOR = 0.1
"""Share of queries that name a category, until the suggestions' own queries tell."""

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
class _Evidence:
    """What was read of one word.

    Attributes:
        word: canonical.
        neighbours: where it stands in item texts.
        items: of each item that holds it, the categories that its text names in other words.
        asked: likewise of each query that names any.
    """

    word: str
    neighbours: Sequence[Neighbours]
    items: Sequence[frozenset[str]]
    asked: Sequence[frozenset[str]]


class Guesser:
    """Learns from an artifact what words of each category are like; immutable afterwards.

    Args:
        kae: of the artifact.
        catalog: of the artifact; a sample of its items is read (a second or so).
        without: canonical words to take for unknown, for measuring.
        texts: of the artifact, where its model had a teacher: what the word means tells what words are like it.
    """

    def __init__(
        self,
        kae: Kae,
        catalog: Catalog,
        without: Collection[str] = frozenset(),
        texts: TextVectors | None = None,
    ) -> None:
        self.kae, self.catalog, self.without = kae, catalog, frozenset(without)
        known = [concept for concept in kae.dictionary if concept.word not in self.without]
        self._alike = WordsAlike([(concept.word, concept.category) for concept in known], texts) if texts else None
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
        self, word: str, item_rows: Sequence[int] = (), queries: Sequence[str] = (), background: Sequence[str] = ()
    ) -> list[Guess]:
        """Rank all categories for a word, likeliest first.

        Args:
            word: canonical.
            item_rows: catalog rows whose text holds it; the first `READ_ITEMS` are read.
            queries: some that hold it.
            background: other queries of the same time: how often each category is named at all.
        """
        texts = [self.catalog.texts[int(row)] for row in item_rows[:READ_ITEMS]]
        matcher = Matcher([word], self.catalog.terms.folding, [word])
        seen = _Evidence(
            word,
            neighbours=[pair for text in texts for pair in self._neighbours(text, matcher)],
            items=[self._beside(text, word) for text in texts],
            asked=self._named_in(queries, word),
        )
        usual = self._usual(self._named_in(background, word))
        score = {name: self._score(name, seen, usual[name]) for name in CATEGORIES}
        best = max(score.values())
        weight = {name: math.exp(points - best) for name, points in score.items()}
        total = sum(weight.values())
        ranked = sorted(CATEGORIES, key=lambda name: -score[name])
        return [Guess(name, weight[name] / total, self._why(name, seen)) for name in ranked]

    def _score(self, name: str, seen: _Evidence, usual: float) -> float:
        """Return the log-posterior of a category, up to a constant; `usual` is the share of queries that name it."""
        again = (self._again[name] + _SMOOTH) / (self._holding[name] + 4 * _SMOOTH)
        base = (self._named[name] + _SMOOTH) / (self._items + 2 * _SMOOTH)
        points = math.log(self._types[name] ** 0.5) + self._shape(name, seen.word)
        points += self._standing(name, seen.neighbours)
        points += self._alike.points(seen.word)[name] if self._alike else 0.0
        points += _unnamed(name, seen.items, base, min(again, base))
        points += _unnamed(name, seen.asked, usual, min(0.1, usual / 3))
        return points

    def _learn(self, text: str) -> None:
        """Count where the known words of one item stand, and which categories it names once, and twice."""
        concepts: dict[str, set[int]] = defaultdict(set)
        for line in text.split("\n"):
            known = self._known(line)
            for start, end, category, concept in known:
                pair = neighbours_of(line, start, end, known)
                self._left[category][pair.left] += 1
                self._right[category][pair.right] += 1
                concepts[category].add(concept)
        for category, distinct in concepts.items():
            self._named[category] += 1
            self._holding[category] += len(distinct)
            self._again[category] += len(distinct) * (len(distinct) > 1)

    def _known(self, line: str) -> list[KnownWord]:
        """Return the known words of a line, in order."""
        matches = [match for match in self.kae.encode(line).matches if match.surface not in self.without]
        return [KnownWord(m.start, m.end, self.kae.dictionary[m.concept].category, m.concept) for m in matches]

    def _neighbours(self, text: str, matcher: Matcher) -> Iterator[Neighbours]:
        for line in text.split("\n"):
            held = matcher.find(line)
            known = self._known(line) if held else []
            for start, end, _ in held:
                yield neighbours_of(line, start, end, known)

    def _named_in(self, queries: Sequence[str], word: str) -> list[frozenset[str]]:
        """Return the categories that each query names beside `word`, of those that name any."""
        return [names for query in queries if (names := self._beside(normalize(query), word))]

    def _beside(self, text: str, word: str) -> frozenset[str]:
        """Return the categories that a text names in other words."""
        held = [(start, end) for start, end, _ in Matcher([word], self.catalog.terms.folding, [word]).find(text)]
        return frozenset(
            self.kae.dictionary[match.concept].category
            for match in self.kae.encode(text, held).matches
            if match.surface not in self.without
        )

    def _usual(self, told: Sequence[frozenset[str]]) -> dict[str, float]:
        """Return how often queries name each category: as `told` does, and a little as queries usually do."""
        return {
            name: (sum(name in names for names in told) + 4 * QUERY_PRIOR.get(name, OTHER_PRIOR)) / (len(told) + 4)
            for name in CATEGORIES
        }

    def _shape(self, name: str, word: str) -> float:
        counts = self._shapes[name]
        return math.log((counts[shape(word)] + _SMOOTH) / (counts.total() + _SMOOTH * len(SHAPES)))

    def _standing(self, name: str, neighbours: Sequence[Neighbours]) -> float:
        """Return the log-likelihood of where the word stands; of many that are alike little more than one weighs."""
        if not neighbours:
            return 0.0
        votes = min(MOST_VOTES, len(set(neighbours)))
        points = 0.0
        for counts, every, seen in (
            (self._left[name], self._every_left, Counter(pair.left for pair in neighbours)),
            (self._right[name], self._every_right, Counter(pair.right for pair in neighbours)),
        ):
            for neighbour, times in seen.items():
                if every[neighbour]:  # what was never seen beside any word tells nothing
                    usual = every[neighbour] / every.total()
                    own = (counts[neighbour] + _SMOOTH * usual) / (counts.total() + _SMOOTH)
                    points += times * math.log((1 - _OTHERWISE) * own + _OTHERWISE * usual)
        return points * votes / len(neighbours)

    def _why(self, name: str, seen: _Evidence) -> str:
        """Say in a line what of the evidence can be said so."""
        parts = []
        if seen.items:
            lacking = sum(name not in names for names in seen.items)
            parts.append(f"{lacking} of {len(seen.items)} items that hold it name no other {name}")
        if seen.neighbours:
            [(left, _)] = Counter(pair.left for pair in seen.neighbours).most_common(1)
            share = self._left[name][left] / max(1, self._left[name].total())
            if share >= 0.05 and left in CATEGORIES:
                parts.append(f"it stands after {'an' if left[0] in 'aeiou' else 'a'} {left}, as {share:.0%} of them do")
            elif share >= 0.05 and left not in ("^", ""):
                parts.append(f'it stands after "{left}", as {share:.0%} of them do')
        if self._alike and (like := self._alike.nearest(seen.word, name)):
            parts.append(f"it means much the same as {', '.join(like)}")
        if seen.asked:
            lacking = sum(name not in names for names in seen.asked)
            parts.append(f"{lacking} of {len(seen.asked)} example queries name no other {name}")
        if shape(seen.word) in ("mixed", "digits", "cjk"):
            counts = self._shapes[name]
            share = counts[shape(seen.word)] / max(1, counts.total())
            parts.append(f"{share:.0%} of the known ones look like it")
        return "; ".join(parts) or "nothing but how many words each category has"


def _unnamed(name: str, texts: Sequence[frozenset[str]], base: float, own: float) -> float:
    """Return the log of how much likelier a word of this category leaves `texts` as they are than any other word does.

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
