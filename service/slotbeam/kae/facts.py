"""Why a text is encoded as it is: every word that was found, and what became of it (`kae explain`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.codebook import SlotKind
from slotbeam.kae.encode import Kae
from slotbeam.kae.importance import Candidate
from slotbeam.kae.matcher import leftmost_longest
from slotbeam.types import Slot


@dataclass(frozen=True, slots=True)
class Fact:
    """A word found, its slot, and whether and why it represents its position."""

    start: int
    end: int
    surface: str
    word: str
    category: str
    position: int
    group: str
    slot: Slot
    kind: SlotKind
    chosen: bool
    reason: str


def facts_of(kae: Kae, text: str) -> list[Fact]:
    """Return every word found in canonical `text`, overlapping ones included, and what became of it."""
    occurrences = kae.matcher.find_all(text)
    kept = leftmost_longest(occurrences)
    candidates = kae.candidates(text, kept)
    winners = kae.named(candidates)
    facts = [_fact(kae, text, candidate, winners) for candidate in candidates]
    for start, end, word in (match for match in occurrences if match not in set(kept)):
        concept = int(kae.dictionary.surface_concept[word])
        over = next(text[a:b] for a, b, _ in kept if a < end and start < b)
        loser = Candidate(start, end, concept, kae.dictionary[concept].category == CATEGORIES[0])
        facts.append(_line(kae, text, loser, False, f"overlaps {over!r}, which is chosen leftmost-longest"))
    if 0 not in winners and (implied := kae.implied(candidates)):
        by = text[implied.start : implied.end]
        facts.append(_line(kae, text, implied, True, f"no entity is named; {by!r} implies it"))
    return sorted(facts, key=lambda fact: (fact.start, -fact.end, not fact.chosen, fact.slot))


def _fact(kae: Kae, text: str, candidate: Candidate, winners: Mapping[int, Candidate]) -> Fact:
    winner = winners[kae.codebook.slot_of(candidate.concept).position]
    if winner == candidate:
        return _line(kae, text, candidate, True, "represents its position")
    words = (text[candidate.start : candidate.end], text[winner.start : winner.end])
    return _line(kae, text, candidate, False, kae.importance.why_not(candidate, winner, words))


def _line(kae: Kae, text: str, candidate: Candidate, chosen: bool, reason: str) -> Fact:
    slot, concept = kae.codebook.slot_of(candidate.concept), kae.dictionary[candidate.concept]
    return Fact(
        start=candidate.start,
        end=candidate.end,
        surface=text[candidate.start : candidate.end],
        word=concept.word,
        category=concept.category,
        position=slot.position,
        group=kae.codebook.group_name(slot.position),
        slot=slot,
        kind=kae.codebook.kind(slot),
        chosen=chosen,
        reason=reason,
    )
