"""Every slot and every binding in one order: what a list looks through before it shows a page of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from slotbeam.bindings.binding import Binding, Lifecycle
from slotbeam.bindings.listing import Listing
from slotbeam.errors import InputError
from slotbeam.kae.codebook import Codebook
from slotbeam.types import Slot

LAST_SLOT = Slot(10**9, 0)
"""Behind every slot."""


class ListedSlot(NamedTuple):
    """A slot with what it holds, or a binding without a slot.

    `binding_id` is None of a free slot, `binding` also of a record that this version cannot read.
    """

    slot: Slot | None
    binding_id: str | None
    binding: Binding | None

    def state(self, failed: Mapping[str, str], now_ms: int) -> Lifecycle:
        """Return what it is at `now_ms`; `failed` has why a binding was not built, by id."""
        if self.binding_id is None:
            return Lifecycle.FREE
        if self.binding is None or self.binding_id in failed:
            return Lifecycle.FAILED
        return self.binding.lifecycle(now_ms)

    def position(self, codebook: Codebook) -> int | None:
        """Return the position of its slot, else of its category; None of one of another version of slotbeam."""
        if self.slot is not None:
            return self.slot.position
        with suppress(InputError):
            return codebook.position_of(self.binding.category) if self.binding else None
        return None

    def holds(self, text: str) -> bool:
        """Return whether `text` is part of a word, its id, slot, owner or reason."""
        named = (self.binding_id or "", str(self.slot) if self.slot else "")
        one = self.binding
        said = (*one.words, one.owner.casefold(), one.reason.casefold()) if one else ()
        return any(text in field for field in (*said, *named))

    @property
    def order(self) -> tuple[Slot, str]:
        """Where it stands: bindings without a slot come last, by their ids."""
        return (self.slot, "") if self.slot else (LAST_SLOT, self.binding_id or "")


def all_places(codebook: Codebook, listing: Listing | None) -> Iterator[ListedSlot]:
    """Yield every reserved slot and every bound one in order, then what has no slot: no rules but unreadable ones."""
    holders = listing.holders if listing else {}
    bindings = listing.bindings if listing else {}
    held = set[str]()
    beyond: dict[int, list[int]] = {}
    for slot in holders:
        if slot.position < len(codebook.sizes) and slot.index in codebook.bindable(slot.position):
            beyond.setdefault(slot.position, []).append(slot.index)
    for position in range(len(codebook.sizes)):
        reserved = codebook.reserved(position)
        for index in (*reserved, *sorted(index for index in beyond.get(position, ()) if index not in reserved)):
            slot = Slot(position, index)
            binding_id = holders.get(slot)
            if binding_id is None:
                yield ListedSlot(slot, None, None)
                continue
            held.add(binding_id)
            yield ListedSlot(slot, binding_id, bindings.get(binding_id))
    unread = listing.malformed if listing else {}
    for binding_id in sorted({*bindings, *unread} - held):
        binding = bindings.get(binding_id)
        if binding is None or not binding.is_rule:
            yield ListedSlot(None, binding_id, binding)
