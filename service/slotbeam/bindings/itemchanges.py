"""Which items an edit brings and takes away. The log keeps it: a list that no binding names is gone an hour later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slotbeam.bindings.edits.plan import Edit

SHOWN = 100
"""Ids of each direction that an edit names."""
SHOWN_IN_ALL = 2000
"""Ids of each direction that the edits of one revision name; how many there are is told of each edit."""

Lists = Mapping[str, Sequence[str]]
"""Item list hash → its ids, sorted."""


def lists_of(edits: Sequence[Edit]) -> set[str]:
    """The hashes of the lists that tell what `edits` did: of those that change the items, before and after."""
    pairs = ((e.before.items if e.before else None, e.after.items if e.after else None) for e in edits)
    return {sha for pair in pairs if pair[0] != pair[1] for sha in pair if sha}


def item_changes(edits: Sequence[Edit], lists: Lists) -> list[dict[str, Any] | None]:
    """What each edit did to its binding's items: `added`, `removed` (counts), `first_added`, `first_removed` (ids).

    Args:
        lists: those of `lists_of(edits)` that could be read; None stands for an edit whose lists are not all there.
    """
    left = {"added": SHOWN_IN_ALL, "removed": SHOWN_IN_ALL}
    found: list[dict[str, Any] | None] = []
    for edit in edits:
        before, after = edit.before.items if edit.before else None, edit.after.items if edit.after else None
        if before == after:
            found.append({"added": 0, "removed": 0, "first_added": [], "first_removed": []})
        elif any(sha is not None and sha not in lists for sha in (before, after)):
            found.append(None)
        else:
            old, new = lists[before] if before else (), lists[after] if after else ()
            moved = {"added": _without(new, old), "removed": _without(old, new)}
            first = {name: list(ids[: min(SHOWN, left[name])]) for name, ids in moved.items()}
            for name, ids in first.items():
                left[name] -= len(ids)
            counts = {name: len(ids) for name, ids in moved.items()}
            found.append({**counts, **{f"first_{name}": ids for name, ids in first.items()}})
    return found


def _without(ids: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    if not others:
        return ids
    known = set(others)
    return [item_id for item_id in ids if item_id not in known]
