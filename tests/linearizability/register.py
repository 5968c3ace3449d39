"""What one item, or one reserved slot, is to those who use it: a register with versions. Written from docs/http.md.

A value is a pair, of which a patch changes the second half: of an item its title and its price, of a binding its owner
and its reason. Its version is the number of the edit that made it so, which an ETag stands for. Imports nothing of
slotbeam.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from linearizability.checker import Operation

ANY = -1
"""`If-Match: *`."""


class Verb(StrEnum):
    GET = "get"
    BIND = "bind"
    """Of a slot alone: only where nothing is."""
    PUT = "put"
    """Of an item alone: whether there is one or not."""
    REPLACE = "replace"
    PATCH = "patch"
    DELETE = "delete"


class Asked(NamedTuple):
    """What a client wants.

    Attributes:
        value: both halves; of a patch the first is None.
        match: the version that must be there, `ANY`, or None for whatever is.
    """

    verb: Verb
    value: tuple[Any, Any] | None = None
    match: int | None = None


class Told(NamedTuple):
    """What it was told.

    Attributes:
        did: `created`, `updated`, `unchanged`, `deleted` or `refused`; of a read `read`.
        value: that a read showed; None for nothing there.
        version: of what is there now; None where the answer does not say.
    """

    did: str
    value: tuple[Any, Any] | None = None
    version: int | None = None


class State(NamedTuple):
    """What is there: nothing where `value` is None. `version` is None after an edit that nobody was told of."""

    value: tuple[Any, Any] | None = None
    version: int | None = 0


ABSENT = State()


def step(state: State, operation: Operation) -> State | None:
    """Return the state after an operation, None where it would not answer so (see `checker.Step`)."""
    asked: Asked = operation.asked
    told: Told | None = operation.told
    if asked.verb is Verb.GET:
        assert told is not None, "a read without an answer says nothing"
        if told.value != state.value or not _same(told.version, state.version):
            return None
        return State(state.value, state.version if told.version is None else told.version)
    unversioned = state.version is None and asked.match not in (None, ANY)
    if unversioned and told is not None and told.did == "refused":
        return state  # it may have been another version
    did, value = _done(state, asked)
    if told is None:
        return State(value, None) if did not in ("refused", "unchanged") else None
    if told.did != did:
        return None
    if did == "refused":
        return state
    if did == "unchanged":
        return state if _same(told.version, state.version) else None
    if told.version is not None and state.version is not None and told.version <= state.version:
        return None
    return State(value, told.version)


def _done(state: State, asked: Asked) -> tuple[str, tuple[Any, Any] | None]:
    """Return what becomes of an edit, and the value after it."""
    before, verb = state.value, asked.verb
    possible = verb is Verb.PUT or (before is None) is (verb is Verb.BIND)
    if asked.match is not None:
        possible &= before is not None and (asked.match == ANY or _same(asked.match, state.version))
    if not possible:
        return "refused", before
    if verb is Verb.DELETE:
        return "deleted", None
    assert asked.value is not None
    after = (before[0], asked.value[1]) if verb is Verb.PATCH and before else asked.value
    return "created" if before is None else "unchanged" if after == before else "updated", after


def _same(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other
