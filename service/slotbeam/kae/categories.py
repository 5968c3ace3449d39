"""The 18 attribute categories of the paper, in one fixed order."""

from __future__ import annotations

CATEGORIES: tuple[str, ...] = (
    "entity",
    "modifier",
    "brand",
    "material",
    "style",
    "function",
    "location",
    "audience",
    "color",
    "scene",
    "specifications",
    "price",
    "model",
    "anchor",
    "series",
    "marketing",
    "season",
    "pattern",
)
"""Every word of a dictionary has one of these; `anchor` is the seller of a live stream."""

ENTITY = CATEGORIES.index("entity")
CATEGORY_INDEX: dict[str, int] = {name: index for index, name in enumerate(CATEGORIES)}
