"""What an item sells that does not say so: items of like meaning tell."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from slotbeam.catalog.item import Item
from slotbeam.language.normalize import normalize
from slotbeam_train.lexicon import build_kae
from slotbeam_train.lexicon.heads import Reading, learn_pairs, word_counts
from slotbeam_train.lexicon.sold import NEAREST, POWER, votes

UNITS = np.random.default_rng(0).normal(size=(60, 8))
UNITS /= np.linalg.norm(UNITS, axis=1, keepdims=True)


def test_the_nearest_items_that_sell_one_entity_vote_by_their_cosine() -> None:
    sold = [None if row % 3 == 0 else row % 7 for row in range(60)]
    found = votes(UNITS, sold)
    assert sorted(found) == list(range(0, 60, 3))
    for row, shares in found.items():
        near = sorted((row for row in range(60) if row % 3), key=lambda other: -UNITS[row] @ UNITS[other])[:NEAREST]
        counted: Counter[int] = Counter()
        for other in near:
            counted[other % 7] += max(UNITS[row] @ UNITS[other], 1e-6) ** POWER
        assert shares == pytest.approx({entity: own / counted.total() for entity, own in counted.items()})


def test_an_item_that_the_teacher_did_not_read_neither_asks_nor_votes() -> None:
    vectors = UNITS[:4].copy()
    vectors[[0, 2]] = 0
    assert votes(vectors, [None, None, 5, 6]) == {1: pytest.approx({6: 1.0})}


def test_where_nothing_certainly_sells_one_entity_nobody_votes() -> None:
    assert votes(UNITS[:3], [None, None, None]) == {}


def shop() -> tuple[list[Item], np.ndarray]:
    """Mice and keyboards of two brands, a series without a noun for each, and what a teacher says of them."""
    items, vectors = [], []
    for number in range(12):
        for noun, series, axis in (("mouse", "fluxo", 0), ("keyboard", "norda", 1)):
            items.append(Item(f"{noun}{number}", f"acme {noun} {'black' if number % 2 else 'white'}"))
            items.append(Item(f"{series}{number}", f"zenco {series} {'black' if number % 2 else 'white'}"))
            vectors += [np.eye(3)[axis], np.eye(3)[axis]]
    return items, np.array(vectors, np.float32)


def test_a_series_that_no_title_names_a_noun_beside_means_what_items_of_like_meaning_sell() -> None:
    items, vectors = shop()
    plain, taught = build_kae(items), build_kae(items, vectors=vectors)
    for series, noun in (("fluxo", "mouse"), ("norda", "keyboard")):
        assert plain.encode(f"zenco {series}").chosen[0] is None
        chosen = taught.encode(normalize(f"Zenco {series}")).chosen[0]
        assert chosen is not None
        assert taught.dictionary[chosen.concept].word == noun


def test_of_two_nouns_in_a_title_the_one_that_items_of_like_meaning_sell_is_sold() -> None:
    """By word order alone it is the last, and what else a title says weighs less than that."""
    label, paper, removable, matt, glossy = range(5)
    sure = [Reading((label,), label, None, frozenset({removable, matt}))] * 40
    sure += [Reading((paper,), paper, None, frozenset({glossy}))] * 12
    both = Reading((label, paper), paper, None, frozenset({removable, matt}))
    for likely, head, other in (({}, paper, label), ({label: 1.0}, label, paper), ({paper: 1.0}, paper, label)):
        readings = [*sure, *[replace(both, likely=likely)] * 3]
        assert learn_pairs(readings, *word_counts(readings)) == [(head, other)]
