"""What the page shows that `/admin` does not say: how often a binding is asked for, and one query both ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol, TypeVar

from slotbeam.access.auth import Tokens
from slotbeam.api.page.drafts import with_drafts
from slotbeam.bindings.binding import Binding
from slotbeam.bindings.replica.watch import Watcher
from slotbeam.bindings.store.store import Store
from slotbeam.errors import StoreError
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from slotbeam.suggestions.activity import Taken, merge_activity
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
    tokens: Tokens

    @property
    def store(self) -> Store:
        """Where bindings and items are kept."""

    @property
    def watcher(self) -> Watcher:
        """What follows the bindings."""

    def merged(self, documents: Sequence[object]) -> Awaitable[Counts]:
        """Merge what the replicas counted of live queries, as they reported it."""

    def off_loop(self, work: Callable[[], T]) -> Awaitable[T]:
        """Run `work` in a thread."""


async def reports(desk: Desk) -> Sequence[object]:
    """Read what the replicas counted; a store that does not answer costs the counts, not the page."""
    try:
        return await desk.store.stats()
    except StoreError:
        return ()


async def asked_for(desk: Desk, documents: Sequence[object]) -> tuple[int, Mapping[str, int]]:
    """Count the sampled queries of the last day, and how many of them trigger each binding and rule, by id."""
    sample = [one.query for one in (await desk.merged(documents)).sample]
    snapshot = desk.holder.current

    def count() -> Mapping[str, int]:
        is_word = snapshot.artifact.is_another_word
        bound = (match.pinned.id for query in sample for match in snapshot.overlay.match(query, EVERY, is_word))
        ruled = (match.rule.id for query in sample for match in snapshot.overlay.rules.match(query))
        return Counter(chain(bound, ruled))

    return len(sample), await desk.off_loop(count)


async def unclicked(desk: Desk) -> list[tuple[Binding, Taken]]:
    """Return the bindings that enough queries trigger and of which nobody takes anything, most asked first."""
    listing, found = desk.watcher.listing, merge_activity(await reports(desk))
    held = listing.bindings if listing else {}
    pairs = [(held[one], taken) for one, taken in found.items() if taken.is_unclicked and one in held]
    return sorted(pairs, key=lambda pair: (-pair[1].queries, pair[0].id))


async def stored(desk: Desk) -> dict[str, object]:
    """Tell of the store where it is, and whether what it acknowledges survives a power cut; or why nobody knows."""
    told: dict[str, object] = {"name": desk.store.name}
    try:
        durable = await desk.store.durability()
    except StoreError as error:
        return {**told, "ok": False, "why": str(error)}
    return {**told, "ok": durable.ok, "why": durable.how if durable.ok else durable.why}


async def tried(desk: Desk, query: str, drafts: bool = False) -> dict[str, Any]:
    """Answer `query` twice, with why: as it is served, and without bindings and rules. Raises `InputError`: no query.

    Args:
        drafts: answer it with drafts and what is scheduled, too, and as it is served, instead.
    """
    snapshot, now_ms = desk.holder.current, int(1000 * desk.clock())

    def both() -> dict[str, Any]:
        first, left = with_drafts(snapshot, desk.watcher, now_ms) if drafts else (snapshot, {})
        on = _told(first, SearchRequest(query, k=SHOWN, explain=True))
        off = _told(snapshot, SearchRequest(query, k=SHOWN, use_bindings=drafts, explain=True))
        same = [hit["id"] for hit in on["hits"]] == [hit["id"] for hit in off["hits"]]
        return {"on": on, "off": off, "same": same, "left": left}

    return await desk.off_loop(both)


def _told(snapshot: Snapshot, asked: SearchRequest) -> dict[str, Any]:
    answer = retrieve(snapshot, asked, Timings())
    artifact, hits = snapshot.artifact, answer.hits
    codebook, facts = artifact.kae.codebook, answer.facts or {}
    names = {"base": "Without bindings", **{one.id: f"“{one.word}”" for one in answer.applied}}
    columns = (
        artifact.catalog.ids.take(hits.rows),
        artifact.catalog.titles.take(hits.rows),
        hits.sids.tolist(),
        hits.sources,
        facts["brought_by"],
    )
    return {
        "hits": [
            {"id": id_, "title": title, "sid": sid_words(snapshot, sid), "source": source, "why": _why(why)}
            for id_, title, sid, source, why in zip(*columns, strict=True)
        ],
        "sid": [
            {"group": codebook.group_name(position), "word": codebook.label(Slot(position, index))}
            for position, index in enumerate(answer.encoded.sid)
        ],
        "applied": [(one.word, str(one.slot), one.id, one.items) for one in answer.applied],
        "rules": [(one.word or "every query", one.rule.id) for one in answer.reading.rules.each],
        "canonical": facts["canonical"],
        "words": facts["words"],
        "groups": [{**group, "name": names[group["group"]]} for group in facts["groups"]],
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
