"""One side of a comparison: an artifact with the live items, bindings and rules of files, as a replica serves them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slotbeam.bindings.binding import Binding, Lifecycle, state_digest
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.recovery.backup import Backup, from_file
from slotbeam.bindings.replica.compiling import compile_listing, is_absorbed
from slotbeam.errors import InputError, SetupError
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import Answer, SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Slot, Timings
from slotbeam_lab.measures.edited import with_items
from slotbeam_lab.measures.run import Asked


@dataclass(frozen=True, slots=True)
class SideAnswer:
    """What one side answers: at most K item ids, best first, and what of its bindings and rules the query triggered."""

    ids: tuple[str, ...]
    applied: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Side:
    """What is asked.

    Attributes:
        snapshot: the artifact with its bindings.
        source: the file of the bindings; None: there is none.
        active: bindings and rules that are.
        items: the file of the live items; None: there are none.
        edited: live items that the index does not hold.
        left_out: id of a binding or an item → why it is not served.
    """

    snapshot: Snapshot
    source: str | None = None
    active: int = 0
    items: str | None = None
    edited: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def artifact(self) -> Artifact:
        """Of the snapshot."""
        return self.snapshot.artifact

    @classmethod
    def open(
        cls, artifact: Artifact, bindings: Path | None, now_ms: int, drafts: bool = False, items: Path | None = None
    ) -> Side:
        """Compile the bindings of a file for an artifact, as they are active at `now_ms` (unix ms).

        Args:
            bindings: what `slotbeam slots export` wrote, or a last-known-good file; None: no binding and no rule.
            drafts: whether drafts count as if they were published.
            items: a last-known-good file of live items (`with_items`); None: the items are those of the index.

        Raises:
            SetupError: a file is none of these.
            Conflict: the index and the live items do not make up a catalog.
        """
        edited, unread = 0, dict[str, str]()
        if items is not None:
            artifact, edited, unread = with_items(artifact, items)
        told = str(items) if items else None
        if bindings is None:
            return cls(Snapshot(artifact), items=told, edited=edited, left_out=unread)
        if bindings.suffix == ".csv":
            raise SetupError(f"{bindings} is a table, which knows no slots; give the JSON of: slotbeam slots export")
        backup = from_file(bindings)
        if drafts:
            live = {binding_id: replace(binding, draft=False) for binding_id, binding in backup.bindings.items()}
            backup = replace(backup, bindings=live)
        slots, left_out = _placed(artifact, backup, now_ms)
        records = {binding_id: binding.record() for binding_id, binding in backup.bindings.items()}
        listing = Listing("", backup.revision, state_digest(records), records, slots)
        compiled = compile_listing(artifact, listing, backup.items, now_ms)
        left_out = {**unread, **compiled.failed, **left_out, **backup.left_out}
        snapshot = Snapshot(artifact, compiled.overlay, revision=backup.revision, active=compiled.digest)
        return cls(snapshot, backup.source, len(compiled.active), told, edited, left_out)

    def ask(self, asked: Asked, k: int) -> SideAnswer:
        """Answer a query as `/retrieve` does, with K items at most."""
        request = SearchRequest(
            asked.query, k=k, recent_queries=asked.recent_queries, recent_item_ids=asked.recent_item_ids
        )
        answer = retrieve(self.snapshot, request, Timings())
        return SideAnswer(tuple(self.artifact.catalog.ids.take(answer.hits.rows)), _applied(answer))

    def title(self, item_id: str) -> str:
        """Return the title of an item that it answered."""
        [row] = self.artifact.catalog.rows_of([item_id])[0]
        return self.artifact.catalog.titles[row]

    def facts(self) -> dict[str, Any]:
        """Return what it is, as JSON."""
        return {
            "artifact": self.artifact.name,
            "directory": str(self.artifact.directory),
            "sha": self.artifact.sha,
            "items": len(self.artifact.catalog),
            "bindings": self.source,
            "active": self.active,
            "live_items": self.items,
            "edited": self.edited,
            "left_out": dict(self.left_out),
        }


def _placed(artifact: Artifact, backup: Backup, now_ms: int) -> tuple[dict[str, str], dict[str, str]]:
    """Return slot → binding id, and why a binding has none.

    It keeps its slot where it fits, else gets a free one, as `slots carry` does; what was absorbed needs none.
    """
    codebook = artifact.kae.codebook
    holders: dict[Slot, str] = {}
    left_out: dict[str, str] = {}
    homeless: list[tuple[Binding, int]] = []
    for binding_id, binding in backup.bindings.items():
        is_out = binding.lifecycle(now_ms) in (Lifecycle.DRAFT, Lifecycle.EXPIRED)
        if binding.is_rule or is_out or is_absorbed(artifact, binding):
            continue
        try:
            position = codebook.position_of(binding.category)
        except InputError as error:
            left_out[binding_id] = str(error)
            continue
        slot = backup.placed.get(binding_id)
        if slot and slot.position == position and slot.index in codebook.bindable(position) and slot not in holders:
            holders[slot] = binding_id
        else:
            homeless.append((binding, position))
    for binding, position in homeless:
        free = next((index for index in codebook.bindable(position) if Slot(position, index) not in holders), None)
        if free is None:
            left_out[binding.id] = f"{codebook.group_name(position)} has no free slot"
        else:
            holders[Slot(position, free)] = binding.id
    return {str(slot): binding_id for slot, binding_id in holders.items()}, left_out


def _applied(answer: Answer) -> tuple[dict[str, Any], ...]:
    rules = {one.rule.id: one for one in answer.reading.rules.each}
    bound = [
        {
            "id": one.id,
            "word": one.word,
            "actions": ["items", *(rules[one.id].rule.actions if one.id in rules else ())],
        }
        for one in answer.applied
    ]
    held = {one.id for one in answer.applied}
    others = [
        {"id": one.rule.id, "word": one.word, "actions": list(one.rule.actions)}
        for one in rules.values()
        if one.rule.id not in held
    ]
    return (*bound, *others)
