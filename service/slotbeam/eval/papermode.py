"""The paper's serving of a bound word: base and bound items in one trie, decoded unpinned. It promises nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from slotbeam.decode.beam import beam_search
from slotbeam.eval.unconstrained import FreeDecoder
from slotbeam.kae.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.candidates import Shelf
from slotbeam.search.pinned import pinned_sid
from slotbeam.search.rank import ItemScorer
from slotbeam.search.snapshot import Overlay
from slotbeam.trie.build import build_trie, sid_order
from slotbeam.types import IntArray, Sid


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
        opens = np.ones(len(sids), np.bool_)
        opens[1:] = (sids[1:] != sids[:-1]).any(axis=1)
        self.shelf = Shelf(build_trie(sids), np.append(np.flatnonzero(opens), len(sids)), None)
        self._free = None if constrained else FreeDecoder(artifact.model, self.shelf.trie)

    def best(self, canonical: str, sid: Sid, k: int) -> list[int]:
        """The rows of the `k` best items for a query whose SID is `sid`, best first."""
        artifact, options = self.artifact, self.artifact.options
        [memory] = artifact.model.encode([artifact.inputs.build(canonical, sid)])
        width = max(k, options.beam_width)
        if self._free is not None:
            beams = self._free.search(memory, width)
        else:
            beams = beam_search(artifact.model, memory, self.shelf.trie, width)
        found = self.shelf.collect(beams, options.candidates)
        rows = self.rows[found.places]
        vector = artifact.model.query_vector(memory)
        scores = ItemScorer(artifact.catalog, options).score(canonical, rows, found.logp, vector)
        order = np.lexsort((artifact.catalog.id_ranks[rows], -scores))
        return list(dict.fromkeys(rows[order].tolist()))[:k]


class PaperMode:
    """Bound items stand in the trie beside the base, with their slot; the query SID has the bound slot in it."""

    def __init__(self, artifact: Artifact, overlay: Overlay, constrained: bool = True) -> None:
        self.artifact, self.overlay = artifact, overlay
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
        bound = self.overlay.match(encoded.text, 1, kae.knows)
        return self._trie.best(encoded.text, pinned_sid(kae, encoded, bound[0]) if bound else encoded.sid, k)


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
        sids[list(edited)] = forge(list(edited.values()))
        self._trie = OneTrie(artifact, sids, np.arange(len(sids)))

    def search(self, query: str, k: int) -> list[int]:
        """Return the rows of the K best items; the query is encoded by the same quantiser."""
        encoded = self.artifact.kae.encode(normalize(query))
        return self._trie.best(encoded.text, encoded.sid, k)
