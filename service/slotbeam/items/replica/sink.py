"""What a replica hands changed items to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from slotbeam.catalog.item import Item


class ItemSink(Protocol):
    """Makes items findable; called off the request path, one call at a time.

    A record that it cannot take it names: `InputError(…, item=<its id>)`. That record is left out, told in the
    heartbeat (`NACK:…`), and the rest handed over again; where none is named they are handed over one by one.
    """

    async def apply(self, changed: Mapping[str, Item | None], seq: int) -> None:
        """Serve these items as they are (None: deleted) from now on, all at once; `seq` is that of the newest edit."""
        ...

    async def reset(self, items: Mapping[str, Item | None], seq: int) -> None:
        """Serve these edits and no other: what is not named is as the index has it."""
        ...
