"""The oracle of world 2 finds what is wanted, and more of it when it knows the history."""

from __future__ import annotations

import numpy as np
import pytest

from slotbeam_lab.measures.oracle import Oracle, clicks_of, measure
from slotbeam_lab.world2.lexicon import C, Lexicon2
from slotbeam_lab.world2.options import World2Options
from slotbeam_lab.world2.products import Products2
from slotbeam_lab.world2.traffic import Traffic2
from slotbeam_lab.world2.typist import Typist2

SMALL = World2Options(items=5000, requests_per_item=3)


def test_the_oracle_finds_nearly_every_click_and_histories_help_it() -> None:
    values = measure(SMALL, 200)
    told = values["history"] > 0
    assert values["without HR@350"].mean() > 0.95
    assert values["with MRR@350"][told].mean() > values["without MRR@350"][told].mean()


def test_items_that_are_gone_or_lack_a_word_come_last_or_never() -> None:
    products = Products2(Lexicon2(SMALL.seed, SMALL.items))
    oracle = Oracle(products)
    for meant in list(clicks_of(Traffic2(products), Typist2(products.lexicon, 0.8), 3000))[:20]:
        ranked = oracle.rank(meant, meant.recent)
        assert oracle.there[ranked].all()
        said = np.flatnonzero(meant.said & (np.arange(18) != C["entity"]))
        fits = (products.attributes(ranked)[:, said] == meant.words[said]).all(axis=1)
        assert fits[: int(fits.sum())].all() or not meant.kind


def test_the_same_world_has_the_same_oracle() -> None:
    assert measure(SMALL, 20)["with MRR@350"].tolist() == pytest.approx(measure(SMALL, 20)["with MRR@350"].tolist())
