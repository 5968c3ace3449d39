"""Interventions on a small shop: the rounds are what they say, and the served system keeps its promise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from slotbeam.catalog.item import Interaction
from slotbeam.errors import InputError
from slotbeam.search.artifact import Artifact
from slotbeam.types import IntArray, Slot
from slotbeam_lab.baselines.bm25 import Bm25
from slotbeam_lab.baselines.registry import Built
from slotbeam_lab.interventions.editable import (
    AHEAD,
    ALIAS_PIN_RULE,
    FREE,
    IN_TEXT,
    PIN_RULE,
    PINNED,
    SAME_ITEMS,
    UNPINNED,
    Forged,
    Rewritten,
    closed_system,
    standard_systems,
)
from slotbeam_lab.interventions.injections import Injection, make_rounds, overlay_of
from slotbeam_lab.interventions.intervene import (
    ORDER,
    ORDER_GRADED,
    ask_rounds,
    collateral,
    collateral_queries,
    position_facts,
    score,
    tables_by,
)
from slotbeam_lab.interventions.papermode import PaperMode
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


def test_interventions_are_a_function_of_the_seed(shop: Artifact, log: list[Interaction]) -> None:
    rounds = make_rounds(shop, log, per_size=6, sizes=(1, 20), seed=3)
    assert rounds == make_rounds(shop, log, per_size=6, sizes=(1, 20), seed=3)
    assert rounds != make_rounds(shop, log, per_size=6, sizes=(1, 20), seed=4)
    systems = standard_systems(shop, make_items(N))
    assert ask_rounds(systems, rounds, (10,)) == ask_rounds(standard_systems(shop, make_items(N)), rounds, (10,))


def test_what_the_logs_users_took_after_the_original_query_is_known(shop: Artifact, log: list[Interaction]) -> None:
    took: dict[str, set[str]] = {}
    for one in log:
        took.setdefault(one.query, set()).add(one.item_id)
    for injection in make_rounds(shop, log, per_size=12, sizes=(20,))[0]:
        assert set(injection.chosen) == took[injection.original] & set(injection.item_ids)
        assert injection.target_id in injection.chosen


def _injection(items: Sequence[str], target: str, chosen: Sequence[str]) -> Injection:
    return Injection("w", Slot(0, 1), (0,), 0, "w mug", "red mug", tuple(items), target, tuple(chosen))


def test_the_order_inside_the_bound_set_is_brute_force_ndcg() -> None:
    rng = np.random.default_rng(0)
    names = [f"i{n}" for n in range(40)]
    for _ in range(20):
        bound = rng.choice(names, 25, replace=False).tolist()
        ranked = rng.permutation(names)[: int(rng.integers(5, 40))].tolist()
        chosen = bound[: int(rng.integers(1, 5))]
        values = score(_injection(bound, chosen[0], chosen), ranked, (10,))
        places = [item for item in ranked if item in bound].index
        inside = [item for item in ranked if item in bound][:10]
        gained = sum(1 / math.log2(places(item) + 2) for item in chosen if item in inside)
        assert values[ORDER_GRADED] == pytest.approx(gained / sum(1 / math.log2(r + 2) for r in range(len(chosen))))
        assert values[ORDER] == pytest.approx(1 / math.log2(places(chosen[0]) + 2) if chosen[0] in inside else 0.0)
        assert values["IHR@10"] == (chosen[0] in ranked[:10])
        assert values["IAR@10"] == bool(set(bound) & set(ranked[:10]))


def test_every_system_is_asked_every_query_and_the_promises_hold(shop: Artifact, log: list[Interaction]) -> None:
    rounds = make_rounds(shop, log, per_size=8, sizes=(1, 5, 20))
    outcomes = ask_rounds(standard_systems(shop, make_items(N)), rounds, (10, N))
    tables = tables_by(outcomes, lambda one: len(one.rows))
    assert set(tables) == {1, 5, 20}
    for table in tables.values():
        means = table.means()
        assert set(means) == {PINNED, UNPINNED, AHEAD, FREE, PIN_RULE, ALIAS_PIN_RULE, SAME_ITEMS, IN_TEXT}
        for promised in (PINNED, PIN_RULE, ALIAS_PIN_RULE, SAME_ITEMS, IN_TEXT):
            assert means[promised]["IAR@10"] == means[promised][f"IHR@{N}"] == 1.0
        assert means[FREE][f"IHR@{N}"] <= means[UNPINNED][f"IHR@{N}"]
        assert all(len(values) == 8 for values in table.values[PINNED].values())
    ratio = tables[20].ratios([(PINNED, PIN_RULE)])[PINNED, PIN_RULE]
    assert ratio[ORDER][1] <= ratio[ORDER][0] <= ratio[ORDER][2]
    facts = position_facts(shop, outcomes)
    assert sum(group["words"] for group in facts.values()) == 24
    assert list(facts) == [shop.kae.codebook.group_name(position) for position in range(3)]


def test_a_word_written_into_the_texts_is_what_a_new_index_would_find(shop: Artifact, log: list[Interaction]) -> None:
    items = make_items(N)
    [injections] = make_rounds(shop, log, per_size=6, sizes=(1, 5))
    system = Rewritten(items)
    system.bind(injections)
    words = {item.id: [one.word for one in injections if item.id in one.item_ids] for item in items}
    fresh = Bm25([replace(item, description=" ".join([item.description, *words[item.id]])) for item in items])
    for one in injections:
        assert system.search(one.query, 20) == fresh.search(one.query, 20)
        assert set(system.search(one.word, N)) == set(one.item_ids)
    system.bind([])
    assert system.search(injections[0].word, N) == [], "a round is forgotten"


def test_a_closed_codebook_moves_a_bound_item_to_the_codes_of_its_new_text(
    shop: Artifact, log: list[Interaction]
) -> None:
    [injections] = make_rounds(shop, log, per_size=3, sizes=(1,))
    forged: list[str] = []

    def forge(texts: Sequence[str]) -> IntArray:
        forged.extend(texts)
        return np.tile(shop.catalog.sids[0].astype(np.int64), (len(texts), 1))

    by_logp = replace(shop.options, weight_logp=1.0, weight_prior=0.0, weight_vector=0.0, weight_lexical=0.0)
    system = Forged(replace(shop, options=by_logp), forge)
    system.bind(injections)
    for one in injections:
        assert f"{shop.catalog.texts[one.target]} {one.word}" in forged
    answer = system.search("red mug", 1000)
    assert sorted(answer) == sorted(shop.catalog.ids[row] for row in range(N)), "nothing is there twice"
    with_sid = [shop.catalog.ids[row] for row in range(N) if (shop.catalog.sids[row] == shop.catalog.sids[0]).all()]
    together = {answer.index(item) for item in {*with_sid, *(one.target_id for one in injections)}}
    assert max(together) - min(together) == len(together) - 1, "equal codes stand together"


def test_collateral_stops_when_it_has_asked_enough(shop: Artifact, log: list[Interaction]) -> None:
    [injections] = make_rounds(shop, log, per_size=12, sizes=(5,))
    queries = iter(["red mug", "RED  mug", injections[0].query, "lamp", "chair", "rug"])
    assert collateral(shop, injections, queries, 10, wanted=3) == (3, 0)
    assert list(queries) == ["rug"]


def test_queries_for_the_collateral_are_the_test_days_then_the_logs_latest() -> None:
    def row(query: str, day: int) -> Interaction:
        return Interaction(query, "i", "click", day, "u")

    log = [row("old", 1), row("again", 1), row("mid", 2), row("again", 3), row("new", 3)]
    assert list(collateral_queries([row("test", 31)], log, 3)) == ["test", "new", "again", "mid"]


def test_a_closed_codebook_of_the_registry_is_forged_by_its_own_quantiser(
    shop: Artifact, log: list[Interaction], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from slotbeam_lab.baselines import closed

    asked: list[Built] = []

    def forge(made: Built, texts: Sequence[str]) -> IntArray:
        asked.append(made)
        return np.ones((len(texts), 3), np.int64)

    monkeypatch.setattr(closed, "forge", forge)
    built = Built(lambda asked, k: [], shop)
    [injections] = make_rounds(shop, log, per_size=4, sizes=(1, 5))
    outcomes = ask_rounds({"closed": closed_system(built)}, [injections], (10, N))
    assert set(map(id, asked)) == {id(built)}
    assert tables_by(outcomes, lambda one: 0)[0].means()["closed"][f"IHR@{N}"] == 1.0, "the beam holds every item"
    with pytest.raises(ValueError, match="comes with its artifact"):
        closed_system(Built(built.search))
