"""Whether a history is linearizable: Wing and Gong's search with Lowe's memory, key by key, as in Porcupine.

A history is linearizable when every operation can be given one moment between its call and its answer such that, done
at these moments, a plain sequential object answers the same. This is a property of each key alone (P-compositionality),
so each is checked by itself. No package of PyPI does this; sources:

* J. M. Wing, C. Gong: Testing and verifying concurrent objects, 1993: try what may come first, step back when stuck;
* G. Lowe: Testing for linearizability, 2017: never try a (set of operations done, state) twice;
* A. Horn, D. Kroening: Faster linearizability checking via P-compositionality, 2015;
* A. Athalye: Porcupine, which puts them together, for Go.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

NEVER = sys.maxsize
LATE = NEVER - 1
"""The answer of an operation that was answered, at a time that says nothing of when it was done."""
LIMIT = 2_000_000
"""Configurations of one key that are tried before the search gives up, and says so."""


class Operation(NamedTuple):
    """One operation of a client, on one key.

    Attributes:
        call, back: when it was asked for and when it was answered, on one clock that never stands still; `NEVER`: no
            answer came, so it may have been done at any moment since, or not at all.
        asked, told: what, and the answer; the model reads them.
    """

    call: int
    back: int
    asked: Any
    told: Any


Step = Callable[[Any, Operation], Hashable | None]
"""The sequential object: the state after an operation; None where it would not answer so. Of an operation without an
answer: what it does if it is done."""


class Undecided(Exception):
    """The search gave up: this is no verdict."""


def unexplained(history: Iterable[Operation], initial: Hashable, step: Step, limit: int = LIMIT) -> list[Operation]:
    """Return nothing for a history of one key that is linearizable, else the operations around the one that is not.

    Args:
        initial: the state before it.

    Raises:
        Undecided: more than `limit` configurations were tried.
    """
    operations = sorted(history, key=lambda one: one.call)
    known = [one for one in operations if one.back != NEVER]
    unsure = [one for one in operations if one.back == NEVER]
    following = _Following(known, unsure, step)
    start = (0, 0, 0, initial)
    seen: set[_Configuration] = {start}
    furthest, path = 0, [following(start)]
    while path:
        configuration = next(path[-1], None)
        if configuration is None:
            path.pop()
        elif configuration[0] == len(known):
            return []  # whatever is left was never answered, and need not have been done
        elif configuration not in seen:
            seen.add(configuration)
            if len(seen) > limit:
                raise Undecided(f"{len(seen)} configurations of {len(operations)} operations")
            furthest = max(furthest, configuration[0])
            path.append(following(configuration))
    if not known:
        return []
    stuck = known[furthest]
    return [one for one in operations if one.call <= stuck.back and one.back >= stuck.call - 1][-20:]


_Configuration = tuple[int, int, int, Hashable]
"""What was done, and the state it led to: all operations before the first number, of those from there on the bits of
the second, of the unanswered ones the bits of the third. So a configuration is as small as what is concurrent."""


class _Following:
    """The configurations one operation further, likelier ones first."""

    def __init__(self, known: Sequence[Operation], unsure: Sequence[Operation], step: Step) -> None:
        self.known, self.unsure, self.step = known, unsure, step

    def __call__(self, configuration: _Configuration) -> Iterator[_Configuration]:
        first, done, happened, state = configuration
        known, step = self.known, self.step
        bound = NEVER  # whoever was called after somebody had his answer cannot come before him
        for place in range(first, len(known)):
            operation = known[place]
            if operation.call > bound:
                break
            if done >> (place - first) & 1:
                continue
            bound = min(bound, operation.back)
            after = step(state, operation)
            if after is None:
                continue
            now, begin = done | 1 << (place - first), first
            while now & 1:
                now, begin = now >> 1, begin + 1
            yield begin, now, happened, after
            if after == state:
                return  # it holds now and changes nothing: later is no better
        for number, operation in enumerate(self.unsure):
            if operation.call > bound:
                break
            if not happened >> number & 1:
                after = step(state, operation)
                if after is not None and after != state:
                    yield first, done, happened | 1 << number, after


def misplaced(edits: Iterable[tuple[int, int, int]]) -> list[str]:
    """Return what is wrong with numbers that count the edits of all keys: each is given once, in the order of time.

    Args:
        edits: call, answer and number of each.
    """
    by_call = sorted(edits)
    by_answer = sorted(by_call, key=lambda one: one[1])
    wrong: list[str] = []
    given: set[int] = set()
    place = newest = 0
    for call, _, number in by_call:
        while by_answer[place][1] < call:
            newest = max(newest, by_answer[place][2])
            place += 1
        if number <= newest:
            wrong.append(f"edit {number} was asked for after edit {newest} was answered")
        if number in given:
            wrong.append(f"edit {number} was two")
        given.add(number)
    return wrong


def violations(histories: Mapping[str, Iterable[Operation]], initial: Hashable, step: Step) -> list[str]:
    """Check the history of every key; return a text for each that is not linearizable."""
    found = []
    for key, history in histories.items():
        around = unexplained(history, initial, step)
        if around:
            told = "\n  ".join(f"{one.call}–{one.back}: {one.asked} → {one.told}" for one in around)
            found.append(f"no order explains what was answered of {key}; around:\n  {told}")
    return found
