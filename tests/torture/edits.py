"""Wishes of clients, and whether what the store's log says of one is what was asked for."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torture.digests import items_of
from torture.items import WROTE, Operation, Row, carried_out, record_of, row_of
from torture.ledger import BINDINGS, ITEMS, Entry, World

ACKNOWLEDGED, REFUSED, UNKNOWN = "acknowledged", "refused", "unknown"
ANY = "any"
"""The slot of an edit whose answer did not name one."""


@dataclass(kw_only=True)
class Edit(ABC):
    """One wish of a client: one idempotency key, however often it was sent.

    Attributes:
        number: that the store was at when it was acknowledged: a revision, or a seq.
        numbers: of what it wrote.
        tries: how often it was sent; `doubtful` of these may have been carried out although nobody said so.
        status: of the last answer, 0 for none.
    """

    kind: ClassVar[str]
    key: str
    outcome: str = UNKNOWN
    number: int = 0
    numbers: tuple[int, ...] = ()
    tries: int = 0
    doubtful: int = 0
    status: int = 0
    problem: str = ""
    durability: str = ""

    @abstractmethod
    def differs(self, done: Sequence[Entry], before: World, base: Mapping[str, Row]) -> str:
        """Why entries of its key are not what was asked for; empty when they are.

        Args:
            before: what there was before the first of them; without any, when it was acknowledged.
            base: the rows of the index.
        """


@dataclass(kw_only=True)
class BindingEdit(Edit):
    """`bind`, `update` or `unbind` a word.

    Attributes:
        words, items: what the binding shall hold afterwards; empty for `unbind`.
        fields: what else its body says.
    """

    kind = BINDINGS
    op: str
    words: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    binding: str = ""
    slot: str | None = ANY
    fields: Mapping[str, Any] = field(default_factory=dict)

    def differs(self, done: Sequence[Entry], before: World, base: Mapping[str, Row]) -> str:
        if len(done) != 1:
            return f"carried out {len(done)} times"
        if len(done[0].changes) != 1:
            return "one edit, several changes"
        [change] = done[0].changes
        if self.binding and change["id"] != self.binding:
            return "another binding"
        if self.op == "unbind":
            return "" if change["after"] is None else "unbound and still there"
        record = json.loads(change["after"] or "{}")
        if tuple(record.get("words", ())) != self.words or record.get("items") != items_of(self.items):
            return "other words or items"
        return "" if self.slot in (change["slot"], ANY) else "another slot"


@dataclass(kw_only=True)
class RuleEdit(BindingEdit):
    """The same of a rule, which has no items: it hides some, puts some first, and passes its mark on.

    Attributes:
        hide, positions: ids of items.
    """

    hide: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()

    def differs(self, done: Sequence[Entry], before: World, base: Mapping[str, Row]) -> str:
        if (why := super().differs(done, before, base)) or self.op == "unbind":
            return why
        record = json.loads(done[0].changes[0]["after"])
        said = tuple(record["hide"]), tuple(record["positions"]), record["category"]
        if said != (self.hide, self.positions, "") or json.loads(record["metadata"]) != {"mark": self.key}:
            return "another rule"
        return "" if done[0].changes[0]["slot"] is None else "a rule on a slot"


@dataclass(kw_only=True)
class ItemEdit(Edit):
    """Operations on items, done at one moment.

    Attributes:
        if_match: the ETag that the only one of them asks for.
        told: what became of each, as the answer has it; empty before.
    """

    kind = ITEMS
    operations: tuple[Operation, ...]
    if_match: str | None = None
    told: tuple[str, ...] = ()

    def differs(self, done: Sequence[Entry], before: World, base: Mapping[str, Row]) -> str:
        records, seq = dict(before.records), done[0].number if done else 0
        became, wanted = [], []
        for operation in self.operations:
            record = records.get(operation.id)
            did, row = carried_out(operation, base.get(operation.id) if record is None else row_of(record))
            became.append(did)
            if did in WROTE:
                records[operation.id] = record_of(operation.id, row, seq)
                wanted.append((seq, operation.id, records[operation.id]))
                seq += 1
        if [(entry.number, change["id"], change["after"]) for entry in done for change in entry.changes] != wanted:
            return f"other edits of items than {wanted}"
        return f"told otherwise than {became}" if self.told and self.told != tuple(became) else ""
