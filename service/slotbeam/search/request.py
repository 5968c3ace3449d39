"""What goes into the pipeline and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slotbeam.catalog.table import Catalog
from slotbeam.errors import InputError
from slotbeam.kae.encode import Encoded
from slotbeam.kae.normalize import normalize
from slotbeam.types import Hit, Sid

MAX_QUERY = 256
MAX_K = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """One query.

    Attributes:
        query: as typed.
        k: K, items wanted, 1..1000.
        recent_queries: the user's own, newest last.
        recent_item_ids: likewise; ids the catalog does not hold are ignored.
        filter: field → value, list of values, or bounds.
        beam_width: B; None takes the artifact's. It does not depend on k, nor does the order of the items.
        use_bindings: False answers from the base alone.
        explain: collect facts on how the answer came about.
        max_bindings: pinned groups at most.
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


@dataclass(frozen=True, slots=True)
class Applied:
    """A binding that the query triggered: `span` is the word's place in the canonical query, `items` its item count."""

    id: str
    slot: str
    word: str
    span: tuple[int, int]
    items: int


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
    hits: list[Hit]
    facts: dict[str, Any]


def history(catalog: Catalog, request: Request) -> tuple[list[str], list[Sid]]:
    """Return the canonical earlier queries, and the base SIDs of the items seen that the catalog holds, newest last."""
    rows, _ = catalog.rows_of(request.recent_item_ids)
    return [normalize(query) for query in request.recent_queries], [catalog.sid(row) for row in rows]


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
