"""One immutable version of all that a request reads, and the one reference that is swapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from slotbeam.kae.encode import Match
from slotbeam.kae.matcher import Matcher
from slotbeam.language.boundaries import Span
from slotbeam.search.artifact import Artifact
from slotbeam.search.nearmiss import IsWord, NearMisses
from slotbeam.search.rules.matching import ANYWHERE, NO_RULES, Rules, Trip
from slotbeam.trie.csr import Trie
from slotbeam.types import IntArray, Slot


class Placement(StrEnum):
    """Where bound items go, strongest first: when the bindings of one query disagree, the first of these wins.

    `only`     the bound block alone
    `top`      the bound block first
    `blend`    alternate ranks
    """

    ONLY = "only"
    TOP = "top"
    BLEND = "blend"


PLACEMENTS = tuple(Placement)


class ServingState(StrEnum):
    """What the bindings that a replica serves are worth.

    `none`         no store was seen yet, and no file
    `live`         the store holds what is served
    `degraded`     the store cannot be followed; what is served was true once
    `hold:<why>`   the store says what does not follow from what it said before, or from the index that is served
    """

    NONE = "none"
    LIVE = "live"
    DEGRADED = "degraded"
    NO_EPOCH = "hold:NO_EPOCH"
    REGRESSED = "hold:REGRESSED"
    DIVERGED = "hold:DIVERGED"
    CRASHED = "hold:CRASHED"
    INDEX = "hold:INDEX"

    @property
    def is_hold(self) -> bool:
        """Whether the replica keeps what it serves, whatever the store says."""
        return self.startswith("hold:")


HOLDS = tuple(state for state in ServingState if state.is_hold)


@dataclass(frozen=True, slots=True, eq=False)
class Pinned:
    """One active binding, compiled.

    Attributes:
        id: of the binding.
        slot: the reserved slot that holds it.
        words: its canonical words, as queries hold them.
        placement: where its items go.
        trie: its mini-trie: each bound item's base SID with the position replaced by the slot.
        rows: (M,) catalog rows, in the mini-trie's leaf order, then in stored order.
        leaf_items: (n_leaves + 1,) the items of leaf i are `rows[leaf_items[i]:leaf_items[i + 1]]`.
        missing: bound ids that the catalog does not hold.
        built_from: what it was compiled from; what is equal need not be compiled again.
        near_miss: whether a word one edit away triggers it, too.
        exact: whether its words are found as they are spelt only.
        cut: items that it leaves out because it would have more than a binding may have.
        trip: what else decides whether its words trigger it.
        when: a filter; of its items those count that pass it. None: all.
    """

    id: str
    slot: Slot
    words: tuple[str, ...]
    placement: Placement
    trie: Trie
    rows: IntArray
    leaf_items: IntArray
    missing: tuple[str, ...]
    built_from: object
    near_miss: bool = False
    exact: bool = False
    cut: int = 0
    trip: Trip = ANYWHERE
    when: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class BoundMatch:
    """A bound word found in a query: its place in the canonical text (`concept` is -1) and its binding."""

    match: Match
    pinned: Pinned

    def at(self, span: Span) -> BoundMatch:
        """Return the same bound word at another place."""
        return replace(self, match=replace(self.match, start=span[0], end=span[1]))


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """What live edits add to the base: a matcher of its own and one mini-trie a binding; and rules.

    Attributes:
        pinned: the compiled bindings.
        words: the words of all of them; `owners[i]` indexes the bindings of word i, the one that goes first before
            others.
        near: what forgives a slip; None where no binding opted in.
        matcher: of `words`; None without any.
        rules: what needs no slot.
    """

    pinned: tuple[Pinned, ...] = ()
    words: tuple[str, ...] = ()
    owners: tuple[tuple[int, ...], ...] = ()
    near: NearMisses | None = None
    matcher: Matcher | None = None
    rules: Rules = NO_RULES

    def match(self, canonical: str, limit: int, is_word: IsWord, is_all: bool = True) -> list[BoundMatch]:
        """Return the bound words of a query, one per binding, earliest, then longest first, `limit` bindings at most.

        Args:
            canonical: the query.
            limit: bindings at most.
            is_word: whether a token is a word in its own right; such a token is never taken for a near miss.
            is_all: whether `canonical` is all that the query says.
        """
        if self.matcher is None or limit < 1:
            return []
        found = self.matcher.find(canonical)
        near = self.near.find(canonical, is_word) if self.near else ()
        slips = [n for n in near if not any(n[0] < end and start < n[1] for start, end, _ in found)]
        first: dict[str, BoundMatch] = {}  # of each binding
        for start, end, word in sorted([*found, *slips], key=lambda occurrence: (occurrence[0], -occurrence[1])):
            surface = canonical[start:end]
            spelt, slipped = surface == self.words[word], (start, end, word) in slips
            for pinned in map(self.pinned.__getitem__, self.owners[word]):
                is_meant = spelt or not (pinned.exact or (slipped and not pinned.near_miss))
                if is_meant and pinned.trip.fires(canonical, (start, end), is_all):
                    first.setdefault(pinned.id, BoundMatch(Match(start, end, surface, -1), pinned))
        return list(first.values())[:limit]


EMPTY_OVERLAY = Overlay()


@dataclass(frozen=True, slots=True)
class ItemsFacts:
    """Which live items a snapshot has seen.

    Attributes:
        seq: of the last one; 0 before any was seen.
        epoch: of the store's items; empty before any was seen.
        state: what they are worth.
    """

    seq: int = 0
    epoch: str = ""
    state: ServingState = ServingState.NONE


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What one request reads.

    Attributes:
        artifact: the base.
        overlay: the bindings active in this snapshot.
        epoch: of the store; empty before any was seen.
        revision: of the store, 0 before any was seen.
        state: what its bindings are worth.
        active: digest of the active set, hex.
        items: the live items in this snapshot.
        hidden: id of a rule for every query → rows that it hides, as far as any query asked: no other snapshot's.
    """

    artifact: Artifact
    overlay: Overlay = EMPTY_OVERLAY
    epoch: str = ""
    revision: int = 0
    state: ServingState = ServingState.NONE
    active: str = ""
    items: ItemsFacts = ItemsFacts()
    hidden: dict[str, IntArray] = field(default_factory=dict, init=False, repr=False)  # `replace` makes a new one

    def bindings(self) -> dict[str, str | int]:
        """Return which edits an answer from this snapshot has seen, as JSON has it."""
        return {"state": self.state, "epoch": self.epoch, "revision": self.revision, "active": self.active}

    def catalog(self) -> dict[str, str | int]:
        """Return which items an answer from this snapshot is of, as JSON has it: an index, and edits up to `seq`."""
        return {"index": self.artifact.name, "state": self.items.state, "seq": self.items.seq}

    def identity(self) -> tuple[str | int, ...]:
        """Return what tells it from any snapshot that may answer otherwise, on every replica."""
        return self.artifact.sha, self.epoch, self.revision, self.active, self.items.epoch, self.items.seq


@dataclass(slots=True)
class Holder:
    """The current snapshot. `holder.current = new` is the whole swap: readers take the reference once a request."""

    current: Snapshot = field()
