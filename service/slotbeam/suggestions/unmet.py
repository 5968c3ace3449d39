"""What a rule or a binding names and no item is: ids, and tests that nothing passes. Pure.

It is told beside the edit and never refused: items may come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from slotbeam.bindings.actions import tests_of
from slotbeam.bindings.binding import Binding
from slotbeam.catalog.delta.fields import LiveFields
from slotbeam.catalog.fields import FieldKind
from slotbeam.search.artifact import Artifact
from slotbeam.text import shown

MOST_COMPARED = 5_000
"""Values of a field that a word is compared with for its likeness; of more only their spelling in capitals."""


def unmet(artifact: Artifact, binding: Binding) -> list[str]:
    """Warn of each list that names items which the catalog lacks, and of each test that no item passes."""
    warnings = []
    for name in ("positions", "hide"):
        ids = getattr(binding, name)
        _, missing = artifact.catalog.rows_of(ids)
        if missing:
            which = f"{shown(missing[0])} and {len(missing) - 1} more" if missing[1:] else shown(missing[0])
            warnings.append(f"{name}: of {len(ids)} ids the catalog does not hold {which}")
    for place, test in tests_of(binding):
        if _is_unmet(artifact, test):
            warnings.append(f"{place.removesuffix('.test')}: no item passes it now{_meant(artifact, test)}")
    return warnings


def _is_unmet(artifact: Artifact, test: Mapping[str, Any]) -> bool:
    return not len(artifact.catalog.passing(test).members())


def _meant(artifact: Artifact, test: Mapping[str, Any]) -> str:
    """Say of the first keyword that no item has which one may have been meant."""
    catalog = artifact.catalog
    fields = catalog.fields.base if isinstance(catalog.fields, LiveFields) else catalog.fields
    for name, condition in test.items():
        if name not in fields or fields[name].kind is not FieldKind.KEYWORD:
            continue
        for word in condition if isinstance(condition, list) else [condition]:
            if isinstance(word, str) and _is_unmet(artifact, {name: word}):
                near = _like(word, list(fields[name].keywords or ()))
                return f"; no item has {name} {shown(word)}" + (f", did you mean {shown(near)}?" if near else "")
    return ""


def _like(word: str, values: Sequence[str]) -> str | None:
    same = next((value for value in values if value.casefold() == word.casefold()), None)
    if same or len(values) > MOST_COMPARED:
        return same
    return next(iter(get_close_matches(word, values, 1)), None)
