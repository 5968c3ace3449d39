"""Answers of `/retrieve`, and whether one revision of the bindings and one seq of the items explain all of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from torture.digests import active_of
from torture.items import Row, row_of
from torture.ledger import BINDINGS, ITEMS, Entry, World, words_of

SHOWN = ("price", "department")
"""The fields that clients ask for, one of each kind; who edits an item changes both at once."""
DEAR = 1000
"""No item of the index costs so much, and every item that is edited does."""

Facts = tuple[str, float | None, str | None]
"""Title, price and department."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, without what may differ between equal ones.

    Attributes:
        dear: whether it was asked for all items that cost `DEAR` or more, and no other.
        first: whether the items that bindings brought come before all others.
    """

    process: str
    state: str
    epoch: str
    revision: int
    active: str
    index: str
    seq: int
    query: str
    dear: bool
    applied: tuple[tuple[str, str, str], ...]
    brought: tuple[str, ...]
    first: bool
    shown: tuple[tuple[str, Facts], ...]

    @classmethod
    def of(cls, process: str, asked: Mapping[str, Any], document: Mapping[str, Any]) -> Answer:
        """Return what a document of `/retrieve` says to a request."""
        bindings, catalog, items = document["bindings"], document["catalog"], document["items"]
        sources = [item["source"] for item in items]
        return cls(
            process=process,
            state=bindings["state"],
            epoch=bindings["epoch"],
            revision=bindings["revision"],
            active=bindings["active"],
            index=catalog["index"],
            seq=catalog["seq"],
            query=asked["query"],
            dear="filter" in asked,
            applied=tuple(sorted((one["id"], one["slot"], one["word"]) for one in document["applied_bindings"])),
            brought=tuple(sorted(item["id"] for item in items if item["source"] == "binding")),
            first=sources == sorted(sources),
            shown=tuple(sorted((item["id"], facts_of(item)) for item in items)),
        )

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Answer:
        """Return an answer that went through JSON."""
        applied = tuple(tuple(one) for one in said["applied"])
        shown = tuple((item_id, tuple(facts)) for item_id, facts in said["shown"])
        return cls(**{**said, "applied": applied, "brought": tuple(said["brought"]), "shown": shown})

    @property
    def numbers(self) -> dict[str, int]:
        """Kind → the number that is shown of it."""
        return {BINDINGS: self.revision, ITEMS: self.seq}


def facts_of(row: Row) -> Facts:
    """What is shown of an item or of its row."""
    price, department = (row.get("fields", {}).get(name) for name in SHOWN)
    return str(row["title"]), price, department


@dataclass
class Truth:
    """What the logs make of every number.

    Attributes:
        indexes: names of those that may answer.
        bindings, items: number → what there is.
        log, feed: of the bindings, of the items.
        base: the rows of the index without edits.
        lists: the hash of an item list → the list.
        failing: ids of records that no replica can use.
        now_ms, clocks: the time, and process → how many ms its clock is ahead.
    """

    codebook_sha: str
    indexes: Collection[str]
    base: Mapping[str, Row]
    bindings: Mapping[int, World]
    items: Mapping[int, World]
    log: Mapping[int, Entry]
    feed: Mapping[int, Entry]
    lists: Mapping[str, Collection[str]]
    failing: Collection[str] = ()
    now_ms: int = 0
    clocks: Mapping[str, int] = field(default_factory=dict)
    _stocks: dict[int, dict[str, Facts]] = field(default_factory=dict)

    def stock(self, seq: int) -> dict[str, Facts] | None:
        """Every item at a seq; None for a seq that no feed holds."""
        if seq not in self._stocks and seq in self.items:
            rows: dict[str, Row | None] = dict(self.base)
            rows |= {key: row_of(text) for key, text in self.items[seq].records.items() if key not in self.failing}
            self._stocks[seq] = {key: facts_of(row) for key, row in rows.items() if row is not None}
        return self._stocks.get(seq)

    def wrong(self, answer: Answer) -> str:
        """Why no single revision and no single seq explain `answer`; empty when they do."""
        if answer.index not in self.indexes:
            return "another index"
        stock = self.stock(answer.seq)
        if stock is None:
            return "a seq that no feed holds"
        ends = [self.feed[seq].key for seq in (answer.seq, answer.seq + 1) if seq in self.feed]
        if len(ends) == 2 and ends[0] == ends[1] != "":
            return "a seq in the middle of a batch"
        if any(stock.get(key) != facts for key, facts in answer.shown):
            return "items that are not its seq's"
        if answer.dear:
            stock = {key: facts for key, facts in stock.items() if (facts[1] or 0) >= DEAR}
            if stock.keys() != {key for key, _ in answer.shown}:
                return "not all the items that pass its filter, or others"
        return self._wrongly_bound(answer, stock)

    def _wrongly_bound(self, answer: Answer, stock: Collection[str]) -> str:
        if answer.state == "none":
            return "an answer without bindings shows some" if answer.applied or answer.brought else ""
        world = self.bindings.get(answer.revision)
        if world is None:
            return "a revision that no log holds"
        if answer.revision and answer.epoch != self.log[answer.revision].epoch:
            return "an epoch that is not its revision's"
        placed = self._active(world, answer.process.partition("#")[0])
        if answer.active != active_of(self.codebook_sha, placed):
            return "an active digest that is not its revision's"
        served = {word: key for key in placed for word in words_of(world.records[key])}
        asked = {word: key for word, key in served.items() if f" {word} " in f" {answer.query} "}
        if answer.applied != tuple(sorted((key, placed[key], word) for word, key in asked.items())):
            return "bindings applied that are not its revision's"
        wanted = {
            item for key in asked.values() for item in self.lists.get(json.loads(world.records[key])["items"], ())
        }
        if set(answer.brought) != wanted & set(stock):
            return "bound items that are not its revision's and its seq's"
        return "" if answer.first else "bound items behind others"

    def _active(self, world: World, process: str) -> dict[str, str]:
        """Id → slot of what `process` serves at this revision, by its own clock."""
        now = self.now_ms + self.clocks.get(process, 0)
        served = {}
        for key, slot in world.placed.items():
            if key not in self.failing:
                record = json.loads(world.records[key])
                if (record["starts_at"] or 0) <= now < (record["ends_at"] or now + 1):
                    served[key] = slot
        return served
