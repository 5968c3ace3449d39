"""What people type and the catalog does not say: aliases from clicks, misspellings, dropped vowels.

A word is learned only if the catalog supports it: it names a concept that clicked items carry, or is one edit away
from a word of the catalog.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from slotbeam.catalog.item import Interaction
from slotbeam.kae.dictionary import Concept
from slotbeam.kae.matcher import Matcher
from slotbeam.language.boundaries import is_cjk
from slotbeam.language.normalize import normalize
from slotbeam_train.lexicon.corpus import Doc
from slotbeam_train.lexicon.options import KaeOptions
from slotbeam_train.lexicon.seeds import stop_words
from slotbeam_train.lexicon.words import tokens

ROUNDS = 3
SHARE, LIFT, MARGIN = 0.6, 3.0, 1.25  # of a word's clicked items; over the catalog; over the second-best concept
ITEMS = 2  # distinct clicked items that must agree
_VOWELS = str.maketrans("", "", "aeiou")


def behaviour_of(log: Iterable[Interaction]) -> tuple[Counter[str], list[tuple[str, str]]]:
    """Return what `build_kae` reads of a log: canonical query → count, and its (canonical query, item id) pairs."""
    clicks = [(text, one.item_id) for one in log if (text := normalize(one.query))]
    return Counter(text for text, _ in clicks), clicks


def learn_aliases(
    concepts: Sequence[Concept],
    docs: Sequence[Doc],
    ids: Sequence[str],
    queries: Mapping[str, int],
    clicks: Iterable[tuple[str, str]],
    options: KaeOptions,
) -> list[Concept]:
    """Return the concepts with the aliases that queries and clicks teach, then new ones of words in descriptions."""
    if not queries:
        return list(concepts)
    owner = [n for n, concept in enumerate(concepts) for _ in concept.surfaces]
    surfaces = [surface for concept in concepts for surface in concept.surfaces]
    matcher = Matcher(surfaces)
    unknown: dict[str, tuple[str, ...]] = {}
    named: dict[str, frozenset[int]] = {}
    asked: Counter[str] = Counter()
    for query, times in queries.items():
        found = matcher.find(query)
        named[query] = frozenset(owner[word] for _, _, word in found)
        unknown[query] = tuple(
            text
            for text, start, end in tokens(query)
            if not any(a < end and start < b for a, b, _ in found) and is_word(text)
        )
        for text in dict.fromkeys(unknown[query]):
            asked[text] += times
    wanted = {text for text, times in asked.items() if times >= options.alias_times}
    carried = [
        frozenset(
            owner[w] for text in (d.title, d.description, *(v for _, v in d.values)) for _, _, w in matcher.find(text)
        )
        for d in docs
    ]
    alias = from_clicks(wanted, unknown, named, clicks, dict(zip(ids, carried, strict=True)))
    near = Spelling(surfaces, owner)
    for text in sorted(wanted - set(alias)):
        meant = near.find(text)
        if meant is not None:
            alias[text] = meant
    return extend(concepts, alias, described_words(wanted - set(alias), docs))


def is_word(text: str) -> bool:
    """May be learned: letters, not a stop word, not a long run of CJK text."""
    if len(text) < 2 or text in stop_words() or not any(c.isalpha() for c in text):
        return False
    return len(text) <= (6 if any(map(is_cjk, text)) else 24)


def from_clicks(
    wanted: set[str],
    unknown: Mapping[str, tuple[str, ...]],
    named: Mapping[str, frozenset[int]],
    clicks: Iterable[tuple[str, str]],
    carried: Mapping[str, frozenset[int]],
) -> dict[str, int]:
    """Unknown word → the concept that the items clicked for it share beyond chance.

    What a query names in known words explains its share of an item and is left out; each round knows more words.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for query, item in clicks:
        if item in carried and any(text in wanted for text in unknown.get(query, ())):
            pairs[query, item] += 1
    base: Counter[int] = Counter(concept for own in carried.values() for concept in own)
    total = max(1, len(carried))
    alias: dict[str, int] = {}
    for _ in range(ROUNDS):
        votes: dict[str, Counter[int]] = defaultdict(Counter)
        items: dict[str, dict[str, None]] = defaultdict(dict)
        weight: Counter[str] = Counter()
        for (query, item), _times in sorted(pairs.items()):
            explained = named[query] | {alias[text] for text in unknown[query] if text in alias}
            for text in dict.fromkeys(unknown[query]):
                if text in wanted and text not in alias:
                    items[text][item] = None
                    weight[text] += 1
                    votes[text].update(carried[item] - explained)
        fresh: dict[str, int] = {}
        for text, own in votes.items():
            if len(items[text]) >= ITEMS:
                best = _best(own, weight[text], base, total)
                if best is not None:
                    fresh[text] = best
        if not fresh:
            break
        alias |= fresh
    return alias


def _best(votes: Counter[int], clicked: int, base: Counter[int], total: int) -> int | None:
    scores = sorted(
        ((count / clicked * math.log(count / clicked * total / base[c]), -c) for c, count in votes.items()),
        reverse=True,
    )
    if not scores:
        return None
    score, number = scores[0]
    best = -number
    share = votes[best] / clicked
    rival = scores[1][0] if len(scores) > 1 else 0.0
    sure = share >= SHARE and share * total / base[best] >= LIFT and score >= MARGIN * max(rival, 1e-9)
    return best if sure else None


class Spelling:
    """Words of the catalog one edit away, or the same without vowels."""

    def __init__(self, surfaces: Sequence[str], owner: Sequence[int]) -> None:
        self._deletes: dict[str, set[int]] = defaultdict(set)
        self._skeletons: dict[str, set[int]] = defaultdict(set)
        self._words: dict[int, list[str]] = defaultdict(list)
        for surface, concept in zip(surfaces, owner, strict=True):
            if surface.isalpha() and surface.isascii() and len(surface) >= 4:
                self._words[concept].append(surface)
                for form in deletes(surface):
                    self._deletes[form].add(concept)
                self._skeletons[surface.translate(_VOWELS)].add(concept)

    def find(self, text: str) -> int | None:
        """Return the one concept that `text` misspells; None if there is none or more than one."""
        if not (text.isascii() and text.isalpha()):
            return None
        if len(text) >= 5:
            near = set().union(*(self._deletes.get(form, set()) for form in deletes(text)))
            close = {c for c in near if any(one_edit(text, word) for word in self._words[c])}
            if len(close) == 1:
                return next(iter(close))
        if len(text) >= 3 and text.translate(_VOWELS) == text:
            same = self._skeletons.get(text, set())
            if len(same) == 1:
                return next(iter(same))
        return None


def deletes(word: str) -> set[str]:
    """`word` and every form of it with one character left out."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def one_edit(word: str, other: str) -> bool:
    """Return whether one insertion, deletion, replacement or swap of neighbours makes `word` into `other`."""
    if abs(len(word) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(word), len(other)) and word[start] == other[start]:
        start += 1
    a, b = word[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def described_words(wanted: set[str], docs: Sequence[Doc]) -> list[str]:
    """Return the wanted words that titles or descriptions of the catalog carry."""
    seen: set[str] = set()
    for doc in docs:
        seen.update(text for text, _, _ in doc.tokens if text in wanted)
        seen.update(text for text, _, _ in tokens(doc.description) if text in wanted)
    return sorted(seen)


def extend(concepts: Sequence[Concept], alias: Mapping[str, int], new: Sequence[str]) -> list[Concept]:
    """Concepts with their learned aliases, and one modifier for each new word."""
    extra: dict[int, list[str]] = defaultdict(list)
    for text, number in sorted(alias.items()):
        extra[number].append(text)
    out = [replace(c, aliases=(*c.aliases, *extra[n])) if n in extra else c for n, c in enumerate(concepts)]
    return out + [Concept(word, "modifier") for word in new]
