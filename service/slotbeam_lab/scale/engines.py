"""What needs no decoder: tantivy, over the text that BM25 is given."""

from __future__ import annotations

import re
from collections.abc import Iterable

from slotbeam.catalog.item import Item
from slotbeam_lab.measures.run import Asked

_WORD = re.compile(r"\w+")
_HEAP = 4_000_000_000
"""Bytes that tantivy may fill before it begins another segment; it takes what it needs."""


class Tantivy:
    """A tantivy index in memory: OR over title and text with its English stemmer, one segment, one thread.

    Args:
        items: the catalog; its text is what BM25 is given (`baselines.bm25.document`).
    """

    def __init__(self, items: Iterable[Item]) -> None:
        import tantivy

        fields = tantivy.SchemaBuilder()
        for name in ("title", "text"):
            fields.add_text_field(name, tokenizer_name="en_stem")
        self._index = tantivy.Index(fields.build())
        writer = self._index.writer(_HEAP, num_threads=1)
        self._ids: list[str] = []
        for item in items:
            self._ids.append(item.id)
            text = f"{item.description} {item.fields.get('brand', '')}"
            writer.add_document(tantivy.Document(title=item.title, text=text))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()
        # Of a single segment, that nothing was deleted from, a document's number is its place in the catalog.
        if self._searcher.num_segments != 1:
            raise RuntimeError(f"tantivy made {self._searcher.num_segments} segments; one was to be measured")

    def __call__(self, asked: Asked, k: int) -> list[str]:
        """Return the ids of the `k` best items."""
        # Words alone, as the characters of its query language are no words.
        query = self._index.parse_query(" ".join(_WORD.findall(asked.query)).lower(), ["title", "text"])
        hits = self._searcher.search(query, k, count=False).hits
        return [self._ids[address.doc] for _, address in hits]
