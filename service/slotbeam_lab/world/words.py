"""The catalog's English: departments with their own entities, materials, functions … and words that all share.

Brand, series, seller and place names and everything that users type instead are invented by `lexicon.py`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Department:
    """One department. `rates` overrides `RATES` where its products differ; `price` is the median in currency units."""

    name: str
    heads: str
    kinds: str
    materials: str
    functions: str
    styles: str
    modifiers: str
    scenes: str
    audiences: str
    units: str
    price: float
    rates: str = ""


RATES: dict[str, float] = {
    "entity": 1.0,
    "brand": 1.0,
    "modifier": 0.55,
    "material": 0.65,
    "style": 0.35,
    "function": 0.60,
    "location": 0.15,
    "audience": 0.30,
    "color": 0.75,
    "scene": 0.40,
    "specifications": 0.60,
    "price": 0.25,
    "model": 0.25,
    "anchor": 0.08,
    "series": 0.65,
    "marketing": 0.20,
    "season": 0.10,
    "pattern": 0.10,
}
"""Share of items that carry a word of a category, in the order that the world numbers the categories."""

COLORS = (
    "black white red blue green yellow orange purple pink brown beige ivory lilac navy crimson coral olive mint "
    "lavender charcoal bronze silver gold turquoise cream burgundy amber graphite"
)
PATTERNS = "striped floral plaid dotted checkered camouflage geometric marbled paisley leopard herringbone houndstooth"
SEASONS = "spring,summer,autumn,winter,all season,monsoon"
PRICES = ("budget", "value", "mid range", "premium", "luxury")
MARKETING = (
    "new arrival,gift set,limited edition,best seller,clearance,bundle,anniversary edition,refill pack,starter kit"
)


def departments() -> tuple[Department, ...]:
    """Read the departments, in the order that entities are numbered in."""
    rows = tomllib.loads(Path(__file__).with_name("departments.toml").read_text("utf-8"))["department"]
    return tuple(Department(**row) for row in rows)
