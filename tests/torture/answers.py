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
NO_SLOT = "-"
"""What the active digest has for the slot of a rule."""
DEAR = 1000
"""No item of the index costs so much, and every item that is edited does."""
SOURCES = ("rule", "binding", "model", "popular")
"""What brought an item, in the order in which they come."""

Facts = tuple[str, float | None, str | None]
"""Title, price and department."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, without what may differ between equal ones.

    Attributes:
        dear: whether it was asked for all items that cost `DEAR` or more, and no other.
        first: whether the items of rules come before those that bindings brought, and these before all others.
        ruled: id and word of each rule that it says was applied, in order, and `marks`, what those passed on.
        leading: ids of the items that rules put first, in order.
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
    ruled: tuple[tuple[str, str], ...] = ()
    marks: tuple[str, ...] = ()
    leading: tuple[str, ...] = ()

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
            first=sources == sorted(sources, key=SOURCES.index),
            shown=tuple(sorted((item["id"], facts_of(item)) for item in items)),
            ruled=tuple((one["id"], one["word"]) for one in document.get("applied_rules", ())),
            marks=tuple(one["mark"] for one in document.get("metadata", ())),
            leading=tuple(item["id"] for item in items if item["source"] == "rule"),
        )

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Answer:
        """Return an answer that went through JSON."""
        applied = tuple(tuple(one) for one in said["applied"])
        shown = tuple((item_id, tuple(facts)) for item_id, facts in said["shown"])
        ruled = tuple(tuple(one) for one in said["ruled"])
        texts = {name: tuple(said[name]) for name in ("brought", "marks", "leading")}
        return cls(**{**said, **texts, "applied": applied, "shown": shown, "ruled": ruled})

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
        return self._wrongly_bound(answer, stock)

    def _wrongly_bound(self, answer: Answer, stock: Collection[str]) -> str:
        if answer.state == "none":
            some = answer.applied or answer.brought or answer.ruled or answer.leading
            return "an answer without bindings shows some" if some else _wrongly_shown(answer, stock)
        world = self.bindings.get(answer.revision)
        if world is None:
            return "a revision that no log holds"
        if answer.revision and answer.epoch != self.log[answer.revision].epoch:
            return "an epoch that is not its revision's"
        placed = self._active(world, answer.process.partition("#")[0])
        if answer.active != active_of(self.codebook_sha, placed):
            return "an active digest that is not its revision's"
        served = {word: key for key in placed for word in words_of(world.records[key])}
        rules = {json.loads(world.records[key])["words"][0]: key for key, slot in placed.items() if slot == NO_SLOT}
        asked, ruled = _in_query(answer, served), _in_query(answer, rules)
        if answer.applied != tuple(sorted((key, placed[key], word) for word, key in asked.items())):
            return "bindings applied that are not its revision's"
        wanted = {
            item for key in asked.values() for item in self.lists.get(json.loads(world.records[key])["items"], ())
        }
        if answer.ruled != tuple((key, word) for word, key in ruled.items()):
            return "rules applied that are not its revision's"
        said = [json.loads(world.records[key]) for key in ruled.values()]
        if answer.marks != tuple(json.loads(one["metadata"])["mark"] for one in said):
            return "rules that are not as at its revision"
        left = set(stock) - {item for one in said for item in one["hide"]}
        leading = [item for one in said for item in one["positions"] if item in left]
        if answer.leading != tuple(dict.fromkeys(leading)):
            return "items first that are not its revision's and its seq's"
        if set(answer.brought) != (wanted & left) - set(leading):
            return "bound items that are not its revision's and its seq's"
        return _wrongly_shown(answer, left) or ("" if answer.first else "bound items behind others")

    def _active(self, world: World, process: str) -> dict[str, str]:
        """Id → slot of what `process` serves at this revision, by its own clock; `NO_SLOT` of a rule."""
        now = self.now_ms + self.clocks.get(process, 0)
        served = {}
        for key, text in world.records.items():
            record = json.loads(text)
            slot = world.placed.get(key, "" if record.get("category", True) else NO_SLOT)
            is_served = slot and key not in self.failing and not record["draft"]
            if is_served and (record["starts_at"] or 0) <= now < (record["ends_at"] or now + 1):
                served[key] = slot
        return served


def _in_query(answer: Answer, words: Mapping[str, str]) -> dict[str, str]:
    """Those words that the query holds, in its order, each with what has it."""
    return {word: words[word] for word in answer.query.split() if word in words}


def _wrongly_shown(answer: Answer, left: Collection[str]) -> str:
    """What is wrong about the items at all; `left` are those that may be shown."""
    shown = {key for key, _ in answer.shown}
    if answer.dear:
        return "" if shown == set(left) else "not all the items that pass its filter, or others"
    return "an item that is hidden at its revision" if shown - set(left) else ""
