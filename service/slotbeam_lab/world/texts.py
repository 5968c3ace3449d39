"""Titles and short descriptions of items, and the rows of `items.jsonl`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from slotbeam.types import IntArray
from slotbeam_lab.world.attributes import Products
from slotbeam_lab.world.lexicon import CATEGORIES, C, Lexicon

CHUNK = 8192

_TITLE_SHARE = {
    "modifier": 0.8,
    "material": 0.7,
    "style": 0.4,
    "function": 0.6,
    "audience": 0.7,
    "color": 0.85,
    "scene": 0.15,
    "specifications": 0.85,
    "marketing": 0.3,
    "season": 0.3,
    "pattern": 0.9,
    "location": 0.0,
    "price": 0.0,
    "anchor": 0.0,
}
"""How often a word stands in the title; otherwise it stands in the description."""

_ORDERS = (
    ("brand", "series", "model", "marketing", "style", "modifier", "color", "pattern", "material", "season", "entity"),
    ("brand", "modifier", "style", "season", "pattern", "material", "entity", "series", "model", "color", "marketing"),
    ("marketing", "brand", "series", "color", "pattern", "modifier", "material", "style", "season", "entity", "model"),
)
_SENTENCES = {
    "function": ("{} design.", "Now {}."),
    "material": ("Made of {}.", "{} body."),
    "modifier": ("A {} choice.", "{} build."),
    "style": ("{} look.", "In {} style."),
    "scene": ("Great for {}.", "Ideal for {} use."),
    "audience": ("Designed for {}.", "Loved by {}."),
    "season": ("For {}.", "{} collection."),
    "pattern": ("{} finish.", "With {} print."),
    "color": ("Comes in {}.", "Colour: {}."),
    "specifications": ("Size: {}.", "Rated {}."),
    "location": ("Made in {}.", "From {}."),
    "price": ("{} pick.", "A {} option."),
    "anchor": ("As shown live by {}.", "Sold by {}."),
    "marketing": ("{}.", "Part of our {}."),
}
_BIT = {name: number for number, name in enumerate(_TITLE_SHARE)}


def item_id(public: int) -> str:
    """Return the id of an item by its public number."""
    return f"p{public:08d}"


def model_name(lexicon: Lexicon, model: int) -> str:
    """`series * 1000 + number` -> for example `NB-340`."""
    series, number = divmod(model, 1000)
    letters = lexicon.words["series"][series].upper()
    return f"{letters[0]}{letters[2]}-{number}"


def item_rows(products: Products, start: int, stop: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the items with public numbers `start` to `stop`, in the loader's schema."""
    for at in range(start, stop, CHUNK):
        public = np.arange(at, min(at + CHUNK, stop))
        yield from _chunk(products, public)


def _chunk(products: Products, public: IntArray) -> Iterator[dict[str, Any]]:
    lexicon = products.lexicon
    internal = products.internal(public)
    table = products.attributes(internal)
    departments = [one.name for one in lexicon.departments]
    names = [departments[number] for number in lexicon.entity_department[table[:, C["entity"]]].tolist()]
    columns = zip(
        public.tolist(),
        table.tolist(),
        names,
        products.prices(internal).tolist(),
        products.popularity(internal).tolist(),
        products.text_choice(internal).tolist(),
        strict=True,
    )
    words = [lexicon.words.get(category, []) for category in CATEGORIES]
    model = C["model"]
    for number, numbers, department, price, popularity, choice in columns:
        said = {}
        for category, value in enumerate(numbers):
            if value >= 0:
                said[CATEGORIES[category]] = model_name(lexicon, value) if category == model else words[category][value]
        title, description = _texts(said, choice)
        sale = choice % 7 == 0
        yield {
            "id": item_id(number),
            "title": title,
            "description": description,
            "attributes": said,
            "fields": {"department": department, "brand": said["brand"], "price": round(price, 2), "sale": sale},
            "popularity": popularity,
        }


def _texts(said: dict[str, str], choice: int) -> tuple[str, str]:
    """Title and description: every word of `said` stands in one of them."""
    order = _ORDERS[choice % 3]
    low = set()
    for name in said:
        bit = _BIT.get(name)
        if bit is not None and (choice >> (4 + 4 * bit) & 15) >= _TITLE_SHARE[name] * 16:
            low.add(name)
    parts = [_titled(said[name]) for name in order if name in said and name not in low]
    title = " ".join(parts)
    for name in ("function", "specifications"):
        if name in said and name not in low:
            title += ", " + (_titled(said[name]) if name == "function" else said[name])
    for name in ("audience", "scene"):
        if name in said and name not in low:
            title += " for " + _titled(said[name])
    sentences = []
    for name, forms in _SENTENCES.items():
        if name in low:
            sentence = forms[choice >> 3 & 1].format(said[name])
            sentences.append(sentence[0].upper() + sentence[1:])
    return title, " ".join(sentences)


def _titled(text: str) -> str:
    return text.title() if text.islower() else text
