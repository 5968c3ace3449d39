"""Edited items → the next version of the catalog, served with the bindings that name them in one assignment."""

from __future__ import annotations

import asyncio
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
        beside: what is served while this index is made ready, until `serve` is called; None: this one is served.
    """

    def __init__(self, serving: Serving, artifact: Artifact, beside: LiveSink | None = None) -> None:
        self._serving, self.artifact = serving, artifact
        self._beside = beside
        self._live: LiveIndex | None = None

    async def apply(self, changed: Items, seq: int) -> None:
        """Serve these items as they are (None: deleted) from now on, all at once."""
        if self._beside is None:
            await self._serving.swap_items(lambda: self._applied(changed), seq)
        elif changed:
            await asyncio.to_thread(self._applied, changed)

    async def reset(self, items: Items, seq: int) -> None:
        """Serve these edits and no other: what is not named is as the index has it."""
        if not items and self._live is None:
            return
        if self._beside is None:
            await self._serving.swap_items(lambda: (self._index().restart(items), None), seq)
        else:
            await asyncio.to_thread(lambda: self._index().restart(items))

    async def serve(self, seq: int) -> None:
        """Serve this index with the items that it was handed, in one assignment."""
        await self._serving.swap_items(lambda: (self.newest, None), seq)
        self._beside = None
        if self._live is not None:
            self._live.beside = None

    @property
    def newest(self) -> Artifact:
        """The index with the items that it was handed."""
        return self._live.artifact if self._live else self.artifact

    def _applied(self, changed: Items) -> tuple[Artifact, AbstractSet[str] | None]:
        live = self._index()
        numbering = live.numbering
        artifact = live.apply(changed)
        return artifact, changed.keys() if live.numbering == numbering else None

    def _index(self) -> LiveIndex:
        if self._live is None:
            self._live = LiveIndex(self.artifact, self._beside._live if self._beside else None)
        return self._live
