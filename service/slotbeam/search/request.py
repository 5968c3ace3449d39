"""What goes into the pipeline and what comes out of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from slotbeam.catalog.fields import Fields
from slotbeam.catalog.filters import unknown_field
from slotbeam.catalog.table import Catalog
from slotbeam.errors import FieldError, InputError
from slotbeam.kae.encode import Encoded
from slotbeam.language.boundaries import Span
from slotbeam.language.normalize import normalize
from slotbeam.search.paging import Page, Shown
from slotbeam.search.snapshot import BoundMatch
from slotbeam.search.words import ReadWords
from slotbeam.search.worth import JUDGED
from slotbeam.text import shown
from slotbeam.types import Hits, Sid, Slot

if TYPE_CHECKING:  # which reads a `SearchRequest`
    from slotbeam.search.reading import QueryReading

MAX_QUERY = 256
MAX_K = 1000


class Fallback(StrEnum):
    """What is answered where nothing of a query is known."""

    POPULAR = "popular"


@dataclass(frozen=True, slots=True)
class SortKey:
    """A field to sort by; items without a value of it come last either way."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One query.

    Attributes:
        query: as typed, or canonical.
        k: K, items wanted, 1..1000.
        recent_queries: the user's own, newest last.
        recent_item_ids: likewise; ids the catalog does not hold are ignored.
        filter: which items may be answered (`catalog.filters`).
        exclude_ids: items that may not; ids the catalog does not hold are ignored.
        fields: of each item, to be shown.
        facets: fields whose values are counted over the candidates.
        collapse: a field of whose every value only the best item is shown.
        sort: orders the hits that are shown of the best `MAX_K`, and leaves out none that k = `MAX_K` would show.
        min_relevance: of the best `MAX_K` hits those below are not shown, but for those of bindings.
        fallback: what is answered where nothing of the query is known; None: nothing.
        beam_width: B; None takes the artifact's. It does not depend on k, nor does the order of the items.
        use_bindings: False answers from the base alone.
        interpret: what the query says of typed fields is a filter, and no text.
        spelling: False takes every word as it was typed.
        explain: collect facts on how the answer came about.
        shown: what the pages before showed, at most `MAX_K` − k items; None where no pages are asked for.
        max_bindings: pinned groups at most.
        normalised: whether `query` and `recent_queries` are canonical already, as those of a checked body are.
    """

    query: str
    k: int = 100
    recent_queries: tuple[str, ...] = ()
    recent_item_ids: tuple[str, ...] = ()
    filter: Mapping[str, Any] = field(default_factory=dict)
    exclude_ids: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()
    collapse: str | None = None
    sort: tuple[SortKey, ...] = ()
    min_relevance: float = 0.0
    fallback: Fallback | None = None
    beam_width: int | None = None
    use_bindings: bool = True
    interpret: bool = False
    spelling: bool = True
    explain: bool = False
    shown: Shown | None = None
    max_bindings: int = 4
    normalised: bool = False

    def canonical(self) -> str:
        """Return the canonical query; as `canonical_query` where it is not known to be one."""
        return self.query if self.normalised else canonical_query(self.query)

    @property
    def wanted(self) -> int:
        """How many of the arranged hits hold the K that are shown; of a page also what was shown, and one more."""
        return self.k if self.shown is None else len(self.shown.marks) + self.k + 1

    @property
    def ranked(self) -> int:
        """How many hits are ranked for K to be shown."""
        if self.collapse is not None:  # the k-th distinct value may be anywhere
            return sys.maxsize
        # The confidence is that of the first hits, as many for every K.
        return MAX_K if self.sort or self.min_relevance else max(self.wanted, JUDGED)

    def check_fields(self, known: Fields) -> None:
        """Refuse a field that the catalog does not have, but for those of `filter`. Raises `FieldError`."""
        named = [(f"fields.{i}", name) for i, name in enumerate(self.fields)]
        named += [(f"facets.{i}", name) for i, name in enumerate(self.facets)]
        named += [("collapse", self.collapse)] if self.collapse is not None else []
        named += [(f"sort.{i}.field", key.field) for i, key in enumerate(self.sort)]
        for place, name in named:
            if name not in known:
                raise FieldError(place, f"{shown(name)} {unknown_field(name, known)}")


@dataclass(frozen=True, slots=True)
class Applied:
    """A binding that the query triggered: `span` is the word's place in the canonical query, `items` its item count."""

    id: str
    slot: Slot
    word: str
    span: Span
    items: int

    @classmethod
    def of(cls, bound: BoundMatch, span: Span) -> Applied:
        """Say which binding a bound word of the query triggered, and where it stands in the canonical query."""
        return cls(bound.pinned.id, bound.pinned.slot, bound.match.surface, span, len(bound.pinned.rows))


@dataclass(frozen=True, slots=True)
class Answer:
    """The ranked items of one request, with the facts the edge records.

    Attributes:
        encoded: the base reading of the query: its text, matches, query SID.
        applied: the bindings whose pinned groups were decoded.
        hits: at most K, best first, judged.
        fields: of each hit, to be shown.
        facets: the counts that were asked for, as JSON.
        facts: how the answer came about; filled when `explain` was asked for.
        reading: what the query asks for, and the rules that it triggered.
        words: of the text that was encoded.
        confidence: in [0, 1], that it holds what the query asks for.
        page: where pages were asked for, what is known of this one.
    """

    encoded: Encoded
    applied: tuple[Applied, ...]
    hits: Hits
    fields: tuple[str, ...]
    facets: dict[str, Any]
    facts: dict[str, Any]
    reading: QueryReading = field(compare=False)  # as the words it follows from the text
    words: ReadWords = field(compare=False)
    confidence: float
    page: Page | None = field(default=None, compare=False)  # as `hits`


def history(catalog: Catalog, request: SearchRequest) -> tuple[list[str], list[Sid]]:
    """Return the canonical earlier queries, and the base SIDs of the items seen that the catalog holds, newest last."""
    earlier = request.recent_queries
    rows, _ = catalog.rows_of(request.recent_item_ids)
    queries = list(earlier) if request.normalised else [normalize(query) for query in earlier]
    return queries, [catalog.sid(row) for row in rows]


def canonical_query(query: str) -> str:
    """Normalise a query and check its length *after* normalisation, which can grow it.

    Raises:
        InputError: nothing is left, or more than 256 characters are.
    """
    canonical = normalize(query)
    if not canonical:
        raise InputError("query has no visible character; give 1 to 256 characters")
    if len(canonical) > MAX_QUERY:
        raise InputError(f"query has {len(canonical)} characters after normalisation; give 1 to {MAX_QUERY}")
    return canonical
