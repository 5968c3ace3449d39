"""What clients of one world asked and were told, on one clock."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from linearizability.checker import NEVER, Operation, misplaced, violations
from linearizability.register import ABSENT, Asked, State, Told, Verb, step

ITEMS, SLOTS = "items", "slots"
"""What counts edits: `seq` those of items, the revision those of slots."""
NOTHING = Told("read")
"""A read of what is not there."""


@dataclass
class Acknowledged:
    """The newest number of an edit that was acknowledged, and of one that the plane that said so serves (no 202)."""

    newest: int = 0
    served: int = 0

    def add(self, number: int, served: bool) -> None:
        self.newest = max(self.newest, number)
        if served:
            self.served = max(self.served, number)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a replica showed, which may be behind, at a number that it named."""

    who: str
    number: int
    key: str
    value: tuple[Any, Any] | bool | None
    """The value; of a slot only whether anything is there. None says nothing."""


@dataclass
class Recording:
    """Every operation of every client of one process, until it is judged.

    Attributes:
        histories: key → its operations.
        counts: operations by what they were and what came of them, of all that were recorded.
        found: what is wrong whatever the order.
        troubles: what went wrong meanwhile, and how often.
        acknowledged: of each counter.
        shown: by replicas.
        compared: of what they showed, how much a history could be compared with.
    """

    histories: dict[str, list[Operation]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, Acknowledged] = field(default_factory=lambda: defaultdict(Acknowledged))
    shown: list[Shown] = field(default_factory=list)
    compared: int = 0
    _edits: dict[str, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    _moments: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def moment(self) -> int:
        """Return the time: no two are the same."""
        return next(self._moments)

    def add(self, key: str, call: int, asked: Asked, told: Told | None, back: int, counter: str = ITEMS) -> None:
        """Note an operation; without an answer `told` is None. `counter` names what counts its edits."""
        if told is None:
            back = NEVER
        self.histories[key].append(Operation(call, back, asked, told))
        self.counts[told.did if told else "unanswered"] += 1
        if told is not None and told.version is not None and told.did in ("created", "updated", "deleted"):
            self._edits[counter].append((call, back, told.version))

    def read(self, who: str, key: str, call: int, floor: Acknowledged, number: int | None, told: Told) -> None:
        """Note a read of a plane that says of which number it is; it may be behind, but not behind what it said.

        Args:
            floor: what was acknowledged before the read was asked for.
            number: None where the answer names none.
        """
        counter = SLOTS if who.startswith(SLOTS) else ITEMS
        if number is not None and number < floor.served:
            self.found.append(f"{who} was shown {key} at {number}, and {floor.served} had been said to be served")
        if floor.newest > floor.served and (number is None or number < floor.newest):
            self.counts["read behind"] += 1
            if number is not None:
                self.shown.append(Shown(who, number, key, told.value))
            return
        self.add(key, call, Asked(Verb.GET), told, self.moment(), counter)

    def judge(self) -> list[str]:
        """Check what was recorded since the last time, and forget it: no client may be in the middle of anything."""
        found, self.found = self.found, []
        for counter, edits in self._edits.items():
            found += [f"{counter}: {wrong}" for wrong in misplaced(edits)]
        found += self._untrue()
        found += violations(self.histories, ABSENT, step)
        self.histories.clear()
        self._edits.clear()
        return found

    def _untrue(self) -> list[str]:
        """Compare what replicas showed with the edits up to the number that they named; a key of which an edit got no
        number says nothing."""
        states = {key: by_version(self.histories[key]) for key in {shown.key for shown in self.shown}}
        found = []
        for shown in self.shown:
            known = states[shown.key]
            if shown.value is None or known is None:
                continue
            self.compared += 1
            there = known[max(version for version in known if version <= shown.number)].value
            if shown.value != (there is not None if isinstance(shown.value, bool) else there):
                found.append(f"{shown}, where it was {there}")
        self.shown.clear()
        return found

    def total(self) -> int:
        return self.counts.total()


def by_version(history: list[Operation]) -> Mapping[int, State] | None:
    """Return what a key was after each edit of it, by version; None where an edit was not told its own."""
    edits = []
    for one in history:
        if one.asked.verb is Verb.GET or (one.told and one.told.did in ("refused", "unchanged")):
            continue
        if one.told is None or one.told.version is None:
            return None
        edits.append((one.told.version, one))
    state, states = ABSENT, {0: ABSENT}
    for version, one in sorted(edits, key=lambda edit: edit[0]):
        after = step(state, one)
        if after is None:
            return None
        state = states[version] = after
    return states
