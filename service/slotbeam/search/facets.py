"""Facets: how many of the candidates have which value of a field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slotbeam.catalog.fields import Field, FieldKind, Fields
from slotbeam.types import IntArray

MAX_FACET_VALUES = 50
"""Values of one field that are listed: the most frequent ones."""


def count_facets(fields: Fields, names: Sequence[str], rows: IntArray) -> dict[str, Any]:
    """Return the counts of each named field over the candidates `rows` (n,), distinct, and their number, as JSON."""
    return {"facets": {name: _facet(fields[name].at(rows)) for name in names}, "counted": len(rows)}


def _facet(field: Field) -> dict[str, Any]:
    present = field.values[field.present]
    facet: dict[str, Any] = {"count": len(present), "missing": len(field.values) - len(present)}
    if field.kind is FieldKind.NUMBER:
        return {**facet, "min": float(present.min()), "max": float(present.max())} if len(present) else facet
    codes, counts = np.unique(present, return_counts=True)
    most = np.lexsort((codes, -counts))[:MAX_FACET_VALUES]  # equal counts in the order of the values
    listed = zip(Field(field.kind, codes[most], field.keywords).said(), counts[most].tolist(), strict=True)
    return {**facet, "values": [{"value": value, "count": count} for value, count in listed]}
