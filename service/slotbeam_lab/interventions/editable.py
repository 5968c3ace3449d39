"""Systems that can be told a new word: `bind` teaches a round of words, `search` asks one query of that state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from slotbeam.catalog.item import Item
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import IntArray, Timings
from slotbeam_lab.baselines.bm25 import Aliases, Bm25, PinRules
from slotbeam_lab.baselines.registry import Built
from slotbeam_lab.interventions.injections import Injection, overlay_of
from slotbeam_lab.interventions.papermode import ForgedMode, PaperMode

PINNED, UNPINNED = "pinned", "unpinned"
AHEAD, FREE = "unpinned, look-ahead", "unpinned, unconstrained"
PIN_RULE, ALIAS_PIN_RULE = "BM25 + pin rule", "BM25 + aliases + pin rule"
SAME_ITEMS, IN_TEXT = "BM25, same items", "BM25, word in the text"


class Editable(Protocol):
    """A system of the intervention tests."""

    def bind(self, injections: Sequence[Injection]) -> None:
        """Forget the round before, learn this one."""
        ...

    def search(self, query: str, k: int) -> Sequence[str]:
        """At most k distinct item ids, best first."""
        ...


class Served:
    """slotbeam as it is served: every bound word a pinned group."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._snapshot = Snapshot(artifact)

    def bind(self, injections: Sequence[Injection]) -> None:
        self._snapshot = Snapshot(self._artifact, overlay_of(self._artifact, injections))

    def search(self, query: str, k: int) -> list[str]:
        hits = retrieve(self._snapshot, SearchRequest(query, k=k), Timings()).hits
        return [self._artifact.catalog.ids[hit.row] for hit in hits]


class Unpinned:
    """The paper's mode; `constrained` False decodes without a trie, too; `looking_ahead` see papermode.py."""

    def __init__(self, artifact: Artifact, constrained: bool = True, looking_ahead: bool = False) -> None:
        self._artifact, self._constrained, self._looking_ahead = artifact, constrained, looking_ahead
        self.bind([])

    def bind(self, injections: Sequence[Injection]) -> None:
        overlay = overlay_of(self._artifact, injections)
        self._mode = PaperMode(self._artifact, overlay, self._constrained, self._looking_ahead)

    def search(self, query: str, k: int) -> list[str]:
        return [self._artifact.catalog.ids[row] for row in self._mode.search(query, k)]


class Forged:
    """A closed codebook: bound items get the codes of their text with the word behind it.

    Args:
        artifact: over a closed codebook; forge: its frozen quantiser, texts → codes (N, L).
    """

    def __init__(self, artifact: Artifact, forge: Callable[[Sequence[str]], IntArray]) -> None:
        self._artifact, self._forge = artifact, forge
        self.bind([])

    def bind(self, injections: Sequence[Injection]) -> None:
        catalog = self._artifact.catalog
        texts: dict[int, str] = {}
        for one in injections:
            for row in catalog.rows_of(one.item_ids)[0]:
                texts[row] = f"{texts.get(row, catalog.texts[row])} {one.word}"
        self._mode = ForgedMode(self._artifact, self._forge, texts)

    def search(self, query: str, k: int) -> list[str]:
        return [self._artifact.catalog.ids[row] for row in self._mode.search(query, k)]


class Pinning:
    """An index with a pin rule a word; `only` leaves out what the rules do not name."""

    def __init__(self, index: Bm25, only: bool = False) -> None:
        self._index, self._only = index, only
        self.bind([])

    def bind(self, injections: Sequence[Injection]) -> None:
        self._rules = PinRules(self._index, {one.word: one.item_ids for one in injections})

    def search(self, query: str, k: int) -> list[str]:
        return self._rules.pinned(query)[:k] if self._only else self._rules.search(query, k)


class Rewritten:
    """BM25 whose index is edited: the word is written into the items' texts."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self.bind([])

    def bind(self, injections: Sequence[Injection]) -> None:
        words: dict[str, list[str]] = defaultdict(list)
        for one in injections:
            for item in one.item_ids:
                words[item].append(one.word)
        self._index = Bm25(
            replace(item, description=" ".join([item.description, *words[item.id]])) if item.id in words else item
            for item in self._items
        )

    def search(self, query: str, k: int) -> list[str]:
        return self._index.search(query, k)


def closed_system(built: Built) -> Forged:
    """Return a closed codebook (`build_kmeans` and its like) as one that is told words: its quantiser forges codes."""
    from slotbeam_lab.baselines.closed import forge

    if built.artifact is None:
        raise ValueError("a closed codebook comes with its artifact. This is a bug.")
    return Forged(built.artifact, partial(forge, built))


def standard_systems(artifact: Artifact, items: Sequence[Item]) -> dict[str, Editable]:
    """Every system that needs no training of its own, by its label; `items` is the artifact's catalog."""
    plain, aliased = Bm25(items), Bm25(items, rewrite=Aliases(artifact.kae))
    return {
        PINNED: Served(artifact),
        UNPINNED: Unpinned(artifact),
        AHEAD: Unpinned(artifact, looking_ahead=True),
        FREE: Unpinned(artifact, constrained=False),
        PIN_RULE: Pinning(plain),
        ALIAS_PIN_RULE: Pinning(aliased),
        SAME_ITEMS: Pinning(plain, only=True),
        IN_TEXT: Rewritten(items),
    }
