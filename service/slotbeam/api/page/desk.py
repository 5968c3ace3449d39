"""What the page shows that `/admin` does not say: how often a binding is asked for, and one query both ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from slotbeam.errors import StoreError
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from slotbeam.suggestions.bursts import Counts
from slotbeam.types import Slot, Timings

T = TypeVar("T")
EVERY = 1000
"""More bindings than a query can hold."""
SHOWN = 12


class Desk(Protocol):
    """What the page reads of the control plane."""

    settings: Settings
    holder: Holder
    clock: Callable[[], float]

    def counts(self) -> Awaitable[Counts]:
        """Read what the replicas counted of live queries."""

    def off_loop(self, work: Callable[[], T]) -> Awaitable[T]:
        """Run `work` in a thread."""


async def asked_for(desk: Desk) -> tuple[int, Mapping[str, int]]:
    """Count the sampled queries of the last day, and how many of them trigger each binding, by id.

    A store that does not answer costs the counts, not the page.
    """
    try:
        sample = [one.query for one in (await desk.counts()).sample]
    except StoreError:
        return 0, {}
    snapshot = desk.holder.current

    def count() -> Mapping[str, int]:
        is_word = snapshot.artifact.is_another_word
        matches = (snapshot.overlay.match(query, EVERY, is_word) for query in sample)
        return Counter(match.pinned.id for found in matches for match in found)

    return len(sample), await desk.off_loop(count)


async def tried(desk: Desk, query: str) -> dict[str, Any]:
    """Answer `query` with bindings and without, with why. Raises `InputError`: it is no query."""
    snapshot = desk.holder.current

    def both() -> dict[str, Any]:
        asked = [SearchRequest(query, k=SHOWN, use_bindings=on, explain=True) for on in (True, False)]
        on, off = (_told(snapshot, one) for one in asked)
        return {"on": on, "off": off, "same": [hit["id"] for hit in on["hits"]] == [hit["id"] for hit in off["hits"]]}

    return await desk.off_loop(both)


def _told(snapshot: Snapshot, asked: SearchRequest) -> dict[str, Any]:
    answer = retrieve(snapshot, asked, Timings())
    artifact, hits = snapshot.artifact, answer.hits
    codebook, facts = artifact.kae.codebook, answer.facts or {}
    columns = (
        artifact.catalog.ids.take(hits.rows),
        artifact.catalog.titles.take(hits.rows),
        hits.sids.tolist(),
        hits.bound.tolist(),
        facts["brought_by"],
    )
    return {
        "hits": [
            {"id": id_, "title": title, "sid": sid_words(snapshot, sid), "bound": bound, "why": _why(why)}
            for id_, title, sid, bound, why in zip(*columns, strict=True)
        ],
        "sid": [
            {"group": codebook.group_name(position), "word": codebook.label(Slot(position, index))}
            for position, index in enumerate(answer.encoded.sid)
        ],
        "applied": [(one.word, str(one.slot), one.id, one.items) for one in answer.applied],
        "canonical": facts["canonical"],
        "words": facts["words"],
        "groups": facts["groups"],
    }


def sid_words(snapshot: Snapshot, sid: list[int]) -> list[str]:
    """Return the SID of an item as words, one a position that says something."""
    codebook = snapshot.artifact.kae.codebook
    return [word for position, index in enumerate(sid) if (word := codebook.label(Slot(position, index)))]


def _why(fact: Mapping[str, Any]) -> str:
    """Say what brought one item, as `search.explain` has it."""
    if fact.get("bindings"):
        return ""  # the mark beside it says so
    ways = [] if fact.get("range") is None else [f"range {fact['range'] + 1}"]
    ways += [name for name in ("words", "meaning") if fact.get(name)]
    return ", ".join(ways) or "filled up"
