"""A tiny encoding, built by hand: every slot is known."""

from __future__ import annotations

import numpy as np
import pytest

from slotbeam.kae.codebook import Codebook
from slotbeam.kae.dictionary import Concept, Dictionary
from slotbeam.kae.encode import Kae
from slotbeam.kae.importance import Importance

GROUPS = (
    ("entity",),
    ("brand", "model", "anchor", "series"),
    ("modifier", "material", "style", "function", "location", "audience", "scene"),
    ("color", "specifications", "price", "marketing", "season", "pattern"),
)

CONCEPTS = (
    # entity: two clusters, then solo
    Concept("mold", "entity", ("molds", "mould"), 4, 1.0),
    Concept("tray", "entity", ("trays",), 3, 1.0),
    Concept("mouse", "entity", ("mice",), 50, 3.0),
    Concept("ice cream", "entity", (), 40, 2.0),
    Concept("laptop", "entity", ("laptops", "notebook"), 60, 4.0),
    Concept("stand", "entity", ("stands",), 30, 2.0),
    # brand group: no cluster
    Concept("hp", "brand", ("hp inc",), 20, 3.0),
    Concept("galaxy", "series", (), 10, 2.0),
    # modifier group: one cluster
    Concept("gaming", "modifier", (), 9, 2.0),
    Concept("wireless", "modifier", ("cordless",), 30, 3.5),
    Concept("cotton", "material", (), 3, 0.5),
    # color group
    Concept("black", "color", (), 25, 2.5),
    Concept("128gb", "specifications", ("128 gb",), 5, 1.0),
)
INDEX = (1, 2, 3, 4, 5, 6, 1, 2, 1, 2, 1, 1, 2)


@pytest.fixture
def dictionary() -> Dictionary:
    return Dictionary(CONCEPTS)


@pytest.fixture
def codebook(dictionary: Dictionary) -> Codebook:
    return Codebook(GROUPS, (2, 0, 1, 0), (4, 2, 1, 2), (10, 10, 10, 3), np.array(INDEX), dictionary)


@pytest.fixture
def importance(dictionary: Dictionary) -> Importance:
    weight = np.array([c.importance for c in dictionary], dtype=np.float32)
    implied = np.full(len(dictionary), -1, dtype=np.int32)
    implied[7] = 4  # galaxy → laptop
    heads = np.array([[2, 5]], dtype=np.int32)  # mouse beats stand
    return Importance(weight, heads, implied)


@pytest.fixture
def kae(dictionary: Dictionary, codebook: Codebook, importance: Importance) -> Kae:
    return Kae(dictionary, codebook, importance)
