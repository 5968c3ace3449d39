"""Bindings that became words of the dictionary: which items carry such a word, whatever their texts say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import orjson

from slotbeam.errors import ArtifactError, InputError
from slotbeam.kae.encode import Kae
from slotbeam.types import Slot

ABSORBED = "absorbed.json"
"""In `<artifact>/model/kae`: words, category and items of each absorbed binding."""


class AbsorbedBinding(Protocol):
    """Its first word is the concept; `item_ids` carry it."""

    @property
    def word(self) -> str: ...
    @property
    def item_ids(self) -> Sequence[str]: ...


class Carried(NamedTuple):
    """An absorbed word that an item carries: it represents its position there."""

    word: str
    concept: int
    slot: Slot


def carried_by_item(kae: Kae, absorbed: Iterable[AbsorbedBinding]) -> dict[str, list[Carried]]:
    """Return the words of each item id; where two bindings of one position want an item, the first has it.

    Raises:
        InputError: the dictionary does not know the word.
    """
    carried: dict[str, list[Carried]] = {}
    for binding in absorbed:
        concept = kae.dictionary.concept_of(binding.word)
        if concept is None:
            raise InputError(f'the dictionary that is kept does not know "{binding.word}"; absorb it in a new training')
        own = Carried(binding.word, concept, kae.codebook.slot_of(concept))
        for item_id in binding.item_ids:
            of_item = carried.setdefault(item_id, [])
            if own.slot.position not in (other.slot.position for other in of_item):
                of_item.append(own)
    return carried


class _Row(NamedTuple):
    word: str
    item_ids: Sequence[str]


def load_carried(folder: Path, kae: Kae) -> Mapping[str, Sequence[Carried]]:
    """Read the absorbed bindings of an encoding; none where it has none. Raises `ArtifactError`."""
    path = folder / ABSORBED
    if not path.is_file():
        return {}
    try:
        rows = [_Row(row["words"][0], row["items"]) for row in orjson.loads(path.read_bytes())]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}; copy the artifact again", file=path.name) from error
    return carried_by_item(kae, rows)
