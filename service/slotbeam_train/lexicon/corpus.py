"""Items as canonical text, read once for all steps of mining."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slotbeam.catalog.item import Item
from slotbeam.language.normalize import normalize
from slotbeam.types import Progress
from slotbeam_train.lexicon.words import tokens

_VALUES = re.compile(r"\s*(?<!\d)[,;|]\s*|\s*[,;|](?!\d)\s*|\s+/\s+")


@dataclass(frozen=True, slots=True)
class Doc:
    """One item in canonical text. `values` are (category, value) of its typed attributes, brand included."""

    title: str
    description: str
    values: tuple[tuple[str, str], ...]
    brand: str
    tokens: tuple[tuple[str, int, int], ...]
    popularity: float


def read_docs(items: Sequence[Item], progress: Progress | None = None) -> list[Doc]:
    docs = []
    for number, item in enumerate(items):
        if progress is not None and number % 5000 == 0:
            progress("read", number, len(items))
        values = tuple(_values(item.attributes))
        brand = next((value for category, value in values if category == "brand"), "")
        if not brand and isinstance(item.fields.get("brand"), str):
            brand = normalize(str(item.fields["brand"]))
            values = (*values, ("brand", brand)) if brand else values
        title = normalize(item.title)
        docs.append(
            Doc(title, normalize(item.description), values, brand, tuple(tokens(title)), float(item.popularity))
        )
    return docs


def _values(attributes: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return typed values; lists written as one text ("Cotton, Linen") are taken apart."""
    typed: dict[tuple[str, str], None] = {}
    for category, values in attributes.items():
        for value in values:
            whole = normalize(value)
            for part in _VALUES.split(whole) if category != "brand" else [whole]:
                if part:
                    typed[category, part] = None
    return list(typed)
