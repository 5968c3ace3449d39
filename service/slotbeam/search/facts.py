"""The facts behind an answer, for `explain` and the dry run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from slotbeam.decode.beam import Beams
from slotbeam.kae.encode import Encoded
from slotbeam.search.artifact import Artifact
from slotbeam.search.pinned import PinnedGroup
from slotbeam.search.snapshot import BoundMatch


def overridden(artifact: Artifact, encoded: Encoded, bound: BoundMatch) -> list[dict[str, Any]]:
    """Return the base words that a bound word overrides in its pinned group, and the slots they hold."""
    codebook = artifact.kae.codebook
    return [
        {"word": m.surface, "span": [m.start, m.end], "slot": str(codebook.slot_of(m.concept))}
        for m in encoded.matches
        if m.start < bound.match.end and m.end > bound.match.start
    ]


def explain(
    artifact: Artifact, encoded: Encoded, bound: Sequence[BoundMatch], base: Beams | None, pinned: Sequence[PinnedGroup]
) -> dict[str, Any]:
    """Return JSON-ready facts: how the text was read, what was overridden, what each group decoded."""
    groups = [] if base is None else [{"group": "base", **_beam_facts(base)}]
    groups += [{"group": group.pinned.id, **_beam_facts(group.beams)} for group in pinned]
    return {
        "canonical": encoded.text,
        "words": [{**asdict(fact), "slot": str(fact.slot)} for fact in artifact.kae.explain(encoded.text)],
        "overridden": {b.pinned.id: overridden(artifact, encoded, b) for b in bound},
        "groups": groups,
    }


def _beam_facts(beams: Beams) -> dict[str, Any]:
    return {"beams": len(beams.states), "depth": beams.depth, "expanded": beams.expanded}
