"""What would be served if every draft, and all that is scheduled, were live: for looking at, and for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from slotbeam.bindings.binding import Binding, Lifecycle
from slotbeam.bindings.edits.bulk import ImportRow, load
from slotbeam.bindings.edits.plan import following
from slotbeam.bindings.edits.wanted import wanted_of
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.compiling import compile_listing
from slotbeam.bindings.replica.watch import Watcher
from slotbeam.bindings.words import read_again
from slotbeam.errors import ImportRefused
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Snapshot

WAITING = (Lifecycle.DRAFT, Lifecycle.SCHEDULED)


def with_drafts(snapshot: Snapshot, watcher: Watcher, now_ms: int) -> tuple[Snapshot, dict[str, str]]:
    """Return what would be served, and why what is left out of it could not be published: by its id.

    Args:
        snapshot: that is served.
        watcher: of the store that it is compiled from.
        now_ms: unix ms.
    """
    listing, good, compiled = watcher.listing, watcher.good, watcher.compiled
    if listing is None or good is None or compiled is None:
        return snapshot, {}
    after, left = published(snapshot.artifact, listing, now_ms)
    built = compile_listing(snapshot.artifact, after, good.items, now_ms, compiled.every)
    waiting = {one.id for one in _waiting(listing, now_ms)}
    left |= {binding_id: why for binding_id, why in built.failed.items() if binding_id in waiting}
    return replace(snapshot, overlay=built.overlay), left


def published(artifact: Artifact, listing: Listing, now_ms: int) -> tuple[Listing, dict[str, str]]:
    """Return the listing with all that waits made live, as one commit would, and why what cannot be is left out."""
    rows = {number: _row(number, one) for number, one in enumerate(_waiting(listing, now_ms))}
    left: dict[str, str] = {}
    while rows:
        try:
            change = load(artifact, list(rows.values()), {}, "", now_ms, update=True)(listing)
        except ImportRefused as refused:
            left |= {rows[number].binding_id: str(why) for number, why in refused.refused.items()}
            rows = _without(rows, refused.refused)
        else:
            return following(listing, change), left
    return listing, left


def _waiting(listing: Listing, now_ms: int) -> list[Binding]:
    every = sorted(listing.bindings.values(), key=lambda one: (one.revision, one.id))
    return [one for one in every if one.lifecycle(now_ms) in WAITING]


def _row(number: int, one: Binding) -> ImportRow:
    wanted = replace(wanted_of(one), words=read_again(one.words), draft=False, starts_at=None)
    return ImportRow(line=number, wanted=wanted, binding_id=one.id, was=one.id)


def _without(rows: Mapping[int, ImportRow], gone: Mapping[int, object]) -> dict[int, ImportRow]:
    return {number: row for number, row in rows.items() if number not in gone}
