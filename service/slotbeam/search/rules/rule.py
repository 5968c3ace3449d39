"""What one rule says: which queries trigger it, and what it does to them and to their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Trigger(StrEnum):
    """How much of a query the words of a rule or of a binding have to be.

    `contains`  a part of it
    `whole`     all of it
    """

    CONTAINS = "contains"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Weighted:
    """A filter (`catalog.filters`) and what an item that passes it gains or loses, in units of the item score, > 0."""

    test: Mapping[str, Any]
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as it is served. A binding with actions is one, too, beside its `Pinned`, and has the same id.

    Attributes:
        id: of its record.
        words: canonical words that trigger it; without any, every query does.
        trigger: how much of a query they have to be.
        unless: canonical words; a query that holds one of them does not trigger it.
        when: a filter; an item of `positions` counts while it passes. None: always.
        positions: ids of the items that come first, in this order.
        hide: ids of items that are not answered.
        boost: what items gain.
        bury: what items lose.
        filter: what items have to pass; the word itself is no longer read. None: anything.
        replace: the canonical text that is read in place of the word; None: the word.
        metadata: passed through to the caller; None: nothing.
        alias: canonical; the word of the dictionary that `words` are other surfaces of; "": none.
        two_way: whether a query with the word of the dictionary finds what its aliases say, too.
        created_at: unix ms; of two rules the older one goes first.
    """

    id: str
    words: tuple[str, ...] = ()
    trigger: Trigger = Trigger.CONTAINS
    unless: tuple[str, ...] = ()
    when: Mapping[str, Any] | None = None
    positions: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    boost: tuple[Weighted, ...] = ()
    bury: tuple[Weighted, ...] = ()
    filter: Mapping[str, Any] | None = None
    replace: str | None = None
    metadata: Mapping[str, Any] | None = None
    alias: str = ""
    two_way: bool = False
    created_at: int = 0

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of what it does, in the order in which it is done."""
        return tuple(name for name in ACTIONS if getattr(self, name) not in ("", (), None))


ACTIONS = ("replace", "filter", "alias", "hide", "boost", "bury", "positions", "metadata")
"""What a rule may do, in the order in which a query meets it."""
