"""Who made each binding what it is, and when: read once from the log, which never changes what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from slotbeam.api.admin.views import View
from slotbeam.bindings.store.store import Store
from slotbeam.bindings.times import iso
from slotbeam.errors import StoreError

BATCH = 32
REMEMBERED = 100_000
_UNKNOWN = (None, None)


class Authors:
    """Remembers actor and time by revision.

    Args:
        store: gives the store; it is there once the plane runs.
    """

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._epoch = ""
        self._known: dict[int, tuple[str | None, str | None]] = {}

    async def sign(self, views: Iterable[View], epoch: str) -> None:
        """Add `changed_by` and `changed_at` to every view of a binding; null where the log no longer tells.

        A store that does not answer costs these two, not the answer.

        Args:
            epoch: that the revisions in the views belong to.
        """
        bound = [view for view in views if "revision" in view]
        if epoch != self._epoch or len(self._known) > REMEMBERED:
            self._epoch, self._known = epoch, {}
        await self._read(sorted({view["revision"] for view in bound} - self._known.keys()))
        for view in bound:
            view["changed_by"], view["changed_at"] = self._known.get(view["revision"], _UNKNOWN)

    async def _read(self, revisions: list[int]) -> None:
        known = self._known
        for start in range(0, len(revisions), BATCH):
            batch = revisions[start : start + BATCH]
            try:
                entries = await self._store().commits(batch)
            except StoreError:
                return
            known.update(dict.fromkeys(batch, _UNKNOWN))
            known.update({revision: (entry["actor"], iso(entry["at"])) for revision, entry in entries.items()})
