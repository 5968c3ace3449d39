"""What clients of one world asked and were told, on one clock."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from linearizability.checker import NEVER, Operation, misplaced, violations
from linearizability.register import ABSENT, Asked, State, Told, Verb, step

NOTHING = Told("read")
"""A read of what is not there."""


@dataclass
class Recording:
    """Every operation of every client of one process, until it is judged.

    Attributes:
        histories: key → its operations.
        counts: operations by what they were and what came of them, of all that were recorded.
        found: what is wrong whatever the order.
        troubles: what went wrong meanwhile, and how often.
    """

    histories: dict[str, list[Operation]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    _edits: dict[str, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    _moments: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def moment(self) -> int:
        """Return the time: no two are the same."""
        return next(self._moments)

    def add(self, key: str, call: int, asked: Asked, told: Told | None, back: int, counter: str = "items") -> None:
        """Note an operation; without an answer `told` is None. `counter` names what counts its edits."""
        if told is None:
            back = NEVER
        self.histories[key].append(Operation(call, back, asked, told))
        self.counts[told.did if told else "unanswered"] += 1
        if told is not None and told.version is not None and told.did in ("created", "updated", "deleted"):
            self._edits[counter].append((call, back, told.version))

    def judge(self) -> list[str]:
        """Check what was recorded since the last time, and forget it: no client may be in the middle of anything."""
        found, self.found = self.found, []
        for counter, edits in self._edits.items():
            found += [f"{counter}: {wrong}" for wrong in misplaced(edits)]
        found += violations(self.histories, ABSENT, step)
        self.histories.clear()
        self._edits.clear()
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
