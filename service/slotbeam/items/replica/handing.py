"""Records → the sink: one that cannot be taken, or that kills the process, is left out and named.

A process that died while it handed records over may have been killed by anybody. So the next one hands them over part
by part, each named on disk by the crash guard; one that dies of a part is followed by one that hands that part over
item by item; and what that one dies of is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from slotbeam.bindings.replica.crashguard import Care, CrashGuard
from slotbeam.catalog.item import Item
from slotbeam.errors import InputError
from slotbeam.items.record import Digest
from slotbeam.items.replica.judging import read_records
from slotbeam.items.replica.sink import ItemSink
from slotbeam.items.store.store import ItemsHead

Items = Mapping[str, Item | None]
PART = 500
"""Items that are handed over at once where care is due."""
Nacks = dict[str, str]
"""Id → `NACK:…`."""


class Handing:
    """Hands items to `sink`, under a crash guard.

    Args:
        sink: None keeps records only.
        guard: in the data directory.
    """

    def __init__(self, sink: ItemSink | None, guard: CrashGuard) -> None:
        self.sink, self.guard = sink, guard

    async def hand(self, records: Mapping[str, bytes], head: ItemsHead, *, whole: bool) -> dict[str, str] | None:
        """Hand over what `records` say, as of `head`.

        Args:
            whole: they are all that there are; else those that changed.

        Returns:
            id → `NACK:…` of what is left out; None with nothing handed over: it killed this process again and again.
        """
        items, failed = await asyncio.to_thread(read_records, records)
        if self.sink is None:
            return failed
        parts, named = await asyncio.to_thread(_parts, records)
        with self.guard.applying(head.digest, named) as care:
            if care.refused:
                return None
            failed |= {item_id: why for item_id, why in care.blamed.items() if item_id in items}
            good = {item_id: item for item_id, item in items.items() if item_id not in failed}
            if care.name is None and await _all(self.sink.reset if whole else self.sink.apply, good, head.seq, failed):
                return failed
            if whole:
                await self.sink.reset({}, head.seq)
            for name, ids in parts.items():
                part = {item_id: good[item_id] for item_id in ids if item_id in good}
                await self._part(self.sink, name, part, head.seq, failed, care)
            return failed

    async def _part(self, sink: ItemSink, name: str, part: Items, seq: int, failed: Nacks, care: Care) -> None:
        """Hand over a part by its name; with care, one that ended the process item by item, each by its own."""
        say = care.name or (lambda name: None)
        each = [{item_id: item} for item_id, item in part.items()] if name in care.blamed else [part]
        for items in each:
            say(next(iter(items), "") if name in care.blamed else name)
            try:
                left = dict(items)
                if not await _all(sink.apply, left, seq, failed):
                    await _halved(sink, left, seq, failed)
            finally:
                say("")


def _parts(records: Mapping[str, bytes]) -> tuple[dict[str, list[str]], Mapping[str, bytes]]:
    """Return name of a part → its ids, the same at each start; and the records with one more for each part, its hash.

    No item is called as a part is.
    """
    ids = sorted(records)
    parts = {f"\0part {start}": ids[start : start + PART] for start in range(0, len(ids), PART)}
    hashes = {name: str(Digest.of(records[item_id] for item_id in held)).encode() for name, held in parts.items()}
    return parts, {**records, **hashes}


async def _all(
    hand: Callable[[Items, int], Awaitable[None]], left: dict[str, Item | None], seq: int, failed: Nacks
) -> bool:
    """Hand over `left` but for what is named as wrong, which goes to `failed`. Returns False where nothing is."""
    while True:
        try:
            await hand(left, seq)
            return True
        except InputError as error:
            named = error.details.get("item")
            if not isinstance(named, str) or named not in left:
                return False
            del left[named]
            failed[named] = _nack(error)
        except Exception:
            return False


async def _halved(sink: ItemSink, items: Items, seq: int, failed: Nacks) -> None:
    """Hand over the items of which one cannot be taken, half by half: a poisonous one takes no neighbour along."""
    if len(items) > 1:
        listed = list(items.items())
        for half in (listed[: len(listed) // 2], listed[len(listed) // 2 :]):
            left = dict(half)
            if not await _all(sink.apply, left, seq, failed):
                await _halved(sink, left, seq, failed)
        return
    for item_id in items:
        try:
            await sink.apply(items, seq)
        except Exception as error:
            failed[item_id] = _nack(error)


def _nack(error: Exception) -> str:
    what = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return f"NACK:BUILD {what}"[:300]
