from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from slotbeam_train.stages.corpus import item_sids_of
from slotbeam_train.stages.pseudo import PseudoOptions, pseudo_queries
from support.shop import make_items, make_kae

KAE, ITEMS = make_kae(), make_items(80)
_, ENCODED = item_sids_of(KAE, ITEMS)


def made(**options: Any) -> list[tuple[str, list[int]]]:
    chosen = PseudoOptions(per_item=5, **options)
    return pseudo_queries(ITEMS, ENCODED, KAE, chosen, np.random.default_rng(3))


@pytest.mark.parametrize("plan", ["entity", "brand entity", "attribute entity", "brand"])
def test_every_target_carries_every_word_of_the_query(plan: str) -> None:
    queries = made(plans=((plan, 1.0),), typo=0.0)
    assert len(queries) > 100
    for text, rows in queries:
        wanted = KAE.encode(text).sid
        assert any(wanted)
        for row in rows:
            assert all(not code or code == own for code, own in zip(wanted, ENCODED[row].sid, strict=True))


def test_a_head_query_leads_to_many_items_and_more_often_to_popular_ones() -> None:
    rows: dict[str, list[int]] = defaultdict(list)
    for text, drawn in made(plans=(("entity", 1.0),), typo=0.0, popularity=2.0):
        rows[text] += drawn
    drawn = rows["mug"]
    holders = [row for row, one in enumerate(ENCODED) if one.sid[0] == KAE.encode("mug").sid[0]]
    assert set(drawn) == set(holders)
    mean = np.mean([ITEMS[row].popularity for row in drawn])
    assert mean > 1.1 * np.mean([ITEMS[row].popularity for row in holders])


def test_spans_come_from_the_title_and_keep_their_source_among_the_targets() -> None:
    for text, rows in made(plans=(("span", 1.0),), typo=0.0):
        assert any(text in ITEMS[row].title for row in rows[:1])


def test_the_same_seed_makes_the_same_queries() -> None:
    assert made() == made()


def test_no_items_and_no_wish_make_no_queries() -> None:
    rng = np.random.default_rng(0)
    assert pseudo_queries([], [], KAE, PseudoOptions(), rng) == []
    assert pseudo_queries(ITEMS, ENCODED, KAE, PseudoOptions(per_item=0), rng) == []
