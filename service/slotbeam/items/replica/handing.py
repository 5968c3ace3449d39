"""Records → the sink: one that cannot be taken, or that kills the process, is left out and named."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from slotbeam.bindings.replica.crashguard import Care, CrashGuard
from slotbeam.catalog.item import Item
from slotbeam.errors import InputError
from slotbeam.items.replica.judging import read_records
from slotbeam.items.replica.sink import ItemSink
from slotbeam.items.store.store import ItemsHead

Items = Mapping[str, Item | None]


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
        with self.guard.applying(head.digest, records) as care:
            if care.refused:
                return None
            failed |= {item_id: why for item_id, why in care.blamed.items() if item_id in items}
            good = {item_id: item for item_id, item in items.items() if item_id not in failed}
            return failed | await self._handed(self.sink, good, head.seq, whole, care)

    async def _handed(self, sink: ItemSink, items: Items, seq: int, whole: bool, care: Care) -> dict[str, str]:
        """Hand over all at once; with care, or when that fails with no record named, one by one."""
        left, failed = dict(items), dict[str, str]()
        while care.name is None:
            try:
                await (sink.reset(left, seq) if whole else sink.apply(left, seq))
                return failed
            except InputError as error:
                named = error.details.get("item")
                if not isinstance(named, str) or named not in left:
                    break
                del left[named]
                failed[named] = _nack(error)
            except Exception:
                break
        if whole:
            await sink.reset({}, seq)
        for item_id, item in left.items():
            try:
                if care.name is not None:
                    care.name(item_id)
                await sink.apply({item_id: item}, seq)
            except Exception as error:  # a poisonous record must not take its neighbours along
                failed[item_id] = _nack(error)
            finally:
                if care.name is not None:
                    care.name("")
        return failed


def _nack(error: Exception) -> str:
    what = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return f"NACK:BUILD {what}"[:300]
