"""A catalog of a few titles, and what its queries are read as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from slotbeam.catalog.inmemory import write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog
from slotbeam.language.fold import Folding
from slotbeam.search.artifact import Artifact
from support.shop import make_kae, make_shop


def shop_of(directory: Path, titles: Sequence[str], language: str = "en", times: int = 3) -> Artifact:
    """Return a shop whose catalog holds each of these titles so many times."""
    folding = Folding(language)
    items = [Item(id=f"{at}-{turn}", title=title) for at, title in enumerate(titles) for turn in range(times)]
    kinds = write_catalog(directory / "titles", items, np.ones((len(items), 3), np.int32), folding=folding)
    catalog = Catalog.load(directory / "titles", kinds, folding)
    return replace(make_shop(directory / "shop"), kae=make_kae(), catalog=catalog, folding=folding)
