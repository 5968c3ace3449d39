"""The rivals of an artifact, in one table; those that search with a teacher, also of a comparison's `Setup`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders import load_catalog
from slotbeam.errors import InputError
from slotbeam.search.artifact import Artifact
from slotbeam.search.options import SearchOptions
from slotbeam_lab.baselines.bm25 import Aliases, Bm25, system_of
from slotbeam_lab.baselines.hybrid import Hybrid
from slotbeam_lab.baselines.parts import part_systems
from slotbeam_lab.baselines.registry import SYSTEMS, Built, Setup
from slotbeam_lab.baselines.sparse import SparseEncoder, SparseIndex
from slotbeam_lab.baselines.systems import artifact_system, dictionary_of
from slotbeam_lab.baselines.teacher import TeacherIndex
from slotbeam_lab.baselines.unidex import SlotIndex
from slotbeam_lab.measures.choosing import Rival
from slotbeam_lab.measures.run import Table
from slotbeam_train.teacher import Teacher


def all_rivals(
    items: Sequence[Item],
    artifact: Artifact | None = None,
    teacher: Teacher | None = None,
    sparse: SparseEncoder | None = None,
    candidates: int | None = None,
) -> dict[str, Rival]:
    """Return label → what is asked beside an artifact, and the artifact: as served, each part out, each part alone.

    Args:
        items: the catalog. artifact: its dictionary is BM25's aliases, too; None: no aliases, and nothing of ours.
        teacher, sparse: models that rivals search with; None: none do.
        candidates: items that a rival may score for a query.
    """
    plain = Bm25(items)
    aliased = Bm25(items, rewrite=Aliases(artifact.kae)) if artifact else None
    rivals: dict[str, Rival] = {SYSTEMS["bm25"].label: system_of(plain)}
    if aliased:
        rivals[SYSTEMS["bm25-alias"].label] = system_of(aliased)
    if teacher:
        rivals |= teacher_rivals(TeacherIndex(items, teacher), plain, aliased, candidates)
    if sparse:
        rivals[SYSTEMS["learned-sparse"].label] = SparseIndex(items, sparse).search
    if artifact:
        rivals |= {artifact.name: artifact_system(artifact), **part_systems(artifact)}
        rivals[SYSTEMS["unidex"].label] = SlotIndex(artifact, *([candidates] if candidates else [])).search
    return rivals


def teacher_rivals(
    dense: TeacherIndex, lexical: Bm25, aliased: Bm25 | None = None, candidates: int | None = None
) -> dict[str, Rival]:
    """Return label → each rival that searches with the teacher.

    Args:
        dense, lexical: over the same items. aliased: BM25 with an alias dictionary, for hybrids of its own.
        candidates: items that a rival may score for a query; None lets hybrids score all, and lets the inverted file
            look at as many rows as slotbeam does by default.
    """
    rows = SearchOptions().scan_budget if candidates is None else candidates
    rivals: dict[str, Rival] = {
        "teacher-exact": dense.search,
        "teacher-ivf": partial(dense.search_lists, rows=rows),
    }
    sides: Mapping[str, Bm25 | None] = {"": lexical, "-alias": aliased}
    for suffix, side in sides.items():
        if side is not None:
            hybrid = Hybrid(side, dense, candidates)
            rivals |= {f"hybrid-convex{suffix}": hybrid.convex(), f"hybrid-rrf{suffix}": hybrid.reciprocal()}
    return {SYSTEMS[name].label: rival for name, rival in rivals.items()}


BEST = "the best of BM25 and its hybrids"
"""Of BM25 and its two hybrids with the teacher, without our aliases: what anyone has who has the teacher."""


def with_best(table: Table) -> Table:
    """Return the table with one more system: in each metric, the one of `BEST` whose mean is the highest there.

    No single system may be as good: it is the strictest rival, and its luck on this very sample is counted for it. A
    table that lacks one of them is returned as it is.
    """
    rivals = [SYSTEMS[name].label for name in ("bm25", "hybrid-convex", "hybrid-rrf")]
    if not set(rivals) <= set(table.values):
        return table
    means = table.means()
    best = {
        metric: table.values[max(rivals, key=lambda rival: means[rival][metric])][metric] for metric in means[rivals[0]]
    }
    return Table({**table.values, BEST: best})


def rival_pairs(table: Table, ours: str | None) -> list[tuple[str, str]]:
    """Return the ratios worth a row: an artifact over everything else; without one, every rival over BM25."""
    if ours is not None:
        return [(ours, other) for other in table.values if other != ours]
    base = SYSTEMS["bm25"].label
    return [(rival, base) for rival in table.values if rival != base]


def build_exact(setup: Setup) -> Built:
    """Ask the teacher, nothing left out."""
    return Built(_dense(setup, _items(setup)).search)


def build_lists(setup: Setup) -> Built:
    """Ask the teacher by an inverted file."""
    dense = _dense(setup, _items(setup))
    rows = setup.options.search.scan_budget if setup.candidates is None else setup.candidates
    return Built(partial(dense.search_lists, rows=rows), facts={"lists": dense.lists.lists, "rows": rows})


def build_convex(setup: Setup) -> Built:
    """Sum BM25 and the teacher; the weight is left open."""
    return Built.open(_hybrid(setup, aliased=False).convex())


def build_reciprocal(setup: Setup) -> Built:
    """Fuse BM25 and the teacher by reciprocal rank; constant and weight are left open."""
    return Built.open(_hybrid(setup, aliased=False).reciprocal())


def build_convex_aliased(setup: Setup) -> Built:
    """Sum the same with the aliases that slotbeam learns."""
    return Built.open(_hybrid(setup, aliased=True).convex())


def build_reciprocal_aliased(setup: Setup) -> Built:
    """Fuse the same with the aliases that slotbeam learns."""
    return Built.open(_hybrid(setup, aliased=True).reciprocal())


def _items(setup: Setup) -> list[Item]:
    return list(load_catalog(setup.catalog))


def _dense(setup: Setup, items: Sequence[Item]) -> TeacherIndex:
    if setup.teacher is None:
        raise InputError("this system searches with a teacher and none was given; name one with --teacher")
    return TeacherIndex(items, setup.teacher)


def _hybrid(setup: Setup, aliased: bool) -> Hybrid:
    items = _items(setup)
    dense = _dense(setup, items)
    return Hybrid(Bm25(items, rewrite=Aliases(dictionary_of(setup)) if aliased else None), dense, setup.candidates)
