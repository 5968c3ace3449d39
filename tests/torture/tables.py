"""What the model knows to be bound, as plain dictionaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from slotbeam.types import Slot

from .reading import Bound, Search, looks_like, search
from .records import Record, Refused, active_of, canonical_json, clock_ms, state_of

OVERFLOW = 65_536
"""Overflow slots of a position, behind its reserved ones."""


class Tables:
    """The bindings of one store, for one codebook.

    Args:
        positions: category → position.
        reserved: position → its reserved slots.
        items: the ids of the catalog.
        revision: of the store, which must hold no binding.
    """

    def __init__(
        self, positions: Mapping[str, int], reserved: Mapping[int, range], items: Collection[str], revision: int = 0
    ) -> None:
        self.positions, self.reserved, self.items = positions, reserved, frozenset(items)
        self.revision = revision
        self.bindings: dict[str, Record] = {}  # id → record, in the order they were made
        self.targets: dict[str, tuple[str, ...]] = {}  # id → item ids
        self.placed: dict[str, str] = {}  # id → slot

    @property
    def slots(self) -> dict[str, str]:
        """Slot → the id of the binding that holds it."""
        return {slot: key for key, slot in self.placed.items()}

    @property
    def words(self) -> dict[str, str]:
        """Canonical word → the id of the binding that holds it. A draft holds none."""
        return {word: key for key, record in self.bindings.items() if not record["draft"] for word in record["words"]}

    @property
    def records(self) -> dict[str, bytes]:
        """Binding id → the bytes of its record."""
        return {key: canonical_json(record) for key, record in self.bindings.items()}

    @property
    def state(self) -> str:
        """The digest of every record."""
        return state_of(self.records)

    def active_digest(self, codebook_sha: str) -> str:
        """The digest of what searches see."""
        return active_of(codebook_sha, self.active())

    def etag(self, key: str) -> str:
        """The entity tag of a binding."""
        return f'"{key}.{self.bindings[key]["revision"]}"'

    def lifecycle(self, key: str, now_ms: int | None = None) -> str:
        """`draft`, `scheduled`, `active` or `expired`."""
        now = now_ms if now_ms is not None else clock_ms()
        record = self.bindings[key]
        if record["draft"]:
            return "draft"
        if record["ends_at"] is not None and record["ends_at"] <= now:
            return "expired"
        return "scheduled" if record["starts_at"] is not None and record["starts_at"] > now else "active"

    def active(self, now_ms: int | None = None) -> dict[str, str]:
        """Id → slot of the bindings that searches see."""
        return {key: slot for key, slot in self.placed.items() if self.lifecycle(key, now_ms) == "active"}

    def counts(self) -> dict[str, int]:
        """Lifecycle → how many bindings (of `free`: slots) are in it."""
        counts = Counter(self.lifecycle(key) for key in self.bindings)
        counts["free"] = len(self.shown_slots()) - len(self.placed)
        return {state: count for state, count in counts.items() if count}

    def search(self, query: str) -> Search:
        """Which bindings a query triggers, and what they do to its answer."""
        bound = {
            word: Bound(key, slot, self.bindings[key]["placement"], self.items.intersection(self.targets[key]))
            for key, slot in self.active().items()
            for word in self.bindings[key]["words"]
        }
        return search(query, bound)

    # ---------------------------------------------------------------- checks

    def check_slot(self, slot: str, position: int | None = None) -> None:
        """Refuse a slot that is not reserved, or not of the position."""
        at, _, index = slot.partition("-")
        if int(index) not in self.bindable(int(at)) or position not in (None, int(at)):
            raise Refused(422, "invalid-binding")

    def refuse_twins(self, words: Iterable[str], own: str | None) -> None:
        """Refuse a word that a binding other than `own` holds, or that looks like one."""
        looks = {looks_like(word) for word, key in self.words.items() if key != own}
        if any(looks_like(word) in looks for word in words):
            raise Refused(409, "word-taken")

    def bindable(self, position: int) -> range:
        """The slots of a position that a binding may be on."""
        reserved = self.reserved.get(position, range(0))
        return range(reserved.start, reserved.stop + OVERFLOW) if reserved else reserved

    def shown_slots(self) -> list[str]:
        """Every reserved slot and every bound one, in order."""
        places = {Slot(position, index) for position, indices in self.reserved.items() for index in indices}
        return [str(slot) for slot in sorted(places | {Slot.parse(slot) for slot in self.placed.values()})]

    def first_free(self, position: int) -> str:
        """The first slot of a position that nothing holds: reserved ones, then overflow ones."""
        for index in self.bindable(position):
            if f"{position}-{index}" not in self.slots:
                return f"{position}-{index}"
        raise Refused(409, "no-free-slot")

    def known_items(self, ids: Iterable[str]) -> tuple[str, ...]:
        """An item list; refused when the catalog holds none of it."""
        if not self.items.intersection(ids := list(ids)):
            raise Refused(422, "invalid-binding")
        return tuple(sorted(set(ids)))
