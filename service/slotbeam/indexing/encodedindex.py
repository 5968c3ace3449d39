"""What an index holds of its items as they were encoded: what did not change since need not be encoded again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from slotbeam import __version__
from slotbeam.arrays import Strings, among, load_array, run_starts, running_totals
from slotbeam.catalog.columns import Columns
from slotbeam.catalog.postings import Postings
from slotbeam.catalog.postingsbuilder import MOST, RUN
from slotbeam.catalog.table import Catalog, item_text
from slotbeam.indexing.encode import Given, given_columns
from slotbeam.language.fold import Folding
from slotbeam.search.artifact import INDEX, LANGUAGE, read_manifest, verify
from slotbeam.types import BoolArray, IntArray

COUNTS = f"{INDEX}/terms/counts.npy"

Encode = Callable[[list[Given]], Columns]


class EncodedIndex:
    """The rows of an artifact's index as columns.

    Args:
        directory: of the artifact; the hashes of what is taken are checked.
        work: an existing directory, for a file whose name is gone at once: the terms, item by item.
        run: postings that are read at a time.

    Raises:
        ArtifactError: what it holds is damaged.
    """

    def __init__(self, directory: Path, work: Path, run: int = RUN) -> None:
        manifest = read_manifest(directory)
        for part in ("items", "terms", "texts"):
            verify(directory, manifest, under=f"{INDEX}/{part}/")
        folding = Folding.load(directory / INDEX / LANGUAGE)
        self._catalog = Catalog.load(directory / INDEX, manifest[INDEX]["fields"], folding)
        texts, counts = self._catalog.text_index, load_array(directory / COUNTS)
        self._lists = np.zeros(len(self._catalog), np.int32)
        self._lists[texts.rows] = np.repeat(np.arange(len(texts.centroids)), np.diff(texts.starts))
        vocabulary, postings = self._catalog.terms.vocabulary, self._catalog.terms.postings
        self._terms, self._unsure = _by_row(vocabulary, postings, counts, len(self._catalog), work / "terms", run)

    @staticmethod
    def fits(directory: Path, folding: Folding) -> bool:
        """Return whether an index tells how its items were encoded, by this version and with this folding."""
        manifest = read_manifest(directory)
        return (
            manifest[INDEX].get("encoded_by") == __version__
            and COUNTS in manifest["files"]
            and Folding.load(directory / INDEX / LANGUAGE).reads_as(folding)
        )

    def columns(self, block: list[Given], encode: Encode) -> Iterator[Columns]:
        """Yield the columns of a block, in any order: items whose row the index holds as they are, others encoded."""
        rows, missing = self._catalog.rows_of(item.id for item, _ in block)
        absent = set(missing)
        held = (given for given in block if given[0].id not in absent)
        known = sorted(zip(rows, held, strict=True), key=lambda pair: pair[0])
        at = [row for row, _ in known]
        told = zip(
            known, self._catalog.sources.take(at), self._catalog.texts.take(at), self._unsure[at].tolist(), strict=True
        )
        # The text, too: of a row that looks documented a mapping may have made another item.
        same = [
            (row, (item, source))
            for (row, (item, source)), line, text, unsure in told
            if not unsure and source == line and item_text(item) == text
        ]
        taken = {row_given[1][0].id for row_given in same}
        if same:
            yield self._taken(np.array([row for row, _ in same]), [given for _, given in same])
        if others := [given for given in block if given[0].id not in taken]:
            yield encode(others)

    def _taken(self, rows: IntArray, given: list[Given]) -> Columns:
        catalog = self._catalog
        return Columns(
            **given_columns(given),
            texts=Strings.of_bytes(list(catalog.texts.encoded(rows))),
            terms=Strings.of_bytes(list(self._terms.encoded(rows))),
            sids=catalog.sids[rows].astype(np.int32),
            vectors=catalog.vectors[rows],
            text_vectors=catalog.text_index.vectors[rows],
            text_lists=self._lists[rows],
            reread=among(catalog.reread, rows),
        )


def _by_row(
    vocabulary: IntArray, postings: Postings, counts: IntArray, n: int, path: Path, run: int
) -> tuple[Strings, BoolArray]:
    """Turn postings into the terms of each row.

    Args:
        vocabulary: (U,) uint32.
        postings: of these, P in all.
        counts: (P,) uint8, how often each term stands in the item, `MOST` at most.
        n: rows.
        path: of a file to map.
        run: postings that are read at a time.

    Returns:
        (n,) strings as `Columns.terms`, each sorted; and (n,) bool, where some term may stand more often than counted.
    """
    lengths, unsure = np.zeros(n, np.int64), np.zeros(n, np.bool_)
    spans = [slice(start, start + run) for start in range(0, len(counts), run)]
    for span in spans:
        rows = postings.rows[span]
        lengths += np.bincount(rows, counts[span], n).astype(np.int64)
        unsure[rows[counts[span] >= MOST]] = True
    starts = running_totals(lengths)
    terms = open_memmap(path, "w+", np.uint32, (int(starts[-1]),)) if starts[-1] else np.empty(0, np.uint32)
    path.unlink(missing_ok=True)
    free = starts[:-1].copy()  # where the next term of each row belongs
    for span in spans:
        places = np.searchsorted(postings.starts, np.arange(*span.indices(len(counts))), "right") - 1
        times = counts[span]
        owner, hashes = np.repeat(postings.rows[span], times), np.repeat(vocabulary[places], times)
        order = np.argsort(owner, kind="stable")
        first = run_starts(owner[order])
        each = np.diff(np.append(first, len(owner)))
        rows = owner[order][first]
        terms[np.arange(len(owner)) + np.repeat(free[rows] - first, each)] = hashes[order]
        free[rows] += each
    return Strings(terms.view(np.uint8), 4 * starts), unsure
