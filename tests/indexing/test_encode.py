"""What a model says of an item, read once: the same as by the long way, part by part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbeam.catalog.columns import NUMBERS, TEXTS
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import item_text
from slotbeam.catalog.terms import term_hash
from slotbeam.indexing.encode import ItemEncoder
from slotbeam.kae.absorbed import Carried
from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.encode import Encoded, Kae
from slotbeam.language.fold import PLAIN
from slotbeam.language.normalize import normalize
from slotbeam.language.tokens import codes
from slotbeam.model.itemvectors import MAX_ITEM_TEXT, bag_of
from slotbeam.model.tokenizer import MAX_CHARACTERS, MAX_TEXT, InputBuilder
from slotbeam.types import Slot
from support.shop import BRANDS, COLORS, ENTITIES, make_items, make_kae
from support.tiny import MAX_TOKENS, tiny_vectors

KAE = make_kae()
INPUTS = InputBuilder.train([item.title for item in make_items(200)], 300, KAE.codebook.sizes, MAX_TOKENS)
ENCODER = ItemEncoder(KAE, INPUTS, tiny_vectors(INPUTS), {"carrier": [Carried("acme", 5, Slot(1, 1))]})

words = st.sampled_from(
    [*ENTITIES, *BRANDS, *COLORS, "for", "with", ",", "1.8", "™", "Men’s", "拉布布", "é", "'s", "mug's", "  "]
)
texts = st.lists(words, max_size=9).map(" ".join)
items = st.builds(
    Item,
    id=st.sampled_from(["a", "carrier"]),
    title=texts,
    description=texts,
    attributes=st.dictionaries(st.sampled_from(CATEGORIES), st.lists(texts, max_size=3).map(tuple), max_size=4),
)


def encoded_part_by_part(kae: Kae, item: Item) -> Encoded:
    """The long way: no part is remembered."""
    parts = [normalize(item.title)]
    candidates = kae.candidates(parts[0], kae.matcher.find(parts[0]))
    offset = len(parts[0]) + 3
    for category in CATEGORIES:
        for value in item.attributes.get(category, ()):
            if text := normalize(value):
                candidates += kae.candidates(text, kae.matcher.find(text), offset, typed=category)
                parts.append(text)
                offset += len(text) + 3
    if text := normalize(item.description):
        candidates += kae.candidates(text, kae.matcher.find(text), offset, segment=1)
        parts.append(text)
    return kae._finish(" | ".join(parts), candidates)


@settings(max_examples=300)
@given(items)
def test_an_item_is_encoded_as_part_by_part(item: Item) -> None:
    encoded = encoded_part_by_part(KAE, item)
    assert KAE.encode_item(item) == encoded
    assert KAE.encode_items([item, item]) == [encoded, encoded]
    reading = ENCODER.read(item)
    named = {match.concept for match in (*encoded.matches, *encoded.chosen) if match}
    sid = encoded.sid
    if item.id == "carrier":
        sid, named = (sid[0], 1, *sid[2:]), {*named, 5}
    assert reading.sid == sid
    assert reading.text == item_text(item)
    concepts = [f"concept {concept}" for concept in named]
    parts = normalize(item.title), *item_text(item).split("\n")
    terms = [term for part in parts for term in (*(KAE.folding or PLAIN).terms(part), *codes(part))]
    assert sorted(reading.terms) == sorted(map(term_hash, [*terms, *concepts]))
    values = " ".join(filter(None, (normalize(v) for own in item.attributes.values() for v in own)))
    ids = [*INPUTS.text_ids(normalize(item.title)), *INPUTS.text_ids(values, MAX_ITEM_TEXT)]
    assert reading.bag == bag_of(INPUTS.sid_ids(reading.sid), ids)


@settings(max_examples=300)
@given(st.one_of(texts, st.text(max_size=60), st.text(alphabet="ab '.", max_size=2 * MAX_CHARACTERS)))
def test_the_ids_of_a_text_are_those_of_its_words(text: str) -> None:
    canonical = normalize("".join(c for c in text if not 0xD800 <= ord(c) < 0xE000))
    for limit in (1, MAX_TEXT, MAX_ITEM_TEXT):
        assert ENCODER._ids(canonical, limit) == INPUTS.text_ids(canonical, limit)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_block_holds_what_its_items_hold_alone(size: int) -> None:
    catalog = [(item, b'{"id": "%b"}' % item.id.encode()) for item in make_items(64)]

    def columns(block: Sequence[tuple[Item, bytes]]) -> list[object]:
        made = ENCODER.columns(block)
        texts = (list(map(bytes, getattr(made, name).encoded(range(len(block))))) for name in TEXTS)
        numbers = (getattr(made, name).tolist() for name in NUMBERS)
        return list(zip(*texts, *numbers, strict=True))

    whole = columns(catalog)
    assert [row for start in range(0, 64, size) for row in columns(catalog[start : start + size])] == whole
    assert np.array(ENCODER.columns([]).sids).shape == (0, len(KAE.codebook))
