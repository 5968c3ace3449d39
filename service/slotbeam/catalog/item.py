"""What a catalog holds (`Item`) and what a log says about it (`Interaction`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FieldValue = str | float | bool
"""A filterable value: keyword, number or bool."""

KINDS = ("click", "order")


@dataclass(frozen=True, slots=True)
class Item:
    """One product, as every loader yields it.

    `attributes` maps a category (one of the 18) to its values: a loader's mapping file has already turned source
    fields into categories. `fields` are typed and filterable (department, brand, price …). `popularity` is >= 0 on
    any scale; the item prior is its log1p.
    """

    id: str
    title: str
    description: str = ""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    popularity: float = 0.0

    @property
    def told(self) -> tuple[object, ...]:
        """What of it is encoded: of two items of one id and with the same, SID, terms and vectors are the same."""
        return self.title, self.description, {kind: tuple(values) for kind, values in self.attributes.items()}


@dataclass(frozen=True, slots=True)
class Interaction:
    """One click or order: what was typed, what was chosen, and what came before.

    `kind` is `click` or `order`; `day` counts from 1; `recent_queries` and `recent_item_ids` are the user's own,
    newest last; `position` is the item's rank in the answer it was chosen from, from 1 (0: unknown).
    """

    query: str
    item_id: str
    kind: str
    day: int
    user: str
    recent_queries: tuple[str, ...] = ()
    recent_item_ids: tuple[str, ...] = ()
    position: int = 0
