"""What a rule names and no item is: ids, and tests that nothing passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from slotbeam.bindings.spec import json_text
from slotbeam.catalog.item import Item
from slotbeam.indexing.live import LiveIndex
from slotbeam.search.artifact import Artifact
from slotbeam.suggestions.unmet import unmet
from support.live import make_rule
from support.shop import make_shop


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    items = [Item("a", "red mug", fields={"label": "Zenvia", "price": 5.0}), Item("b", "mug", fields={"label": "Øre"})]
    return make_shop(tmp_path_factory.mktemp("stocked"), 4, extra=items)


def warned(shop: Artifact, **said: object) -> list[str]:
    given = {name: json_text(value) if name not in ("hide", "positions") else value for name, value in said.items()}
    return unmet(shop, make_rule("mug", **given))


def test_a_rule_that_finds_what_it_names_is_not_warned_of(stocked: Artifact) -> None:
    tests = [{"test": {"label": ["Zenvia", "nobody"]}, "weight": 1}, {"test": {"price": {"lte": 5}}, "weight": 2}]
    assert warned(stocked, boost=tests, bury=tests, filter={"label": "Øre"}, hide=("a",), positions=("b",)) == []


def test_each_test_that_nothing_passes_is_told_with_what_may_have_been_meant(stocked: Artifact) -> None:
    assert warned(stocked, filter={"label": "zenvia"}) == [
        'filter: no item passes it now; no item has label "zenvia", did you mean "Zenvia"?'
    ]
    boost = [{"test": {"price": {"gte": 1e6}}, "weight": 1}, {"test": {"label": "Zenvja"}, "weight": 1}]
    assert warned(stocked, boost=boost, bury=[{"test": {"label": "qqqqq"}, "weight": 1}]) == [
        "boost.0: no item passes it now",
        'boost.1: no item passes it now; no item has label "Zenvja", did you mean "Zenvia"?',
        'bury.0: no item passes it now; no item has label "qqqqq"',
    ]
    both = {"label": "Øre", "price": 5.0}  # each of them is there, of another item
    assert warned(stocked, when=both, positions=("a",)) == ["when: no item passes it now"]


def test_ids_that_the_catalog_lacks_are_told(stocked: Artifact) -> None:
    assert warned(stocked, hide=("a", "O1"), positions=("x", "b", "y")) == [
        'positions: of 3 ids the catalog does not hold "x" and 1 more',
        'hide: of 2 ids the catalog does not hold "O1"',
    ]
    [said] = warned(stocked, hide=("a", "\u202e" * 500, "b"))
    assert len(said) < 500
    assert said.isprintable()


def test_live_items_count(tiny_artifact: Path) -> None:
    live = LiveIndex(Artifact.load(tiny_artifact))
    rule = make_rule("mug", boost=json_text([{"test": {"department": "kiosk"}, "weight": 1}]), hide=("new",))
    assert len(unmet(live.artifact, rule)) == 2
    live.apply({"new": Item("new", "red mug", fields={"department": "kiosk"})})
    assert unmet(live.artifact, rule) == []
    other = make_rule("mug", boost=json_text([{"test": {"department": "Toys"}, "weight": 1}]))
    assert unmet(live.artifact, other) == [
        'boost.0: no item passes it now; no item has department "Toys", did you mean "toys"?'
    ]
