"""A model and a catalog → an index. This file is the tour: read, encode, sort into runs, merge, number the states."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from slotbeam import __version__
from slotbeam.catalog.loaders.source import ItemStream
from slotbeam.catalog.statistics import TermStatistics
from slotbeam.catalog.terms import TermIndex
from slotbeam.catalog.writer import write_table
from slotbeam.errors import InputError, SetupError
from slotbeam.indexing.directory import BUILDING
from slotbeam.indexing.encode import Given
from slotbeam.indexing.encodedindex import EncodedIndex
from slotbeam.indexing.language import folding_of
from slotbeam.indexing.runs import RUN_BYTES, RUN_ITEMS, sorted_runs
from slotbeam.indexing.workers import encoded
from slotbeam.kae.dictionary import Dictionary
from slotbeam.language.fold import Folding
from slotbeam.model.textvectors import TextVectors
from slotbeam.search.artifact import INDEX, LANGUAGE, MANIFEST, MODEL, read_manifest, verify, write_manifest
from slotbeam.trie.build import build_trie

Progress = Callable[[str, int, int], object]
"""Called with what is done, how much of it, and how much there is."""


READ_AHEAD = 2**14
"""Items that the language is told by."""


def _silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def write_index(
    index: Path,
    model: Path,
    max_tokens: int,
    catalog: ItemStream,
    jobs: int = 1,
    progress: Progress = _silent,
    run_items: int = RUN_ITEMS,
    language: str | None = None,
    folding: Folding | None = None,
    statistics: TermStatistics | None = None,
    base: Path | None = None,
) -> dict[str, Any]:
    """Write every array of an index; the same bytes whatever `jobs` and `run_items`, and in whatever order items come.

    Args:
        index: the directory to make.
        model: an artifact's `model/`.
        max_tokens: of its input rows.
        catalog: is read to its end.
        jobs: processes that encode, and threads that compress.
        run_items: items that are sorted at a time.
        language: of the catalog, ISO 639-1; None: as its first items tell.
        folding: of the catalog, where it is known already.
        statistics: of another index, by which terms weigh; None: those of the catalog.
        base: an artifact of the same model. What its index holds of items that are as they were is not encoded again.

    Returns:
        What the manifest says of the index.

    Raises:
        InputError: the catalog is refused, or holds no items.
        SetupError: a process was killed, or the disk is full.
    """
    work = index.with_name(f"{index.name}.runs")
    work.mkdir(parents=True)
    try:
        given = _given(catalog, progress)
        # The language is told by what comes first: it has to be known before anything is encoded.
        first = _read_ahead(given)
        folding = folding or folding_of((item for block in first for item, _ in block), language)
        folding.save(index / LANGUAGE)
        known = EncodedIndex(base, work) if base and EncodedIndex.fits(base, folding) else None
        blocks = encoded(model, max_tokens, index / LANGUAGE, chain(first, given), jobs, known)
        runs = list(sorted_runs(blocks, work, run_items))
        if not runs:
            left = f"; rows left out: {catalog.left_out}" if catalog.left_out else ""
            raise InputError(f"there is no item in {' and '.join(map(str, catalog.files))}{left}")
        items = sum(map(len, runs))
        with ThreadPoolExecutor(jobs) as threads:
            surfaces, texts = Dictionary.load(model / "kae").surfaces, TextVectors.load(model)
            told = partial(progress, "write")
            centroids = texts.centroids if texts else None
            table = write_table(
                index, runs, threads.map, lambda done: told(done, items), surfaces, centroids, statistics
            )
        trie = build_trie(table.leaves)
        trie.save(index / "trie")
    except OSError as error:
        raise SetupError(f"{index} cannot be written: {error.strerror or error}; nothing is left of it") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {
        "items": items,
        "language": folding.language,
        **folding.made_by._asdict(),
        "encoded_by": __version__,
        "sids": trie.n_leaves,
        "fields": table.kinds,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "catalog": {"files": [file.name for file in catalog.files], "left_out": catalog.left_out},
    }


def _given(catalog: ItemStream, progress: Progress) -> Iterator[list[Given]]:
    """Yield the items of each block with their sources; places are for faults alone."""
    for block in catalog.blocks():
        yield [(record.item, record.source) for record in block]
        progress("encode", *catalog.progress)


def _read_ahead(given: Iterator[list[Given]]) -> list[list[Given]]:
    """Return blocks of `READ_AHEAD` items, or of all: then the order that they come in tells nothing."""
    blocks: list[list[Given]] = []
    items = held = 0
    for block in given:
        blocks.append(block)
        items, held = items + len(block), held + sum(len(source) for _, source in block)
        if items >= READ_AHEAD or held >= RUN_BYTES:
            break
    return blocks


def build_index(
    model: Path,
    catalog: ItemStream,
    out: Path,
    jobs: int = 1,
    progress: Progress = _silent,
    name: str | None = None,
    run_items: int = RUN_ITEMS,
    language: str | None = None,
    statistics_of: Path | None = None,
    says: Mapping[str, Any] | None = None,
    base: Path | None = None,
) -> dict[str, Any]:
    """Make an artifact of another one's model and the index of a catalog; `out` appears whole or not at all.

    Args:
        model: an artifact; its own index is not read.
        catalog: is read to its end.
        out: the directory to make, or an artifact to replace.
        jobs, progress, run_items, language: as in `write_index`.
        name: of the new artifact; default: that of the model.
        statistics_of: an artifact by whose index terms weigh and are folded, so that scores of both compare.
        says: more that the manifest is to say of the index.
        base: an artifact. What its index holds of items that are as they were is not encoded again, where the model
            and how texts are read are the same.

    Returns:
        Its manifest.

    Raises:
        ArtifactError: the model is damaged.
        InputError: the catalog is refused, or holds no items.
        SetupError: `out` exists and is no artifact, a process was killed, or the disk is full.
    """
    if out.exists() and not (out / MANIFEST).is_file() and any(out.iterdir()):
        raise SetupError(f"{out} exists and is no artifact; name another directory")
    manifest = read_manifest(model)
    verify(model, manifest, under=MODEL)
    work = out.with_name(f".{out.name}{BUILDING}")
    shutil.rmtree(work, ignore_errors=True)
    try:
        fresh = work / "artifact"
        shutil.copytree(model / MODEL, fresh / MODEL)
        max_tokens = manifest["model"]["shape"]["max_tokens"]
        folding, statistics = _counted_by(statistics_of) if statistics_of else (None, None)
        alike = base if base and read_manifest(base)[MODEL] == manifest[MODEL] else None
        facts = write_index(
            *(fresh / INDEX, fresh / MODEL, max_tokens, catalog, jobs, progress, run_items, language),
            folding=folding,
            statistics=statistics,
            base=alike,
        )
        named = {"name": name or manifest["name"], "created": facts["created"]}
        made = {**manifest, **named, "index": {**facts, **(says or {})}}
        made = write_manifest(fresh, made, partial(progress, "hash"))
        replace_artifact(fresh, out, work / "replaced")
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error.strerror or error}; nothing is left of it") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return made


def _counted_by(artifact: Path) -> tuple[Folding, TermStatistics]:
    """Return the folding and the statistics of another artifact's index."""
    folding = Folding.load(artifact / INDEX / LANGUAGE)
    statistics = TermIndex.load(artifact / INDEX / "terms", folding).statistics
    if statistics is None:
        raise SetupError(f'the index of {artifact} keeps no statistics; make it again with "slotbeam index"')
    return folding, statistics


def replace_artifact(fresh: Path, out: Path, old: Path) -> None:
    """Put a finished artifact in place of what was there, which goes to `old`."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists():
        out.rename(old)
    fresh.rename(out)
