"""The dry run: the checks of the commit, then what would change, on this replica's own snapshot. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from slotbeam.api.admin.triggering import Triggers, triggers_of
from slotbeam.bindings.binding import Binding, ItemLists, Lifecycle
from slotbeam.bindings.edits.checks import SHOWN
from slotbeam.bindings.edits.plan import Change, Edit, make_plan
from slotbeam.bindings.edits.wanted import MakeChange, Resolved
from slotbeam.bindings.listing import Listing, first_free
from slotbeam.bindings.replica.compiling import compile_listing
from slotbeam.bindings.times import iso
from slotbeam.bindings.words import read_again
from slotbeam.catalog.lookalikes import looks_like
from slotbeam.errors import NoFreeSlot, SlotbeamError
from slotbeam.kae.encode import Match
from slotbeam.language.segments import is_spaceless
from slotbeam.search.explain import overridden
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import Answer, SearchRequest
from slotbeam.search.snapshot import Overlay, Snapshot
from slotbeam.search.spellings import spellings_of, unneeded
from slotbeam.suggestions.guess import Guesser
from slotbeam.suggestions.warnings import warnings_about
from slotbeam.types import Slot, Timings

TOP = 10
OWN_SAMPLES = 3


@dataclass(frozen=True)
class Preview:
    """What the dry run of one change reads.

    Attributes:
        snapshot: of the admin's own replica: the "before".
        listing: the store's newest.
        items: hash → ids of the lists in use.
        resolved: the list that the change names, None when it names none.
        samples: queries to try; none takes the binding's words.
        traffic: canonical queries drawn uniformly from those of the last day.
        guesser: what guesses the category of a word that the dictionary does not know.
    """

    snapshot: Snapshot
    listing: Listing
    items: ItemLists
    previous: Overlay | None
    now_ms: int
    resolved: Resolved | None = None
    samples: Sequence[str] = ()
    traffic: Sequence[str] = ()
    guesser: Callable[[], Guesser] | None = None

    def run(self, make: MakeChange) -> dict[str, object]:
        """Return what the commit of `make` would do. Raises whatever the commit would."""
        change = make(self.listing)
        make_plan(self.listing, change, "dry-run", "")
        edit = change.edits[0]
        warnings = warnings_about(self.snapshot.artifact, self.listing, edit, self.guesser)
        target = edit.after or edit.before
        if target is None:
            raise ValueError("an edit without a binding. This is a bug.")
        overlay, slot = self._after(change, edit, warnings)
        after = replace(self.snapshot, overlay=overlay)
        triggers = triggers_of(target, (after if edit.after else self.snapshot).overlay, self.snapshot.artifact)
        return {
            "dry_run": True,
            "op": change.op,
            "slot": str(slot) if slot else None,
            "revision": self.listing.revision,
            "starts_at": iso(target.starts_at),
            "ends_at": iso(target.ends_at),
            "words": self._words(target, triggers),
            "items": self._items(),
            "traffic": self._traffic(triggers),
            "samples": [
                self._sample(query, after, triggers, target.is_rule)
                for query in self.samples or target.words[:OWN_SAMPLES]
            ],
            "warnings": warnings,
            **({"changes": list(map(_change, change.edits))} if len(change.edits) > 1 else {}),
        }

    def _after(self, change: Change, edit: Edit, warnings: list[str]) -> tuple[Overlay, Slot | None]:
        """Return the overlay as if the edited binding were active now, and the slot it would hold."""
        artifact, listing = self.snapshot.artifact, self.listing
        records = dict(listing.records)
        slots = {str(slot): binding_id for binding_id, slot in listing.placed.items()}
        slot = edit.slot
        for e in change.edits:
            if e.before is not None:
                records.pop(e.before.id)
                slots = {name: binding_id for name, binding_id in slots.items() if binding_id != e.before.id}
        for e in change.edits[1:]:  # a file's, or a revision's: as they would be
            if e.after is not None:
                records[e.after.id] = e.after.record()
                slots |= {str(e.slot): e.after.id} if e.slot else {}
        if edit.after is not None:
            codebook = artifact.kae.codebook
            try:
                if not edit.after.is_rule:
                    position = codebook.position_of(edit.after.category)
                    shown_on = slot or first_free(listing, position, codebook.bindable(position), "")
                    slots[str(shown_on)] = edit.after.id
                records[edit.after.id] = replace(edit.after, draft=False, starts_at=None, ends_at=None).record()
            except NoFreeSlot as error:
                warnings.append(f"the draft cannot be placed now: {error}")
            if edit.after.lifecycle(self.now_ms) != Lifecycle.ACTIVE:
                warnings.append(f"it would be {edit.after.lifecycle(self.now_ms)}; shown as if it were active")
        items = dict(self.items)
        if self.resolved is not None:
            items[self.resolved.sha] = self.resolved.ids
        hypothetical = Listing(listing.epoch, listing.revision + 1, "", records, slots)
        compiled = compile_listing(artifact, hypothetical, items, self.now_ms, self.previous)
        if edit.after is not None and edit.after.id in compiled.failed:
            warnings.append(f"it would not build: {compiled.failed[edit.after.id]}")
        return compiled.overlay, slot

    def _items(self) -> dict[str, object] | None:
        resolved = self.resolved
        if resolved is None:
            return None
        return {
            "count": resolved.count,
            "found": resolved.count - len(resolved.missing),
            "matched": resolved.matched,
            "missing": list(resolved.missing[:SHOWN]),
            "missing_count": len(resolved.missing),
        }

    def _traffic(self, triggers: Triggers) -> dict[str, object]:
        """Count how many of the sampled queries trigger the binding; `share` is null where none was sampled."""
        sampled = len(self.traffic)
        taken = [query for query in self.traffic if triggers(query) is not None]
        return {
            "sampled": sampled,
            "taken": len(taken),
            "share": round(len(taken) / sampled, 4) if sampled else None,
            "examples": list(dict.fromkeys(taken))[:OWN_SAMPLES],
        }

    def _words(self, target: Binding, triggers: Triggers) -> list[dict[str, object]]:
        """Show each bound word: which other spellings trigger the binding, and which base words it overrides."""
        artifact = self.snapshot.artifact
        words = read_again(target.words)
        needless = {} if target.exact else unneeded(words, artifact.folding)

        def triggers_whole(text: str) -> bool:
            return (0, len(text)) in (triggers(text) or ())

        return [
            {
                **self._overrides(word),
                "spellings": [one._asdict() for one in spellings_of(word, artifact, self.traffic, triggers_whole)],
                "spelling_of": needless.get(word),
                "characters": self._characters(word),
            }
            for word in words
        ]

    def _characters(self, word: str) -> dict[str, object] | None:
        """Show where the characters of a word of a script without spaces stand beside others; None for other words."""
        if not is_spaceless(word):
            return None
        artifact = self.snapshot.artifact
        found = looks_like(word, artifact.catalog.texts, artifact.kae.dictionary.surfaces, artifact.folding)
        return {
            kind: [{"text": text, "found": hit} for text, hit in texts.items()]
            for kind, texts in found._asdict().items()
        }

    def _overrides(self, word: str) -> dict[str, object]:
        kae = self.snapshot.artifact.kae
        return {
            "word": word,
            "overrides": [
                {
                    "word": match.surface,
                    "slot": str(kae.codebook.slot_of(match.concept)),
                    "label": kae.codebook.label(kae.codebook.slot_of(match.concept)),
                }
                for match in kae.encode(word).matches
            ],
        }

    def _sample(self, query: str, after: Snapshot, triggers: Triggers, is_rule: bool) -> dict[str, object]:
        """Show one query before and after."""
        try:
            was, _ = self._top(self.snapshot, query)
            now, answer = self._top(after, query)
        except SlotbeamError as error:
            return {"query": query, "error": str(error)}
        text = answer.reading.typed if is_rule else answer.reading.text  # a rule may read it otherwise itself
        found = triggers(text)
        return {
            "query": query,
            "canonical": answer.reading.typed,
            "matches": found is not None,
            "spans": [
                {"word": text[slice(*span)], "span": list(span), "overrides": []}
                if is_rule
                else self._span(answer, Match(*span, text[slice(*span)], -1))
                for span in found or ()
            ],
            "before": was,
            "after": now,
        }

    def _span(self, answer: Answer, match: Match) -> dict[str, object]:
        return {
            "word": match.surface,
            "span": list(answer.reading.span(match)),
            "overrides": overridden(self.snapshot.artifact, answer.encoded, match),
        }

    def _top(self, snapshot: Snapshot, query: str) -> tuple[list[dict[str, object]], Answer]:
        answer = retrieve(snapshot, SearchRequest(query, k=TOP), Timings())
        catalog = snapshot.artifact.catalog
        return [
            {"id": catalog.ids[hit.row], "title": catalog.titles[hit.row], "source": hit.source} for hit in answer.hits
        ], answer


def _change(edit: Edit) -> dict[str, object]:
    """Tell one of many edits in short."""
    target = edit.after or edit.before
    did = "removed" if edit.after is None else "updated" if edit.before else "created"
    return {"did": did, "slot": str(edit.slot) if edit.slot else None, "words": list(target.words) if target else []}
