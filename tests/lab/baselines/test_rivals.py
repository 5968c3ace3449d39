"""The rivals: aliases, pin rules, behaviour and fusion do what their users would expect of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("bm25s")

from slotbeam.catalog.item import Interaction, Item
from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.codebook import Codebook
from slotbeam.kae.dictionary import Concept, Dictionary
from slotbeam.kae.encode import Kae
from slotbeam.kae.importance import Importance
from slotbeam_lab.baselines.bm25 import Aliases, Bm25, PinRules
from slotbeam_lab.baselines.fused import RRF_K, Behaviour, fuse, fused_system
from slotbeam_lab.measures.run import Asked


@pytest.fixture(scope="module")
def kae() -> Kae:
    dictionary = Dictionary([Concept("sofa", "entity", ("couch", "two seater")), Concept("lamp", "entity")])
    groups = (("entity",), tuple(c for c in CATEGORIES if c != "entity"))
    book = Codebook(groups, (0, 0), (2, 0), (1, 1), np.array([1, 2], np.int32), dictionary)
    return Kae(dictionary, book, Importance(np.ones(2, np.float32), np.empty((0, 2), np.int32), np.full(2, -1)))


ITEMS = [
    Item("1", "Red Couch"),
    Item("2", "Two-Seater, grey: a two seater"),
    Item("3", "Floor lamp"),
    Item("4", "Sofa lamp set"),
    Item("5", "Grey rug"),
]


def test_an_alias_finds_an_item_that_only_a_synonym_reaches(kae: Kae) -> None:
    plain, aliased = Bm25(ITEMS), Bm25(ITEMS, rewrite=Aliases(kae))
    assert plain.search("sofa", 10) == ["4"]
    assert set(aliased.search("sofa", 10)) == {"1", "2", "4"}
    assert set(aliased.search("COUCH", 10)) == {"1", "2", "4"}


def test_an_alias_leaves_the_words_themselves_in_place(kae: Kae) -> None:
    aliased = Bm25(ITEMS, rewrite=Aliases(kae))
    assert aliased.search("rug", 10) == Bm25(ITEMS).search("rug", 10) == ["5"]
    assert aliased.search("couch", 10)[0] == "1", "the item that says the user's own word comes first"


def test_two_concepts_never_share_a_term() -> None:
    words = Bm25(ITEMS).words(" ".join(f"concept{n}" for n in range(3000)))
    assert len(set(words)) == 3000


def test_a_pin_rule_puts_the_words_items_first_ordered_by_bm25_and_then_the_rest() -> None:
    index = Bm25(ITEMS)
    rules = PinRules(index, {"zoofle": ["5", "4", "3"], "Bargain Bin": ["2"]})
    assert rules.search("zoofle lamp", 10) == ["3", "4", "5"]
    assert rules.search("zoofle grey", 10) == ["5", "4", "3", "2"]
    assert rules.search("bargain bin lamp", 10) == ["2", "3", "4"]
    assert rules.search("lamp", 10) == index.search("lamp", 10)
    assert rules.search("zoofles lamp", 10) == index.search("lamp", 10), "a bound word is a whole word"
    assert rules.search("zoofle lamp", 2) == ["3", "4"]


def test_two_pin_rules_in_one_query_pin_the_items_of_both() -> None:
    rules = PinRules(Bm25(ITEMS), {"zoofle": ["5"], "wib": ["1", "5"]})
    assert set(rules.search("zoofle wib lamp", 2)) == {"1", "5"}


def test_behaviour_prefers_orders_then_falls_back_to_queries_that_share_words() -> None:
    log = [
        Interaction("Grey rug", "1", "click", 1, "u"),
        Interaction("grey  rug", "1", "click", 1, "u"),
        Interaction("grey rug", "5", "order", 2, "u"),
        Interaction("grey curtain", "2", "click", 2, "u"),
        Interaction("grey rug", "gone", "order", 2, "u"),
    ]
    branch = Behaviour(log, [item.id for item in ITEMS])
    assert branch.search("GREY rug", 10) == ["5", "1", "2"]
    assert branch.search("curtain", 10) == ["2"]
    assert branch.search("unheard of", 10) == []
    assert Behaviour([], ["1"]).search("rug", 10) == []


def test_fusion_is_the_sum_of_reciprocal_ranks() -> None:
    rankings = [["a", "b", "c"], ["c", "a"], ["d", "c"]]
    score = {
        "a": Fraction(1, RRF_K + 1) + Fraction(1, RRF_K + 2),
        "b": Fraction(1, RRF_K + 2),
        "c": Fraction(1, RRF_K + 3) + Fraction(1, RRF_K + 1) + Fraction(1, RRF_K + 2),
        "d": Fraction(1, RRF_K + 1),
    }
    assert fuse(rankings, 4) == sorted(score, key=lambda item: -score[item]) == ["c", "a", "d", "b"]
    assert fuse(rankings, 2) == ["c", "a"]
    assert fuse([["x"], ["y"]], 2) == ["x", "y"], "equal scores keep the order of the branches"
    assert fuse([[], []], 2) == []


def test_every_branch_is_asked_with_the_history() -> None:
    seen: list[Asked] = []

    def branch(asked: Asked, k: int) -> list[str]:
        seen.append(asked)
        return ["a", "b"][:k]

    asked = Asked("q", ("before",), ("i",))
    assert fused_system([branch, branch])(asked, 2) == ["a", "b"]
    assert seen == [asked, asked]
