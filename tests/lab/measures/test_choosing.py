"""A setting is chosen on other queries: against the same choice written out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slotbeam.catalog.item import Interaction
from slotbeam_lab.measures.choosing import Rival, answered, chosen_on_days, chosen_on_halves, half_of
from slotbeam_lab.measures.questions import Judged, Questions
from slotbeam_lab.measures.run import Asked, System


def found(good: set[str]) -> System:
    """A system that has the right item first for the queries of `good`, and last for all others."""

    def search(asked: Asked, k: int) -> Sequence[str]:
        wrong = [f"wrong {n}" for n in range(20)]
        return ([f"right {asked.query}", *wrong] if asked.query in good else [*wrong, f"right {asked.query}"])[:k]

    return search


QUERIES = [f"query {n}" for n in range(40)]
JUDGED = Questions((), {}, [Judged(query, {f"right {query}": 3}) for query in QUERIES], 0)
HALVES: tuple[set[str], set[str]] = (
    {query for query in QUERIES if not half_of(query)},
    {query for query in QUERIES if half_of(query)},
)


def test_both_halves_have_queries_and_a_query_is_in_one_however_it_is_typed() -> None:
    assert all(len(half) > 5 for half in HALVES)
    assert half_of("Red  MUG") == half_of("red mug")


def test_a_half_is_asked_with_what_is_best_on_the_other() -> None:
    choices = {"usual": found(set()), "good on 0": found(HALVES[0]), "good on 1": found(HALVES[1])}
    chosen = chosen_on_halves(choices, JUDGED)
    assert chosen.settings == ("good on 1", "good on 0"), "each is bad on the half that it was not chosen on"
    assert not any(chosen.search(Asked(query), 1) == [f"right {query}"] for query in QUERIES)
    share = len(HALVES[0]) / len(QUERIES)
    assert np.allclose(list(chosen.means.values()), [0, share, 1 - share], atol=1e-4)
    assert "half" in chosen.said


def test_a_judgement_never_decides_on_its_own_query() -> None:
    """Whatever the answers to a half are, the setting that it is asked with stays."""
    rng = np.random.default_rng(0)
    good = [set(rng.choice(QUERIES, 15, replace=False)) for _ in range(3)]
    first = chosen_on_halves({str(n): found(own) for n, own in enumerate(good)}, JUDGED)
    other = [own ^ HALVES[0] if n else own & HALVES[1] for n, own in enumerate(good)]
    assert (
        chosen_on_halves({str(n): found(own) for n, own in enumerate(other)}, JUDGED).settings[0] == first.settings[0]
    )


def test_among_equals_and_with_nothing_to_choose_on_the_usual_setting_is_taken() -> None:
    choices = {"usual": found(set()), "same": found(set())}
    assert chosen_on_halves(choices, JUDGED).settings == ("usual", "usual")
    one = Questions((), {}, [Judged("query 1", {"right query 1": 3})], 0)
    chosen = chosen_on_halves({"usual": found(set()), "better": found({"query 1"})}, one)
    own = half_of("query 1")
    assert chosen.settings[own] == "usual"
    assert chosen.settings[1 - own] == "better"
    assert chosen_on_days(choices, (), "click").said == "usual"


def click(query: str, day: int, kind: str = "click") -> Interaction:
    return Interaction(query, f"right {query}", kind, day, "u")


def test_training_days_decide_for_all_by_their_last_day() -> None:
    days = [click("query 1", 29), click("query 2", 29), click("query 3", 30), click("query 4", 30, "order")]
    choices = {"usual": found({"query 1", "query 2"}), "late": found({"query 3"}), "orders": found({"query 4"})}
    assert chosen_on_days(choices, days, "click").said == "late"
    assert chosen_on_days(choices, days, "order").said == "orders"


def test_each_kind_of_question_has_a_choice_of_its_own_and_closed_systems_have_none() -> None:
    days = [click("query 1", 30)]
    test = (click("query 7", 31), click("query 8", 31))
    questions = Questions(test, {"click": test}, JUDGED.judged, 0)
    rivals: dict[str, Rival] = {"plain": found(set()), "open": {"usual": found(set()), "one": found({"query 1"})}}
    tables, chosen = answered(rivals, questions, (1, 10), days)
    assert list(tables) == ["click", "judged"]
    assert {kind: list(own) for kind, own in chosen.items()} == {"click": ["open"], "judged": ["open"]}
    assert chosen["click"]["open"].said == "one"
    assert [list(table.values) for table in tables.values()] == [["plain", "open"]] * 2
    assert len(tables["judged"].values["open"]["nDCG@10"]) == len(QUERIES)
