"""What goes into the pipeline and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slotbeam.catalog.table import Catalog
from slotbeam.errors import InputError
from slotbeam.kae.encode import Encoded
from slotbeam.kae.normalize import normalize
from slotbeam.search.snapshot import BoundMatch
from slotbeam.types import Hits, Sid, Slot

MAX_QUERY = 256
MAX_K = 1000


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One query.

    Attributes:
        query: as typed, or canonical.
        k: K, items wanted, 1..1000.
        recent_queries: the user's own, newest last.
        recent_item_ids: likewise; ids the catalog does not hold are ignored.
        filter: field → value, list of values, or bounds.
        beam_width: B; None takes the artifact's. It does not depend on k, nor does the order of the items.
        use_bindings: False answers from the base alone.
        explain: collect facts on how the answer came about.
        max_bindings: pinned groups at most.
        normalised: whether `query` and `recent_queries` are canonical already, as those of a checked body are.
    """

    query: str
    k: int = 100
    recent_queries: tuple[str, ...] = ()
    recent_item_ids: tuple[str, ...] = ()
    filter: Mapping[str, Any] = field(default_factory=dict)
    beam_width: int | None = None
    use_bindings: bool = True
    explain: bool = False
    max_bindings: int = 4
    normalised: bool = False

    def canonical(self) -> str:
        """Return the canonical query; as `canonical_query` where it is not known to be one."""
        return self.query if self.normalised else canonical_query(self.query)


@dataclass(frozen=True, slots=True)
class Applied:
    """A binding that the query triggered: `span` is the word's place in the canonical query, `items` its item count."""

    id: str
    slot: Slot
    word: str
    span: tuple[int, int]
    items: int

    @classmethod
    def of(cls, bound: BoundMatch) -> Applied:
        """Say which binding a bound word of the query triggered."""
        match, pinned = bound.match, bound.pinned
        return cls(pinned.id, pinned.slot, match.surface, (match.start, match.end), len(pinned.rows))


@dataclass(frozen=True, slots=True)
class Answer:
    """The ranked items of one request, with the facts the edge records.

    Attributes:
        encoded: the base reading of the query: canonical text, matches, query SID.
        applied: the bindings whose pinned groups were decoded.
        hits: at most K, best first.
        facts: how the answer came about; filled when `explain` was asked for.
    """

    encoded: Encoded
    applied: tuple[Applied, ...]
    hits: Hits
    facts: dict[str, Any]


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
