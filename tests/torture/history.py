"""What the clients of a service under fault saw, and whether it can be true.

Clients report every edit (one idempotency key, however often it was sent) and every answer; `remember` adds what the
store itself says. `violations` then replays the store's log with digests of its own and names everything that does not
follow:

* an acknowledged edit is in the log once, as it was asked for, and in the store in the end;
* a refused edit is nowhere; one whose outcome stayed unknown is there once or not at all;
* revisions have no gaps, and every state digest follows from the records before it;
* an answer shows exactly one revision and its active set, nothing of another; no process goes back, and none answers
  with less than an edit that it was said to have applied.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torture.digests import active_of, items_of, state_of

ACKNOWLEDGED, REFUSED, UNKNOWN = "acknowledged", "refused", "unknown"
ANY = "any"
"""The slot of an edit whose answer did not name one."""


@dataclass(slots=True)
class Edit:
    """One wish of a client.

    Attributes:
        op: `bind`, `update` or `unbind`.
        words, items: what the binding shall hold afterwards; empty for `unbind`.
        tries: how often it was sent; `doubtful` of these may have been carried out although nobody said so.
        status: of the last answer, 0 for none.
    """

    key: str
    op: str
    words: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    binding: str = ""
    outcome: str = UNKNOWN
    revision: int = 0
    slot: str | None = None
    tries: int = 0
    doubtful: int = 0
    status: int = 0
    problem: str = ""
    durability: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of `/retrieve`, without what may differ between equal ones."""

    process: str
    state: str
    epoch: str
    revision: int
    active: str
    query: str
    applied: tuple[tuple[str, str, str], ...]
    brought: tuple[str, ...]
    first: bool
    """Whether the items that bindings brought come before all others."""

    @classmethod
    def of(cls, process: str, query: str, document: Mapping[str, Any]) -> Answer:
        """Return what a document of `/retrieve` says."""
        shown = document["bindings"]
        sources = [item["source"] for item in document["items"]]
        brought = [item["id"] for item in document["items"] if item["source"] == "binding"]
        return cls(
            process=process,
            state=shown["state"],
            epoch=shown["epoch"],
            revision=shown["revision"],
            active=shown["active"],
            query=query,
            applied=tuple(sorted((one["id"], one["slot"], one["word"]) for one in document["applied_bindings"])),
            brought=tuple(sorted(brought)),
            first=sources == sorted(sources),
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the store's log."""

    revision: int
    op: str
    epoch: str
    state: str
    key: str
    changes: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Held:
    """What the store holds at one revision, read past slotbeam."""

    epoch: str
    revision: int
    state: str
    records: Mapping[str, str]
    slots: Mapping[str, str]
    words: Mapping[str, str]


@dataclass
class History:
    """The record of one run. `catalog` is the ids of the items that exist."""

    codebook_sha: str
    catalog: Collection[str]
    edits: dict[str, Edit] = field(default_factory=dict)
    answers: Counter[Answer] = field(default_factory=Counter)
    entries: dict[int, Entry] = field(default_factory=dict)
    checkpoints: dict[int, Held] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    failing: set[str] = field(default_factory=set)
    """Bindings that no replica can build: in the store and never served."""
    now_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    clocks: dict[str, int] = field(default_factory=dict)
    """Process name → how many ms its clock is ahead."""
    lives: Callable[[], Iterable[str]] = tuple
    _floor: dict[str, int] = field(default_factory=dict)
    _lists: dict[str, tuple[str, ...]] = field(default_factory=dict)

    # ---------------------------------------------------------------- while it runs

    def floor(self, process: str) -> int:
        """The revision that an answer asked of `process` from now on must have at least."""
        return self._floor.get(process, 0)

    def raise_floor(self, process: str, revision: int) -> None:
        self._floor[process] = max(revision, self._floor.get(process, 0))

    def applied(self, replica: str, revision: int) -> None:
        """A control plane said that `replica` serves `revision`: so it must, in the life that it has now."""
        for process in self.lives():
            if process.partition("#")[0] == replica:
                self.raise_floor(process, revision)

    def answered(self, process: str, floor: int, query: str, status: int, document: Mapping[str, Any]) -> None:
        """Note an answer; `floor` is what `floor()` said before it was asked."""
        self.statuses[process.partition("#")[0], status] += 1
        if status != 200:
            self.found.append(f"{process} answered {query!r} with {status}: {str(document)[:300]}")
            return
        answer = Answer.of(process, query, document)
        self.answers[answer] += 1
        if answer.revision < floor:
            self.found.append(f"{process} went back to revision {answer.revision} after {floor}")
        self.raise_floor(process, answer.revision)

    def remember(self, entries: Iterable[Entry], held: Held | None) -> None:
        """Add what the store says now. Two stores that say different things about one revision are a finding."""
        for entry in entries:
            known = self.entries.setdefault(entry.revision, entry)
            if known != entry:
                self.found.append(f"revision {entry.revision} was committed twice: {known} and {entry}")
        if held is not None:
            self.checkpoints[held.revision] = held

    @property
    def acknowledged(self) -> list[Edit]:
        return [edit for edit in self.edits.values() if edit.outcome == ACKNOWLEDGED]

    # ---------------------------------------------------------------- afterwards

    def violations(self) -> list[str]:
        """Everything that cannot be true if slotbeam keeps its promises; empty when it does."""
        found = list(self.found)
        self._lists = {items_of(edit.items): edit.items for edit in self.edits.values()}
        worlds = self._replay(found)
        self._check_edits(found)
        self._check_end(found, worlds)
        for answer, count in self.answers.items():
            why = self._wrong(answer, worlds)
            if why:
                found.append(f"{count} × {why}: {answer}")
        return found

    def forget_answers(self) -> None:
        """Drop the answers, which `violations` has judged: a long run would keep millions of them."""
        self.answers.clear()

    def lost(self) -> list[Edit]:
        """Acknowledged edits that the store's log does not hold."""
        return [edit for edit in self.acknowledged if self._entry_of(edit) is None]

    def _entry_of(self, edit: Edit) -> Entry | None:
        entry = self.entries.get(edit.revision)
        return entry if entry is not None and entry.key == edit.key else None

    def _replay(self, found: list[str]) -> dict[int, World]:
        """Every revision's world, from the log alone; restores start from what the store held then."""
        world, worlds = World({}, {}), {0: World({}, {})}
        epoch, last = "", 0
        for revision in sorted(self.entries):
            entry = self.entries[revision]
            if entry.op == "restore":
                held = self.checkpoints.get(revision)
                if held is None:
                    raise AssertionError(f"nothing was remembered at the restore of revision {revision}")
                if revision <= last:
                    found.append(f"the restore's revision {revision} is not above {last}")
                if _meant(held.records) != _meant(world.records):
                    found.append(f"the restore of revision {revision} brought back {held.records}, not {world.records}")
                world = World(dict(held.records), {key: slot for slot, key in held.slots.items()})
            else:
                if revision != last + 1 or (epoch and entry.epoch != epoch):
                    found.append(f"revision {revision} of {entry.epoch} follows {last} of {epoch}")
                world = world.after(entry)
            if state_of(world.records) != entry.state:
                found.append(f"the state of revision {revision} does not follow from its records")
            epoch, last = entry.epoch, revision
            worlds[revision] = world
        return worlds

    def _check_edits(self, found: list[str]) -> None:
        keys = Counter(entry.key for entry in self.entries.values())
        found += [f"{key} was carried out {count} times" for key, count in keys.items() if count > 1]
        for edit in self.edits.values():
            if edit.outcome == ACKNOWLEDGED:
                entry = self._entry_of(edit)
                if entry is None:
                    found.append(f"acknowledged and lost: {edit}")
                elif why := _differs(edit, entry):
                    found.append(f"{why}: {edit} is {entry}")
            elif edit.outcome == REFUSED and edit.doubtful == 0 and keys[edit.key]:
                found.append(f"refused and done: {edit}")

    def _check_end(self, found: list[str], worlds: Mapping[int, World]) -> None:
        for revision, held in self.checkpoints.items():
            world = worlds.get(revision)
            if world is None:
                found.append(f"the store is at revision {revision}, which its log does not hold")
                continue
            kept = {key: text for key, text in world.records.items() if key not in self.failing}
            words = {word: key for key, text in kept.items() for word in _words_of(text)}
            if dict(held.records) != dict(world.records):
                found.append(f"the store holds {held.records} at revision {revision}, its log says {world.records}")
            if {key: slot for slot, key in held.slots.items()} != world.placed:
                found.append(f"the store's slots are {held.slots} at revision {revision}, its log says {world.placed}")
            if dict(held.words) != words:
                found.append(f"the store's words are {held.words} at revision {revision}, its log says {words}")

    def _wrong(self, answer: Answer, worlds: Mapping[int, World]) -> str:
        """Why no single revision explains `answer`; empty when one does."""
        if answer.state == "none":
            return "an answer without bindings shows some" if answer.applied or answer.brought else ""
        world = worlds.get(answer.revision)
        if world is None:
            return "a revision that no log holds"
        if answer.revision and answer.epoch != self.entries[answer.revision].epoch:
            return "an epoch that is not its revision's"
        placed = self._active(world, answer.process.partition("#")[0])
        if answer.active != active_of(self.codebook_sha, placed):
            return "an active digest that is not its revision's"
        served = {word: key for key in placed for word in _words_of(world.records[key])}
        asked = {word: key for word, key in served.items() if f" {word} " in f" {answer.query} "}
        if answer.applied != tuple(sorted((key, placed[key], word) for word, key in asked.items())):
            return "bindings applied that are not its revision's"
        wanted = {item for key in asked.values() for item in self._items_of(world.records[key])}
        if set(answer.brought) != wanted & set(self.catalog):
            return "items that are not its revision's"
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

    def _items_of(self, text: str) -> Collection[str]:
        sha = json.loads(text)["items"]
        return self._lists.get(sha, ())


@dataclass(frozen=True)
class World:
    """All bindings at one revision: id → record text, id → slot."""

    records: Mapping[str, str]
    placed: Mapping[str, str]

    def after(self, entry: Entry) -> World:
        records, placed = dict(self.records), dict(self.placed)
        for change in entry.changes:
            key = change["id"]
            records.pop(key, None)
            placed.pop(key, None)
            if change["after"] is not None:
                records[key] = change["after"]
                if change["slot"] is not None:
                    placed[key] = change["slot"]
        return World(records, placed)


def _meant(records: Mapping[str, str]) -> dict[str, Any]:
    """What records say but for the revision that wrote them: a restore writes them anew."""
    return {key: json.loads(text) | {"revision": 0} for key, text in records.items()}


def _words_of(text: str) -> list[str]:
    record = json.loads(text)
    return [] if record["draft"] else list(record["words"])


def _differs(edit: Edit, entry: Entry) -> str:
    """Why `entry` is not what `edit` asked for; empty when it is."""
    if len(entry.changes) != 1:
        return "one edit, several changes"
    [change] = entry.changes
    if edit.binding and change["id"] != edit.binding:
        return "another binding"
    if edit.op == "unbind":
        return "" if change["after"] is None else "unbound and still there"
    record = json.loads(change["after"] or "{}")
    if tuple(record.get("words", ())) != edit.words or record.get("items") != items_of(edit.items):
        return "other words or items"
    return "" if edit.slot in (change["slot"], ANY) else "another slot"
