"""Titles and short descriptions as sellers write them, and the rows of `items.jsonl`.

Sellers leave out the brand, the kind of product or attributes, repeat in the text half of what is wrong in the
attributes, and stuff titles with words of other products.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from slotbeam.types import IntArray
from slotbeam_lab.world.hashing import below, unit
from slotbeam_lab.world2.lexicon import CATEGORIES, C, Lexicon2
from slotbeam_lab.world2.products import Products2

CHUNK = 8192
STUFFED, NAMELESS = 0.25, 0.15
"""Share of titles with words of other products; of titles without what the product is (half of these say it below)."""

_TITLE_SHARE = {"material": 0.7, "style": 0.4, "function": 0.5, "audience": 0.6, "color": 0.8, "scene": 0.15}
_TITLE_SHARE |= {"specifications": 0.8, "pattern": 0.9, "modifier": 0.8, "season": 0.3, "marketing": 0.5}
_TITLE_SHARE |= {"brand": 0.8, "series": 0.8, "model": 0.8, "entity": 1 - NAMELESS}
_UNSAID = {"brand": 0.5, "entity": 0.5, "price": 0.9}
"""Of what is not in the title, the share that is nowhere in the text; 0.5 for the others."""

_ORDERS = (
    "brand series model style modifier color pattern material season entity marketing",
    "entity brand style season pattern material series model color modifier marketing",
    "marketing brand series color pattern style material season entity modifier model",
    "brand entity model color material pattern style series season modifier marketing",
)
_SENTENCES = {
    "entity": ("A {} to rely on.", "The {} you need."),
    "brand": ("By {}.", "{} quality."),
    "series": ("From the {} line.", "{} collection."),
    "model": ("Model {}.", "No. {}."),
    "function": ("{} design.", "Now {}."),
    "material": ("Made of {}.", "{} body."),
    "modifier": ("You get: {}.", "Sold as {}."),
    "style": ("{} look.", "In {} style."),
    "scene": ("Great for {}.", "Ideal for {} use."),
    "audience": ("Designed for {}.", "Loved by {}."),
    "season": ("For {}.", "{} edition."),
    "pattern": ("{} finish.", "With {} print."),
    "color": ("Comes in {}.", "Colour: {}."),
    "specifications": ("Size: {}.", "Rated {}."),
    "price": ("{} pick.", "A {} option."),
    "marketing": ("{}.", "Part of our {}."),
}


def item_id(public: int) -> str:
    """Return the id of an item by its public number."""
    return f"q{public:08d}"


def model_name(lexicon: Lexicon2, model: int) -> str:
    """`series * 10000 + number` → for example `NB-3402`."""
    series, number = divmod(model, 10_000)
    letters = lexicon.words["series"][series].upper()
    return f"{letters[0]}{letters[2]}-{number}"


def item_rows(products: Products2, start: int, stop: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the items with public numbers `start` to `stop`, in the loader's schema."""
    for at in range(start, stop, CHUNK):
        yield from _chunk(products, np.arange(at, min(at + CHUNK, stop)))


def _chunk(products: Products2, public: IntArray) -> Iterator[dict[str, Any]]:
    lexicon, seed = products.lexicon, products.seed
    internal = products.internal(public)
    table = products.attributes(internal)
    claimed, wrong = products.claimed(internal, table)
    rows, columns = internal[:, None], np.arange(len(CATEGORIES))
    repeated = wrong & (unit(seed, "lie again", rows, columns) < 0.5)
    told = np.where(repeated, claimed, table)
    shares = np.array([_TITLE_SHARE.get(name, 0.0) for name in CATEGORIES])
    unsaid = np.array([_UNSAID.get(name, 0.5) for name in CATEGORIES])
    in_title = unit(seed, "in title", rows, columns) < shares
    below_it = ~in_title & (unit(seed, "below it", rows, columns) >= unsaid)
    names = [lexicon.departments[number].name for number in lexicon.entity_department[table[:, C["entity"]]].tolist()]
    arrives, leaves = products.days(internal)
    stuffing = _stuffing(products, internal, table)
    listed = zip(
        *(public.tolist(), table[:, C["brand"]].tolist(), names, claimed.tolist()),
        *(np.where(in_title, told, -1).tolist(), np.where(below_it, told, -1).tolist(), stuffing),
        *(products.prices(internal, table).tolist(), products.popularity(internal).tolist()),
        *(products.text_choice(internal).tolist(), arrives.tolist(), leaves.tolist()),
        strict=True,
    )
    for number, brand, name, said, title, text, stuffed, price, popularity, choice, arrived, left in listed:
        yield {
            "id": item_id(number),
            "title": (_title(_words(lexicon, title), choice) + stuffed).strip() or name.title(),
            "description": _description(_words(lexicon, text), choice),
            "attributes": _words(lexicon, said),
            "fields": {
                "department": name,
                "brand": lexicon.words["brand"][brand],
                "price": round(price, 2),
                "sale": choice % 7 == 0,
                "arrives": arrived,
                "leaves": left,
            },
            "popularity": popularity,
        }


def _words(lexicon: Lexicon2, numbers: list[int]) -> dict[str, str]:
    words = lexicon.words
    return {
        name: model_name(lexicon, value) if name == "model" else words[name][value]
        for name, value in zip(CATEGORIES, numbers, strict=True)
        if value >= 0
    }


def _title(said: dict[str, str], choice: int) -> str:
    title = " ".join(_titled(said[name]) for name in _ORDERS[choice % 4].split() if name in said)
    if "function" in said:
        title += ", " + _titled(said["function"])
    if "specifications" in said:
        title += ", " + said["specifications"]
    for name in ("audience", "scene"):
        if name in said:
            title += " for " + _titled(said[name])
    return title.removeprefix(", ").strip()


def _description(said: dict[str, str], choice: int) -> str:
    made = [forms[choice >> 3 & 1].format(said[name]) for name, forms in _SENTENCES.items() if name in said]
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in made)


def _stuffing(products: Products2, internal: IntArray, table: IntArray) -> list[str]:
    """Return what sellers add to titles: another kind of product of the department, another brand, another color."""
    lexicon, seed = products.lexicon, products.seed
    stuffed = (unit(seed, "stuffed", internal) < STUFFED).tolist()
    department = lexicon.entity_department[table[:, C["entity"]]]
    ends = np.searchsorted(lexicon.head_department, [department, department + 1])
    heads = (ends[0] + below(seed, "stuffed head", ends[1] - ends[0], internal)).tolist()
    brands = (department * lexicon.brands + below(seed, "stuffed brand", lexicon.brands, internal)).tolist()
    colors = below(seed, "stuffed color", len(lexicon.words["color"]), internal).tolist()
    forms = below(seed, "stuffed form", len(_STUFFINGS), internal).tolist()
    return [
        _STUFFINGS[form].format(
            head=lexicon.heads[head].word.title(),
            brand=lexicon.words["brand"][brand],
            color=lexicon.words["color"][color].title(),
        )
        if add
        else ""
        for add, form, head, brand, color in zip(stuffed, forms, heads, brands, colors, strict=True)
    ]


_STUFFINGS = (
    " Like {head} {color}",
    " - Fits {brand} {head}",
    " {color} {head} Alternative",
    " (Not {brand})",
    " Gift {head} Top Quality",
)


def _titled(text: str) -> str:
    return text.title() if text.islower() else text
