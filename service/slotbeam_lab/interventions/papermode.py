"""The paper's serving of a bound word: base and bound items in one trie, decoded unpinned. It promises nothing.

Its weak point (docs/log-2026-11.md): the beam drops a bound item before it reaches the slot's position, for nothing but
the words that the query still has speaks for the item until then. *Look-ahead* mends that without pinning: prefixes
that lead to the bound slot are favoured, up to its position, by the log-odds that the model itself gives to the slot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from slotbeam.arrays import run_starts
from slotbeam.catalog.passing import Passing
from slotbeam.decode.beam import Ahead, beam_search
from slotbeam.kae.encode import Encoded
from slotbeam.language.normalize import normalize
from slotbeam.model.protocol import Memory, SequenceModel
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Shelf
from slotbeam.search.groups import pinned_sid
from slotbeam.search.rank import ItemScorer
from slotbeam.search.snapshot import Overlay
from slotbeam.trie.build import build_trie, sid_order
from slotbeam.trie.csr import Trie
from slotbeam.types import FloatArray, IntArray, Sid, Slot
from slotbeam_lab.interventions.unconstrained import BEAMS, FreeDecoder

_SURE = 1e-6
"""Least chance that a slot's log-odds are taken from, and its distance from 1."""


class OneTrie:
    """Items under one trie, whatever SIDs they were given, ranked at full depth by the artifact's item score.

    Args:
        artifact: encoding, model, catalog and options.
        sids: (M, L); an item may have several. rows: (M,) the catalog row of each.
        constrained: False decodes over every SID, and what holds no item is lost.
    """

    def __init__(self, artifact: Artifact, sids: IntArray, rows: IntArray, constrained: bool = True) -> None:
        self.artifact = artifact
        order = sid_order(sids)
        sids, self.rows = sids[order], rows[order]
        self.shelf = Shelf(build_trie(sids), np.append(run_starts(sids), len(sids)), Passing(len(sids)))
        self._free = None if constrained else FreeDecoder(artifact.model, self.shelf.trie)

    def best(self, encoded: Encoded, sid: Sid, k: int, towards: Slot | None = None) -> list[int]:
        """Return the `k` best rows for a query read as `encoded`, SID `sid`, best first; `towards` looks ahead."""
        artifact, options = self.artifact, self.artifact.options
        [memory] = artifact.model.encode([artifact.inputs.build(encoded.text, sid)])
        width = options.beam_width or BEAMS
        if self._free is not None:
            beams = self._free.search(memory, width)
        else:
            trie = self.shelf.trie
            ahead = look_ahead(artifact.model, memory, trie, towards) if towards else None
            beams = beam_search(artifact.model, memory, trie, width, ahead=ahead)
        found = self.shelf.collect(beams, options.candidates)
        rows = self.rows[found.places]
        vector = artifact.model.query_vector(memory)
        terms = artifact.catalog.terms.read(encoded.text, encoded.concept_terms)
        scorer = ItemScorer(artifact.catalog, options, terms, encoded.sid, artifact.text_vector(encoded.text))
        scores = scorer.score(rows, vector, found.logp)
        order = np.lexsort((artifact.catalog.id_ranks[rows], -scores))
        return list(dict.fromkeys(rows[order].tolist()))[:k]


class PaperMode:
    """Bound items stand in the trie beside the base, with their slot; the query SID has the bound slot in it."""

    def __init__(
        self, artifact: Artifact, overlay: Overlay, constrained: bool = True, looking_ahead: bool = False
    ) -> None:
        self.artifact, self.overlay, self._looking_ahead = artifact, overlay, looking_ahead
        catalog = artifact.catalog
        parts: list[IntArray] = [catalog.sids.astype(np.int64)]
        owners: list[IntArray] = [np.arange(len(catalog))]
        for pinned in overlay.pinned:
            sids = catalog.sids[pinned.rows].astype(np.int64)
            sids[:, pinned.slot.position] = pinned.slot.index
            parts.append(sids)
            owners.append(pinned.rows)
        self._trie = OneTrie(artifact, np.concatenate(parts), np.concatenate(owners), constrained)

    def search(self, query: str, k: int) -> list[int]:
        """Return the rows of the K best items, best first; full depth, the artifact's item score."""
        kae = self.artifact.kae
        encoded = kae.encode(normalize(query))
        bound = self.overlay.match(encoded.text, 1, self.artifact.is_another_word)
        if not bound:
            return self._trie.best(encoded, encoded.sid, k)
        towards = bound[0].pinned.slot if self._looking_ahead else None
        return self._trie.best(encoded, pinned_sid(kae, encoded, bound[0]), k, towards)


def look_ahead(model: SequenceModel, memory: Memory, trie: Trie, slot: Slot) -> Ahead:
    """Favour prefixes that lead to `slot`, at the depths before it, by log(p / (1 − p)).

    p is the chance that the model gives to the slot behind its single most probable prefix in the trie: a prefix that
    leads there has a factor p still to come, any other at most 1 − p.
    """
    chance = float(np.clip(slot_chance(model, memory, trie, slot), _SURE, 1 - _SURE))
    odds = float(np.log(chance) - np.log1p(-chance))
    leads = leading(trie, slot)

    def ahead(states: IntArray, depth: int) -> FloatArray:
        return odds * leads[states] if depth <= slot.position else np.zeros(len(states))

    return ahead


def slot_chance(model: SequenceModel, memory: Memory, trie: Trie, slot: Slot) -> float:
    """Return the model's probability of `slot` at its position, behind the prefix that greedy decoding takes."""
    state: IntArray = np.zeros(1, np.int64)  # the root
    parent: IntArray = np.empty(0, np.int64)
    codes: IntArray = parent
    cache = None
    for depth in range(slot.position):
        logp, cache = model.step(memory, depth, cache, parent, codes)
        _, code, child = trie.expand(state)
        best = int(np.argmax(logp[0, code]))
        state, parent, codes = child[best : best + 1], np.zeros(1, np.int64), code[best : best + 1].astype(np.int64)
    logp, _ = model.step(memory, slot.position, cache, parent, codes)
    return float(np.exp(logp[0, slot.index]))


def leading(trie: Trie, slot: Slot) -> FloatArray:
    """Mark (S,) by 1.0 the states at or above the slot's position from which a SID with `slot` can be reached."""
    leads = np.zeros(int(trie.levels[-1]))
    depth = slot.position + 1
    first, stop = int(trie.levels[depth]), int(trie.levels[depth + 1])
    edges = trie.codes[first - 1 : stop - 1]  # edge i leads to state i + 1
    states: IntArray = first + np.flatnonzero(edges == slot.index)
    while len(states):
        leads[states] = 1.0
        states = np.unique(np.searchsorted(trie.rows, states[states > 0] - 1, side="right") - 1)
    return leads


class ForgedMode:
    """A closed codebook's intervention: items whose text now says the word get the codes of that text, no more.

    Args:
        artifact: over a closed codebook.
        forge: texts → codes (N, L) by the frozen quantiser.
        edited: row → its text with the new words.
    """

    def __init__(self, artifact: Artifact, forge: Callable[[Sequence[str]], IntArray], edited: dict[int, str]) -> None:
        self.artifact = artifact
        sids = artifact.catalog.sids.astype(np.int64)
        if edited:
            sids[list(edited)] = forge(list(edited.values()))
        self._trie = OneTrie(artifact, sids, np.arange(len(sids)))

    def search(self, query: str, k: int) -> list[int]:
        """Return the rows of the K best items; the query is encoded by the same quantiser."""
        encoded = self.artifact.kae.encode(normalize(query))
        return self._trie.best(encoded, encoded.sid, k)
