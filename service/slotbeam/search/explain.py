"""How an answer came about, for people: JSON-ready facts, collected only when a request asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from slotbeam.arrays import bisected
from slotbeam.catalog.delta.catalog import LiveCatalog
from slotbeam.decode.beam import Beams
from slotbeam.decode.frontier import Opened
from slotbeam.kae.encode import Encoded, Match
from slotbeam.kae.facts import facts_of
from slotbeam.search.artifact import Artifact
from slotbeam.search.groups import BaseGroup, PinnedGroup
from slotbeam.search.reading import QueryReading
from slotbeam.search.rewriting import TextChange
from slotbeam.search.snapshot import Pinned
from slotbeam.search.spelling import Considered
from slotbeam.trie.csr import Trie
from slotbeam.types import Hit, IntArray, Slot

RANGES_SHOWN = 20
"""Ranges of one group that are shown: the first ones, which hold most of the probability a row."""
_NONE = np.empty(0, np.int64)
_WORDS_SHOWN = 5
"""Words of one slot that are shown: the most frequent ones."""


def explain(
    artifact: Artifact,
    reading: QueryReading,
    encoded: Encoded,
    base: BaseGroup | None,
    pinned: Sequence[PinnedGroup],
    hits: Sequence[Hit],
    first: IntArray,
) -> dict[str, Any]:
    """Return how the text was read, what was overridden, what each group looked at, and what brought each item."""
    groups = [{"group": "base", **_base_looked_at(artifact, base)}] if base else []
    groups += [{"group": group.pinned.id, **_pinned_looked_at(artifact, group)} for group in pinned]
    told = {"rules": _ruled(artifact, reading, first)} if reading.rules else {}
    return {
        "canonical": reading.typed,
        "excluded": list(reading.excluded),
        "spelling": [_considered(each) for each in reading.considered],
        "words": [{**asdict(fact), "slot": str(fact.slot)} for fact in facts_of(artifact.kae, encoded.text)],
        "overridden": {bound.pinned.id: overridden(artifact, encoded, bound.match) for bound in reading.bound},
        "groups": groups,
        "brought_by": _brought_by(artifact, base, hits),
        **told,
    }


def _ruled(artifact: Artifact, reading: QueryReading, first: IntArray) -> dict[str, Any]:
    """Return what the rules did that a query triggered; `first` are the rows that they put first."""
    rules = reading.rules
    return {
        "read": reading.text,
        "replaced": rules.replaced and _change(rules.replaced),
        "aliases": [_change(each) for each in rules.aliased],
        "filters": rules.filters,
        "hidden": len(rules.hidden(artifact.catalog)),
        "positioned": artifact.catalog.ids.take(first),
    }


def _change(change: TextChange) -> dict[str, str]:
    return {"from": change.word, "to": change.to}


def _considered(word: Considered) -> dict[str, Any]:
    """Return what a word may have been, best first: its `slips`, its `times` in the catalog, whether it `fits`."""
    candidates = [{key: fact for key, fact in each._asdict().items() if key != "span"} for each in word.candidates]
    return {"word": word.word, "to": word.corrected and word.corrected.to, "candidates": candidates}


def overridden(artifact: Artifact, encoded: Encoded, match: Match) -> list[dict[str, Any]]:
    """Return the base words that a bound word overrides where it stands, and the slots they hold."""
    codebook = artifact.kae.codebook
    return [
        {"word": base.surface, "span": [base.start, base.end], "slot": str(codebook.slot_of(base.concept))}
        for base in encoded.matches
        if base.start < match.end and base.end > match.start
    ]


def _base_looked_at(artifact: Artifact, base: BaseGroup) -> dict[str, Any]:
    facts = {"candidates": len(base.candidates.places), "lexical": len(base.lexical), "near": len(base.near)}
    if isinstance(base.decoded, Beams):
        return {**facts, "beams": len(base.decoded.states), "expanded": base.decoded.expanded}
    return {**facts, **_ranges(artifact, base.decoded, artifact.trie, artifact.catalog.leaf_items, None)}


def _pinned_looked_at(artifact: Artifact, group: PinnedGroup) -> dict[str, Any]:
    pinned = group.pinned
    opened = _ranges(artifact, group.decoded, pinned.trie, pinned.leaf_items, pinned)
    return {"candidates": len(group.candidates.places), **opened}


def _ranges(
    artifact: Artifact, opened: Opened, trie: Trie, leaf_items: IntArray, pinned: Pinned | None
) -> dict[str, Any]:
    """Return what decoding took, and the first ranges: the slots of their prefixes, each with its words."""
    sids = trie.sids(bisected(leaf_items, opened.start[:RANGES_SHOWN], "right") - 1)
    sizes = (opened.stop - opened.start).tolist()
    for number, added in enumerate(_added(artifact, opened)):
        if not sizes[number] and number < RANGES_SHOWN:  # a prefix of live items alone
            sids[number] = artifact.catalog.sids[int(added[0])]
        sizes[number] += len(added)
    columns = sids.tolist(), opened.depths.tolist(), opened.logp.tolist()
    return {
        "rows": sum(sizes),
        "steps": opened.steps,
        "decoded": opened.decoded,
        "opened": len(sizes),
        "ranges": [
            {
                "prefix": [_slot(artifact, Slot(position, code), pinned) for position, code in enumerate(sid[:depth])],
                "rows": size,
                "logp": logp,
            }
            for sid, depth, logp, size in zip(*columns, sizes, strict=False)
        ],
    }


def _added(artifact: Artifact, opened: Opened) -> list[IntArray]:
    """Return of each range the rows of live items that it holds; none where nothing lives."""
    catalog = artifact.catalog
    if opened.live is None or not isinstance(catalog, LiveCatalog):
        return []
    return [catalog.delta.order.rows[low:high] + len(catalog.index) for low, high in opened.live.tolist()]


def _slot(artifact: Artifact, slot: Slot, pinned: Pinned | None) -> dict[str, Any]:
    words = pinned.words if pinned and slot == pinned.slot else artifact.kae.codebook.words(slot)
    return {"slot": str(slot), "words": list(words[:_WORDS_SHOWN])}


def _brought_by(artifact: Artifact, base: BaseGroup | None, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return for each hit why it was a candidate: its bindings; or its range, and whether words or meaning did."""
    lexical, near = (set[int](rows.tolist()) for rows in ((base.lexical, base.near) if base else (_NONE, _NONE)))
    spans, added = [], list[IntArray]()
    if base and isinstance(base.decoded, Opened):
        added = _added(artifact, base.decoded)
        spans = list(zip(base.decoded.start.tolist(), base.decoded.stop.tolist(), strict=True))
    facts: list[dict[str, Any]] = []
    for hit in hits:
        if hit.bindings:
            facts.append({"bindings": list(hit.bindings)})
            continue
        number = next((number for number, (start, stop) in enumerate(spans) if start <= hit.row < stop), None)
        if number is None:
            number = next((number for number, own in enumerate(added) if hit.row in own), None)
        facts.append({"range": number, "words": hit.row in lexical, "meaning": hit.row in near})
    return facts
