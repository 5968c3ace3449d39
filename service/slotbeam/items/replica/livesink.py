"""Edited items → the next version of the catalog, served with the bindings that name them in one assignment."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from slotbeam.bindings.replica.serving import Serving
from slotbeam.catalog.item import Item
from slotbeam.indexing.live import LiveIndex
from slotbeam.search.artifact import Artifact

Items = Mapping[str, Item | None]


class LiveSink:
    """Serves items as they are (`ItemSink`). What encodes them is read with the first edit.

    Args:
        serving: swaps the snapshot.
        artifact: model and index, without edits.
    """

    def __init__(self, serving: Serving, artifact: Artifact) -> None:
        self._serving, self._artifact = serving, artifact
        self._live: LiveIndex | None = None

    async def apply(self, changed: Items, seq: int) -> None:
        """Serve these items as they are (None: deleted) from now on, all at once."""
        await self._serving.swap_items(lambda: self._applied(changed), seq)

    async def reset(self, items: Items, seq: int) -> None:
        """Serve these edits and no other: what is not named is as the index has it."""
        if items or self._live is not None:
            await self._serving.swap_items(lambda: (self._index().restart(items), None), seq)

    def _applied(self, changed: Items) -> tuple[Artifact, AbstractSet[str] | None]:
        live = self._index()
        numbering = live.numbering
        artifact = live.apply(changed)
        return artifact, changed.keys() if live.numbering == numbering else None

    def _index(self) -> LiveIndex:
        if self._live is None:
            self._live = LiveIndex(self._artifact)
        return self._live
