"""Interventions on a small shop: the rounds are what they say, and the served system keeps its promise."""

from __future__ import annotations

import pytest

from slotbeam.catalog.item import Interaction
from slotbeam.errors import InputError
from slotbeam.eval.baselines.bm25 import Bm25
from slotbeam.eval.intervene import PaperMode, collateral, intervention_table, make_rounds, overlay_of
from slotbeam.search.artifact import Artifact
from support.shop import make_items, make_shop

N = 60


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"), N)


@pytest.fixture(scope="module")
def log() -> list[Interaction]:
    queries = ("red mug", "lamp", "acme chair for home", "blue usb c")
    return [Interaction(queries[i % 4], f"i{i:03d}", "click", 31, "u") for i in range(N)]


def test_rounds_fill_every_reserved_slot_once_with_one_unseen_word_each(shop: Artifact, log: list[Interaction]) -> None:
    rounds = make_rounds(shop, log, per_size=10, sizes=(1, 5, 20))
    assert [len(one) for one in rounds] == [12, 12, 6]
    words = [injection.word for one in rounds for injection in one]
    assert len(set(words)) == len(words) == 30
    assert not any(shop.kae.knows(word) for word in words)
    assert len({injection.slot for injection in rounds[0]}) == 12
    assert sorted(len(injection.rows) for one in rounds for injection in one) == [1] * 10 + [5] * 10 + [20] * 10


def test_the_test_query_is_the_logs_own_with_one_word_replaced(shop: Artifact, log: list[Interaction]) -> None:
    known = {one.query for one in log}
    for one in make_rounds(shop, log, per_size=12, sizes=(5,))[0]:
        assert one.target in one.rows
        tokens = one.query.split(" ")
        at = tokens.index(one.word)
        assert any(
            query.split(" ")[:at] == tokens[:at] and query.split(" ")[at + 1 :] == tokens[at + 1 :] for query in known
        )


def test_the_other_items_of_a_word_are_of_the_targets_department(shop: Artifact, log: list[Interaction]) -> None:
    department = shop.catalog.fields["department"].values
    for one in make_rounds(shop, log, per_size=12, sizes=(5,))[0]:
        assert len({int(department[row]) for row in one.rows}) == 1


def test_a_bound_word_always_brings_an_item_and_the_target_when_all_of_them_fit(
    shop: Artifact, log: list[Interaction]
) -> None:
    rounds = make_rounds(shop, log, per_size=8, sizes=(1, 5, 20))
    tables = intervention_table(shop, Bm25(make_items(N)), rounds, (10, 20))
    assert sorted(tables) == [1, 5, 20]
    for table in tables.values():
        served = table.means()["pinned"]
        assert served["IAR@10"] == served["IHR@20"] == 1.0
        assert set(table.values) == {"pinned", "unpinned", "BM25, same items"}


def test_paper_mode_finds_every_item_when_the_beam_holds_the_whole_trie(shop: Artifact, log: list[Interaction]) -> None:
    [injections] = make_rounds(shop, log, per_size=12, sizes=(5,))
    paper = PaperMode(shop, overlay_of(shop, injections))
    assert sorted(paper.search(injections[0].query, 1000)) == list(range(N))


def test_no_answer_without_a_bound_word_changes(shop: Artifact, log: list[Interaction]) -> None:
    [injections] = make_rounds(shop, log, per_size=12, sizes=(5,))
    asked, changed = collateral(shop, injections, ["red mug", "red mug", "lamp", injections[0].query], 10)
    assert (asked, changed) == (2, 0)


def test_bm25_orders_the_same_items_by_what_they_share_with_the_query() -> None:
    items = make_items(N)
    ids = [item.id for item in items[:20]]
    ordered = Bm25(items).order("red mug", ids)
    assert sorted(ordered) == sorted(ids)
    full = [item for item in Bm25(items).search("red mug", N) if item in ids]
    assert ordered[: len(full)] == full
    assert Bm25(items).order("zzz", ids) == ids


def test_a_log_of_another_catalog_is_refused(shop: Artifact) -> None:
    with pytest.raises(InputError, match="no row of the log leads to an item"):
        make_rounds(shop, [Interaction("mug", "nowhere", "click", 31, "u")], per_size=1)
