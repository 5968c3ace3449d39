"""What the clients of a service under fault saw, and whether it can be true.

Clients report every edit (one idempotency key, however often it was sent) and every answer; `remember` adds what the
store itself says. `violations` then replays the store's logs, that of the bindings and that of the items, with digests
of its own and names everything that does not follow:

* an acknowledged edit is in its log once, as it was asked for, and in the store in the end;
* a refused edit is nowhere; one whose outcome stayed unknown is there once, as it was asked for, or not at all;
* numbers have no gaps, and every digest follows from the records before it;
* an answer shows exactly one revision and its active set, and every item as it is at exactly one seq; no process goes
  back, and none answers with less than an edit that it was said to have applied.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torture.answers import Answer, Truth
from torture.digests import items_of, state_of, sum_of
from torture.edits import ACKNOWLEDGED, REFUSED, BindingEdit, Edit
from torture.items import Row
from torture.ledger import BINDINGS, ITEMS, KINDS, Entry, Held, Ledger, World

Floor = Mapping[str, int]
"""Kind → the number that an answer must have at least."""


@dataclass
class History:
    """The record of one run.

    Attributes:
        indexes: names of those that may answer.
        base: the rows of the first of them.
        failing: ids of records that no replica can use: in the store and never served.
        clocks: process name → how many ms its clock is ahead.
        lives: each process that answers, and the replicas behind it.
    """

    codebook_sha: str
    indexes: set[str]
    base: Mapping[str, Row]
    edits: dict[str, Edit] = field(default_factory=dict)
    answers: Counter[Answer] = field(default_factory=Counter)
    ledgers: Mapping[str, Ledger] = field(
        default_factory=lambda: {BINDINGS: Ledger(BINDINGS, state_of), ITEMS: Ledger(ITEMS, sum_of)}
    )
    found: list[str] = field(default_factory=list)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    failing: set[str] = field(default_factory=set)
    now_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    clocks: dict[str, int] = field(default_factory=dict)
    lives: Callable[[], Mapping[str, Sequence[str]]] = dict
    _floor: Counter[tuple[str, str]] = field(default_factory=Counter)
    _applied: Counter[tuple[str, str]] = field(default_factory=Counter)

    # ---------------------------------------------------------------- while it runs

    def floor(self, process: str) -> Floor:
        """What an answer asked of `process` from now on must have at least."""
        return {kind: self._floor[process, kind] for kind in KINDS}

    def raise_floor(self, process: str, numbers: Mapping[str, int]) -> None:
        for kind, number in numbers.items():
            self._floor[process, kind] = max(number, self._floor[process, kind])

    def applied(self, replica: str, kind: str, number: int) -> None:
        """A control plane said that `replica` serves `number`: so must all answers, once all behind one port do."""
        self._applied[replica, kind] = max(number, self._applied[replica, kind])
        for process, replicas in self.lives().items():
            if replica in replicas:
                self.raise_floor(process, {kind: min(self._applied[one, kind] for one in replicas)})

    def answered(
        self, process: str, floor: Floor, asked: Mapping[str, Any], status: int, document: Mapping[str, Any]
    ) -> None:
        """Note an answer; `floor` is what `floor()` said before it was asked."""
        self.statuses[process.partition("#")[0], status] += 1
        if status != 200:
            self.found.append(f"{process} answered {asked} with {status}: {str(document)[:300]}")
            return
        answer = Answer.of(process, asked, document)
        self.answers[answer] += 1
        self.found += [f"{process} went back to {back}" for back in went_back(answer, floor)]
        if len(self.lives().get(process, "1")) == 1:  # of several that share a port each goes on by itself
            self.raise_floor(process, answer.numbers)

    def remember(self, kind: str, entries: Iterable[Entry], held: Held | None) -> None:
        """Add what the store says now of one kind of edits."""
        self.found += self.ledgers[kind].remember(entries, held)

    @property
    def acknowledged(self) -> list[Edit]:
        return [edit for edit in self.edits.values() if edit.outcome == ACKNOWLEDGED]

    # ---------------------------------------------------------------- afterwards

    def violations(self) -> list[str]:
        """Everything that cannot be true if slotbeam keeps its promises; empty when it does."""
        found = list(self.found)
        worlds = {kind: ledger.replay(found) for kind, ledger in self.ledgers.items()}
        for kind, ledger in self.ledgers.items():
            self._check_edits(found, kind, worlds[kind])
            ledger.check_end(found, worlds[kind], self.failing)
        truth = self._truth(worlds)
        for answer, count in self.answers.items():
            why = truth.wrong(answer)
            if why:
                found.append(f"{count} × {why}: {answer}")
        return found

    async def judge(self, remember: Callable[[], Awaitable[object]]) -> list[str]:
        """Remember the store, and return the violations so far. Answers are judged once: a long run has millions.

        Replicas answer meanwhile, and the store lets records go while no writer writes, too: an answer may show a seq
        that it did not hold yet when it was remembered. So those are judged that were given before.
        """
        before, self.answers = self.answers, Counter()
        await remember()
        meanwhile, self.answers = self.answers, before
        found = self.violations()
        self.answers = meanwhile
        return found

    def lost(self) -> list[Edit]:
        """Acknowledged edits that the store's logs do not hold."""
        return [edit for edit in self.acknowledged if self._is_lost(edit)]

    def _is_lost(self, edit: Edit) -> bool:
        entries = self.ledgers[edit.kind].entries
        return any(number not in entries or entries[number].key != edit.key for number in edit.numbers)

    def _check_edits(self, found: list[str], kind: str, worlds: Mapping[int, World]) -> None:
        carried_out = self.ledgers[kind].by_key()
        for edit in (edit for edit in self.edits.values() if edit.kind == kind):
            done = carried_out.get(edit.key, [])
            before = worlds.get(done[0].number - 1 if done else edit.number)
            if edit.outcome == ACKNOWLEDGED and self._is_lost(edit):
                found.append(f"acknowledged and lost: {edit}")
            elif edit.outcome == REFUSED and edit.doubtful == 0 and done:
                found.append(f"refused and done: {edit}")
            elif before is not None and (done or edit.outcome == ACKNOWLEDGED):
                why = edit.differs(done, before, self.base)
                if why:
                    found.append(f"{why}: {edit} is {done}")

    def _truth(self, worlds: Mapping[str, Mapping[int, World]]) -> Truth:
        bound = [edit.items for edit in self.edits.values() if isinstance(edit, BindingEdit)]
        return Truth(
            codebook_sha=self.codebook_sha,
            indexes=self.indexes,
            base=self.base,
            bindings=worlds[BINDINGS],
            items=worlds[ITEMS],
            log=self.ledgers[BINDINGS].entries,
            feed=self.ledgers[ITEMS].entries,
            lists={items_of(items): items for items in bound},
            failing=self.failing,
            now_ms=self.now_ms,
            clocks=self.clocks,
        )


def went_back(answer: Answer, floor: Floor) -> list[str]:
    """What of an answer is older than it may be."""
    return [
        f"{number} of the {kind} after {floor[kind]}" for kind, number in answer.numbers.items() if number < floor[kind]
    ]
