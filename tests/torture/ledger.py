"""What the store says of one kind of edits, those of bindings or those of items: its log, and what it held.

`replay` works out every state from the log alone, with digests of its own.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

BINDINGS, ITEMS = "bindings", "items"
KINDS = (BINDINGS, ITEMS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a log.

    Attributes:
        number: of the edit: the revision of the bindings, or the seq of the items.
        state: the digest of all records after it.
        key: of the request that made it.
        changes: each with `id`, the record `after` it (None where none is left) and the `slot` that it holds.
    """

    number: int
    op: str
    epoch: str
    state: str
    key: str
    changes: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Held:
    """What the store holds at one number, read past slotbeam; items have no slots and no words."""

    epoch: str
    number: int
    state: str
    records: Mapping[str, str]
    slots: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """All there is at one number.

    Attributes:
        records: id → record text.
        placed: id → slot.
        gone: ids of records that the store let go, as the indexes in use hold them: what they say is still so.
    """

    records: Mapping[str, str] = field(default_factory=dict)
    placed: Mapping[str, str] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()

    @property
    def held(self) -> dict[str, str]:
        """The records that the store has."""
        return {key: text for key, text in self.records.items() if key not in self.gone}

    def after(self, entry: Entry) -> World:
        records, placed = dict(self.records), dict(self.placed)
        for change in entry.changes:
            key = change["id"]
            records.pop(key, None)
            placed.pop(key, None)
            if change["after"] is not None:
                records[key] = change["after"]
                if change["slot"] is not None:
                    placed[key] = change["slot"]
        return World(records, placed, self.gone - {change["id"] for change in entry.changes})

    def trimmed(self, state: str, digest: Callable[[Mapping[str, str]], str]) -> World:
        """Let the oldest records go, one at least, until those that are left have the digest `state`; else none."""
        gone = self.gone
        for key in sorted(self.held, key=lambda key: int(json.loads(self.records[key])["seq"])):
            gone |= {key}
            left = replace(self, gone=gone)
            if digest(left.held) == state:
                return left
        return self


@dataclass
class Ledger:
    """The log of one kind of edits, as far as it was read; `digest` is that of its records."""

    kind: str
    digest: Callable[[Mapping[str, str]], str]
    entries: dict[int, Entry] = field(default_factory=dict)
    checkpoints: dict[int, Held] = field(default_factory=dict)

    def remember(self, entries: Iterable[Entry], held: Held | None) -> list[str]:
        """Add what the store says now. Two stores that say different things about one number are a finding."""
        found = []
        for entry in entries:
            known = self.entries.setdefault(entry.number, entry)
            if known != entry:
                found.append(f"{self.kind}: {entry.number} was committed twice: {known} and {entry}")
        if held is not None:
            self.checkpoints[held.number] = held
        return found

    @property
    def head(self) -> int:
        """The newest number that is known."""
        return max(self.entries, default=0)

    def by_key(self) -> Mapping[str, list[Entry]]:
        """The entries of each request, in order."""
        found = defaultdict(list)
        for number in sorted(self.entries):
            found[self.entries[number].key].append(self.entries[number])
        return found

    def replay(self, found: list[str]) -> dict[int, World]:
        """Every number's world, from the log alone; restores start from what the store held then."""
        world, worlds = World(), {0: World()}
        epoch, last = "", 0
        for number in sorted(self.entries):
            entry = self.entries[number]
            if entry.op == "restore":
                held = self.checkpoints.get(number)
                if held is None:
                    raise AssertionError(f"{self.kind}: nothing was remembered at the restore of {number}")
                if number <= last:
                    found.append(f"{self.kind}: the restore of {number} is not above {last}")
                if _meant(held.records) != _meant(world.held):
                    found.append(f"{self.kind}: the restore of {number} brought back {held.records}, not {world.held}")
                placed = {key: slot for slot, key in held.slots.items()}
                world = World({**world.records, **held.records}, placed, world.gone)
            else:
                if number != last + 1 or (epoch and entry.epoch != epoch):
                    found.append(f"{self.kind}: {number} of {entry.epoch} follows {last} of {epoch}")
                trims = entry.op == "trim"
                world = world.trimmed(entry.state, self.digest) if trims else world.after(entry)
            if self.digest(world.held) != entry.state:
                found.append(f"{self.kind}: the state of {number} does not follow from its records")
            epoch, last = entry.epoch, number
            worlds[number] = world
        return worlds

    def check_end(self, found: list[str], worlds: Mapping[int, World], failing: Collection[str]) -> None:
        """Compare what the store held with what its log says; `failing` records are of no use to anybody."""
        for number, held in self.checkpoints.items():
            world = worlds.get(number)
            if world is None:
                found.append(f"{self.kind}: the store is at {number}, which its log does not hold")
                continue
            kept = {key: text for key, text in world.records.items() if key not in failing}
            words = {word: key for key, text in kept.items() for word in words_of(text)}
            for what, is_held, is_said in (
                ("records", dict(held.records), world.held),
                ("slots", {key: slot for slot, key in held.slots.items()}, dict(world.placed)),
                ("words", dict(held.words), words),
                ("digest", held.state, self.digest(world.held)),
            ):
                if is_held != is_said:
                    found.append(f"{self.kind}: the store's {what} are {is_held} at {number}, its log says {is_said}")


def words_of(text: str) -> list[str]:
    """The words that a record holds; a draft holds none, and neither does a rule, which has no category, or an item."""
    record = json.loads(text)
    return [] if record.get("draft", True) or not record.get("category", True) else list(record["words"])


def _meant(records: Mapping[str, str]) -> dict[str, Any]:
    """What records say but for the revision that wrote them: a restore writes them anew."""
    return {key: json.loads(text) | {"revision": 0} for key, text in records.items()}
