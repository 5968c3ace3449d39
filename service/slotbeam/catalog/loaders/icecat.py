"""Icecat product sheets (`id, title, brand, short_description, attrs`) through `mappings/icecat.json`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders.mapping import MappingFile
from slotbeam.catalog.loaders.records import rows

MAPPING = Path(__file__).parent.parent / "mappings" / "icecat.json"


def items(path: Path) -> Iterator[Item]:
    """Yield one item a product; attribute names that the mapping file leaves out are dropped."""
    mapping = MappingFile.load(MAPPING)
    for place, row in rows(path):
        yield mapping.item(place, row)
