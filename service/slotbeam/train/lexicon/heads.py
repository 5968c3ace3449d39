"""The importance table: what is sold when two entities are named, and what a name without an entity stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from slotbeam.kae.dictionary import Dictionary
from slotbeam.kae.importance import Importance
from slotbeam.train.lexicon.corpus import Doc


def learn_importance(dictionary: Dictionary, docs: Sequence[Doc], queries: Mapping[str, int]) -> Importance:
    """Weights, head pairs and implied entities of all concepts."""
    weight = np.asarray([c.importance for c in dictionary], dtype=np.float32)
    return Importance(weight, np.zeros((0, 2), np.int32), np.full(len(dictionary), -1, np.int32))
