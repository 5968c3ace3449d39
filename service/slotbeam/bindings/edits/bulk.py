"""Many bindings and rules in one commit: every row is checked; one bad row refuses all.

Pure code. A load makes them and, when asked to, replaces them; it never removes one, and never takes a word away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from slotbeam.bindings.binding import Binding
from slotbeam.bindings.edits.checks import check_match, check_said, check_slot, check_times
from slotbeam.bindings.edits.plan import Change, Edit
from slotbeam.bindings.edits.rules import rival
from slotbeam.bindings.edits.wanted import MakeChange, Wanted, record_of
from slotbeam.bindings.held import Held, HeldWords, Likeness, as_stored, new_words, taken
from slotbeam.bindings.listing import Listing, first_free, slot_taken
from slotbeam.bindings.words import reading_of
from slotbeam.errors import BindingError, Conflict, ImportRefused, NoFreeSlot, SlotbeamError, SlotTaken, WordTaken
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot


@dataclass(frozen=True, kw_only=True)
class ImportRow:
    """One row of a file.

    Attributes:
        line: where it begins, for messages.
        wanted: the binding that it describes.
        binding_id: what a new binding gets.
        was: id of the binding that it was exported from, None when it names none.
        revision: of that binding when it was exported.
    """

    line: int
    wanted: Wanted
    binding_id: str
    was: str | None = None
    revision: int | None = None


def load(
    artifact: Artifact,
    rows: Sequence[ImportRow],
    refused: Mapping[int, SlotbeamError],
    actor: str,
    now_ms: int,
    *,
    update: bool = False,
) -> MakeChange:
    """Make one edit for each row, in order.

    Args:
        rows: what could be read of the file.
        refused: line → what is wrong with those that could not.
        update: a row replaces the binding that it was exported from, or that holds one of its words.

    The change raises `ImportRefused` naming every bad row, those of `refused` among them.
    """

    def change(listing: Listing) -> Change:
        loading = _Load(artifact, listing, now_ms, update)
        edits = loading.run(rows)
        wrong = {**refused, **loading.refused}
        if wrong:
            raise ImportRefused(
                f"{len(wrong)} of {len(rows) + len(refused)} rows are refused and nothing was changed; "
                f"the first is line {min(wrong)}: {wrong[min(wrong)]}",
                wrong,
            )
        return Change("import", tuple(edits), actor, now_ms)

    return change


class _Load:
    """The rows one after the other; what an earlier row takes is taken for those after it."""

    def __init__(self, artifact: Artifact, listing: Listing, now_ms: int, update: bool) -> None:
        self.artifact, self.listing, self.now_ms, self.update = artifact, listing, now_ms, update
        self.words = HeldWords(artifact.folding, listing.bindings.values())
        self.rules = dict(listing.rules)
        self.slots = dict(listing.holders)
        self.lines: dict[str, int] = {}
        self.unseen: dict[int, Iterator[int]] = {}  # position → slots not looked at yet: none becomes free on the way
        self.refused: dict[int, SlotbeamError] = {}

    def run(self, rows: Sequence[ImportRow]) -> list[Edit]:
        """Return the edits of the good rows; named slots are given away before free ones."""
        planned: dict[int, tuple[ImportRow, Edit]] = {}
        for row in rows:
            try:
                planned[row.line] = (row, self._named(row))
            except SlotbeamError as error:
                self.refused[row.line] = error
        for line, (row, edit) in planned.items():
            if edit.slot is None and not (row.wanted.draft or row.wanted.is_rule):
                try:
                    planned[line] = (row, replace(edit, slot=self._free(row)))
                except SlotbeamError as error:
                    self.refused[line] = error
        return [edit for _, edit in planned.values()]

    def _named(self, row: ImportRow) -> Edit:
        """Return the edit of one row, with its slot if it names one or has one. Raises what is wrong with the row."""
        want = row.wanted
        before = self._rule_before(row) if want.is_rule else self._before(row)
        if before:
            want = replace(want, words=as_stored(self.listing, want.words, before))
        self._check(want, before)
        binding_id = before.id if before else row.binding_id
        slot = None
        if want.is_rule:
            self._check_rule(want, binding_id)
        elif not want.draft:
            self._check_words(want, before)
            slot = self._slot(want, before)
            if slot and self.slots.get(slot, binding_id) != binding_id:
                raise self._slot_taken(slot, self.slots[slot])
            self.words.add(want.words, binding_id, want.exact)
            if slot:
                self.slots[slot] = binding_id
        self.lines[binding_id] = row.line
        after = record_of(want, binding_id, before.created_at if before else self.now_ms)
        if want.is_rule:
            self.rules[binding_id] = after
        return Edit(before, after, slot)

    def _before(self, row: ImportRow) -> Binding | None:
        """Return the binding that the row replaces, None when it makes one."""
        if not self.update:
            return None
        bindings = self.listing.bindings
        holders = self.words.holders(row.wanted.words) & bindings.keys()
        binding_id = row.was if row.was in bindings else min(holders, default=None)
        if binding_id is None or binding_id not in bindings:
            return None
        return self._replaced(row, bindings[binding_id])

    def _rule_before(self, row: ImportRow) -> Binding | None:
        """Return the rule that the row replaces: that it was exported from, else one that does the same for a word."""
        if not self.update:
            return None
        if row.was is not None and row.was in self.listing.bindings:
            return self._replaced(row, self.listing.bindings[row.was])
        found = rival(self.artifact.folding, self.listing.rules.values(), row.wanted, None, self.now_ms)
        return self._replaced(row, self.listing.rules[found[1].holder]) if found else None

    def _replaced(self, row: ImportRow, before: Binding) -> Binding:
        """Return what the row replaces. Raises what keeps it from doing so."""
        if before.is_rule != row.wanted.is_rule:
            what = (
                "a rule, and the row names a category" if before.is_rule else "on a slot, and the row has no category"
            )
            raise BindingError(f"{before.id} is {what}; leave the id out to make another one")
        if before.id in self.lines:
            raise Conflict(f"line {self.lines[before.id]} is for binding {before.id}, too; keep one of them")
        if row.was == before.id and row.revision is not None:
            check_match(before, f'"{before.id}.{row.revision}"')
        lost = [word for word in before.words if reading_of(word) not in row.wanted.words]
        if lost:
            raise BindingError(
                f'binding {before.id} holds "{lost[0]}", too, and a load never takes a word away; add it to the row, '
                "or PATCH the binding",
                words=lost,
            )
        return before

    def _check_rule(self, want: Wanted, binding_id: str) -> None:
        found = rival(self.artifact.folding, self.rules.values(), want, binding_id, self.now_ms)
        if found is not None:
            raise self._word_taken(*found)

    def _check(self, want: Wanted, before: Binding | None) -> None:
        if not want.is_rule:
            self.artifact.kae.codebook.position_of(want.category)
        if want.slot is not None:
            check_slot(self.artifact, want.slot, want.category)
        check_said(self.artifact, want)
        old_end = before is not None and want.ends_at == before.ends_at  # it may stay
        check_times(want.starts_at, None if old_end else want.ends_at, self.now_ms)

    def _slot(self, want: Wanted, before: Binding | None) -> Slot | None:
        """Return the slot that the row names or its binding holds, None when any will do."""
        held = self.listing.placed.get(before.id) if before else None
        if held is None:
            return want.slot
        position = self.artifact.kae.codebook.position_of(want.category)
        if held.position != position or want.slot not in (None, held):
            raise BindingError(f"the binding is on slot {held} and stays there; leave the slot out, or unbind it first")
        return held

    def _check_words(self, want: Wanted, before: Binding | None) -> None:
        for word in new_words(want, before):
            if found := self.words.find(word, before.id if before else None, want.exact):
                raise self._word_taken(word, *found)

    def _free(self, row: ImportRow) -> Slot:
        codebook = self.artifact.kae.codebook
        position = codebook.position_of(row.wanted.category)
        bindable, group = codebook.bindable(position), codebook.group_name(position)
        for index in self.unseen.setdefault(position, iter(bindable)):
            slot = Slot(position, index)
            if slot not in self.slots:
                self.slots[slot] = row.binding_id
                return slot
        first_free(self.listing, position, bindable, group)  # raises, unless it is the other rows that are too many
        free = sum(Slot(position, index) not in self.listing.holders for index in bindable)
        raise NoFreeSlot(f"{group} has {free} free slots, and other rows take them; load fewer, or unbind some")

    def _word_taken(self, word: str, held: Held, like: Likeness) -> WordTaken:
        if held.holder not in self.lines:
            return taken(self.listing, word, held, like, self.now_ms)
        line = self.lines[held.holder]
        what = f'"{word}"' if like is Likeness.SAME else f'"{word}" {like} "{held.word}", which'
        return WordTaken(f"{what} is in line {line}, too; keep one of them", word=word, holder={"line": line})

    def _slot_taken(self, slot: Slot, holder: str) -> SlotTaken:
        if holder not in self.lines:
            return slot_taken(self.listing, slot, holder, self.now_ms)
        line = self.lines[holder]
        return SlotTaken(
            f"slot {slot} is taken by line {line}; name another one", slot=str(slot), holder={"line": line}
        )
