"""The shape of a query: what it excludes, and what it says of typed fields. The first step of reading one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from slotbeam.language.boundaries import Span
from slotbeam.search.excluding import find_exclusions
from slotbeam.search.pricing import ProposedFilter, find_prices
from slotbeam.search.snapshot import Snapshot
from slotbeam.search.unwanted import says


@dataclass(frozen=True, slots=True)
class Shape:
    """What a canonical query says beside the words that name what is wanted.

    Attributes:
        text: canonical: the query without what is no part of what is encoded; never empty.
        places: where each character of `text` stands in the query; None: where it stands in `text`.
        excluded: canonical texts of what is not wanted.
        filters: what it says of typed fields.
        closed: spans of `text` in which no bound word counts.
    """

    text: str
    places: tuple[int, ...] | None = None
    excluded: tuple[str, ...] = ()
    filters: tuple[ProposedFilter, ...] = ()
    closed: tuple[Span, ...] = ()

    @property
    def open_text(self) -> str:
        """`text`, of the same length, with nothing where no bound word counts."""
        text = self.text
        for start, end in self.closed:
            text = text[:start] + "\n" * (end - start) + text[end:]
        return text

    def typed(self, span: Span) -> Span:
        """Return where a span of `text` stands in the query."""
        return span if self.places is None else (self.places[span[0]], self.places[span[1] - 1] + 1)

    def without(self, cuts: Sequence[Span]) -> tuple[Shape, Callable[[Span], Span]]:
        """Return the shape without parts of its text, and what tells where another part of it stands then.

        Where nothing else would be left nothing goes.
        """
        places = _left(self.text, cuts) if cuts else []
        text = "".join(self.text[at] for at in places)
        if not any(char.isalnum() for char in text):
            return self, lambda span: span
        number = {at: place for place, at in enumerate(places)}

        def placed(span: Span) -> Span:
            return number[span[0]], number[span[1] - 1] + 1

        closed = tuple(placed(span) for span in self.closed)
        typed = tuple(places if self.places is None else (self.places[at] for at in places))
        return replace(self, text=text, places=typed, closed=closed), placed


def read_shape(snapshot: Snapshot, query: str, interpret: bool) -> Shape:
    """Read the shape of a canonical query.

    Of a query that says nothing else all words are encoded, and nothing is excluded.

    Args:
        snapshot: whose words and fields there are.
        query: canonical.
        interpret: whether what is said of fields is no part of what is encoded.
    """
    artifact = snapshot.artifact
    language = artifact.folding.language
    filters = tuple(find_prices(query, language, artifact.catalog.fields))
    exclusions = find_exclusions(query, language, _KnownWords(snapshot))
    cuts = [each.span for each in exclusions if not each.is_quality]
    cuts += [each.span for each in filters] if interpret else []
    if not exclusions and not cuts:
        return Shape(query, filters=filters)
    places = _left(query, cuts)
    text = "".join(query[at] for at in places)
    if not any(char.isalnum() for char in text):
        return Shape(query, filters=filters)
    number = {at: place for place, at in enumerate(places)}
    closed = [(number[e.thing[0]], number[e.thing[1] - 1] + 1) for e in exclusions if e.thing[0] in number]
    return Shape(text, tuple(places), tuple(dict.fromkeys(e.text for e in exclusions)), filters, tuple(closed))


def _left(text: str, cuts: Sequence[Span]) -> list[int]:
    """Return the places of what is left of a canonical text without `cuts`, so that it is canonical, too."""
    places: list[int] = []
    for at, char in enumerate(text):
        is_cut = any(start <= at < end for start, end in cuts)
        if not is_cut and (char != " " or (places and text[places[-1]] != " ")):
            places.append(at)
    return places[:-1] if places and text[places[-1]] == " " else places


@dataclass(frozen=True, slots=True)
class _KnownWords:
    """The words of one snapshot."""

    snapshot: Snapshot

    def spans(self, text: str) -> list[Span]:
        matchers = [self.snapshot.artifact.kae.matcher, self.snapshot.overlay.matcher]
        return [(start, end) for matcher in matchers if matcher for start, end, _ in matcher.find_all(text)]

    def says(self, phrase: str) -> bool:
        return says(self.snapshot.artifact.catalog, phrase)
