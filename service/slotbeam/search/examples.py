"""Queries to show: what an artifact is sure to understand, in the words of its own items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from slotbeam.kae.encode import Encoded, Match
from slotbeam.language.normalize import normalize
from slotbeam.search.unknown import Understood, split_words, understood

if TYPE_CHECKING:
    from slotbeam.search.artifact import Artifact

COUNT = 3


def example_queries(artifact: Artifact) -> tuple[str, ...]:
    """Return at most `COUNT` canonical queries, each of two words, or else one, that stand for a popular item.

    Every word is in the dictionary, and no two queries are about the same one. Empty for a catalog whose titles hold no
    such word.
    """
    queries: dict[int, str] = {}
    popular = artifact.catalog.titles.take(artifact.catalog.popular)
    titles = [artifact.kae.encode(normalize(title)) for title in popular]
    for propose in (_pairs, _words):
        for title in titles:
            for about, matches in propose(title):
                query = normalize(" ".join(match.surface for match in matches))
                words = split_words(artifact.kae.encode(query), ())
                if about not in queries and understood(words) is Understood.WHOLLY:
                    queries[about] = query
                    break
            if len(queries) == COUNT:
                return tuple(queries.values())
    return tuple(queries.values())


def _pairs(title: Encoded) -> Iterator[tuple[int, list[Match]]]:
    """Yield (concept it is about, its words) of queries: the entity, where one is named, and the word nearest to it."""
    for about in _standing(title)[:1]:
        for other in sorted(_standing(title)[1:], key=lambda match: abs(match.start - about.start)):
            yield about.concept, sorted((about, other), key=lambda match: match.start)


def _words(title: Encoded) -> Iterator[tuple[int, list[Match]]]:
    yield from ((match.concept, [match]) for match in _standing(title))


def _standing(title: Encoded) -> list[Match]:
    """Return the words that stand for a position and are in the title, by position."""
    return [match for match in title.chosen if match is not None and match in title.matches]
