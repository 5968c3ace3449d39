"""World 2: deterministic, honest, streaming, and hard where it says so."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import Stemmer

import slotbeam.kae
from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import load_catalog, load_log
from slotbeam.errors import InputError
from slotbeam_lab.world.invent import near
from slotbeam_lab.world2 import World2Options, generator_hash, make_world2
from slotbeam_lab.world2.lexicon import CATEGORIES, C, Lexicon2
from slotbeam_lab.world2.products import WRONG, Products2
from slotbeam_lab.world2.source import departments, synonyms
from slotbeam_lab.world2.texts import item_rows
from slotbeam_lab.world2.traffic import TASTES, Traffic2

SMALL = World2Options(items=1000, seed=7, requests_per_item=4)
GOLDEN = "c817704f0cb7f825e89ed3bf921b3c138a9f26c60b745b5c30258cb82158e7a1"
"""SHA-256 over the files of `SMALL`; it changes only when the generator does, and then docs/log.md gets a new entry."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world2")
    make_world2(out, SMALL)
    return out


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def said(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in re.findall(r"\w+", text.lower())}


def stems(text: str) -> frozenset[str]:
    return frozenset(Stemmer.Stemmer("english").stemWord(word) for word in re.findall(r"\w+", text.lower()))


def planted_words(world: Path) -> set[str]:
    return {row["word"] for row in rows(world / "planted.jsonl")}


def test_a_small_world_has_the_bytes_it_always_had(world: Path) -> None:
    digest = hashlib.sha256()
    for path in sorted(world.glob("*.jsonl")):
        digest.update(path.name.encode() + path.read_bytes())
    assert digest.hexdigest() == GOLDEN


def test_the_same_seed_gives_the_same_world_and_another_seed_another(world: Path, tmp_path: Path) -> None:
    again = make_world2(tmp_path / "again", SMALL)
    other = make_world2(tmp_path / "other", World2Options(items=1000, seed=8, requests_per_item=4))
    facts = json.loads((world / "world.json").read_text())
    assert again["files"] == facts["files"]
    assert not set(other["files"].values()) & set(facts["files"].values())


def test_world_json_names_the_generator_the_parameters_and_every_file(world: Path) -> None:
    facts = json.loads((world / "world.json").read_text())
    assert facts["generator"] == generator_hash()
    assert (facts["version"], facts["parameters"]["seed"]) == (2, 7)
    assert set(facts["files"]) == {path.name for path in world.glob("*.jsonl")}
    assert set(facts["planted_words"]) == planted_words(world)


def test_items_load_and_have_plausible_parts(world: Path) -> None:
    items = list(load_catalog(world))
    assert all(isinstance(item, Item) for item in items)
    assert len({item.id for item in items}) == 1000
    assert len({item.fields["department"] for item in items}) == len(departments())
    assert all(2 <= len(item.title) <= 200 and isinstance(item.fields["price"], float) for item in items)
    assert {category for item in items for category in item.attributes} == set(CATEGORIES) - {"location", "anchor"}


def test_the_log_has_days_1_to_30_in_order_and_the_test_has_day_31(world: Path) -> None:
    days = [one.day for one in load_log(world)]
    assert days == sorted(days)
    assert set(days) == set(range(1, 31))
    assert {one.day for one in load_log(world / "test.jsonl")} == {31}


def test_interactions_name_items_that_are_there_and_histories_name_earlier_ones(world: Path) -> None:
    items = {item.id: item.fields for item in load_catalog(world)}
    past: dict[str, list[Interaction]] = {}
    for one in [*load_log(world), *load_log(world / "test.jsonl")]:
        earlier = past.setdefault(one.user, [])
        assert float(items[one.item_id]["arrives"]) <= one.day < float(items[one.item_id]["leaves"])
        assert set(one.recent_item_ids) <= {before.item_id for before in earlier}
        assert 1 <= one.position <= 12
        earlier.append(one)
    assert sum(bool(one.recent_item_ids) for many in past.values() for one in many) > 1000


def test_items_arrive_and_leave_and_are_chosen_only_between() -> None:
    products = Products2(Lexicon2(1, 50_000))
    arrives, leaves = products.days(np.arange(50_000))
    assert 0.04 < np.mean(arrives > 0) < 0.09
    assert 0.04 < np.mean(leaves < 32) < 0.08
    made = Traffic2(products).block(0)
    row, place = np.nonzero(made.chosen)
    chosen, day = made.shown[row, place], made.day[row]
    assert ((arrives[chosen] <= day) & (day < leaves[chosen])).all()
    assert ((arrives[chosen] > 0) | (leaves[chosen] < 32)).any()


def test_planted_words_are_in_no_text_and_in_no_log_and_near_no_other_word(world: Path) -> None:
    words, items = planted_words(world), list(load_catalog(world))
    texts = [f"{item.title} {item.description}" for item in items]
    texts += [word for item in items for listed in item.attributes.values() for word in listed]
    for name in ("log.jsonl", "test.jsonl"):
        texts += [one.query for one in load_log(world / name)]
    assert not words & said(texts)
    assert not [(one, other) for one in words for other in Lexicon2(7, 1000).spoken() if near(one, other)]
    assert not [pair for pair in combinations(sorted(words), 2) if near(*pair)]


def test_planted_rows_say_what_a_bind_needs(world: Path) -> None:
    planted = rows(world / "planted.jsonl")
    assert {len(row["item_ids"]) for row in planted} == {1, 5, 10}
    listed = [item for row in planted for item in row["item_ids"]]
    assert len(listed) == len(set(listed))
    assert set(listed) <= {item.id for item in load_catalog(world)}
    for row in planted:
        assert row["queries"][0] == row["word"]
        assert all(row["word"] in query.split() for query in row["queries"])


def test_late_texts_hold_the_words_marked_in_text_and_no_others(world: Path) -> None:
    late = {item.id: item for item in load_catalog(world, late=True)}
    early = {item.id: item for item in load_catalog(world)}
    for row in rows(world / "planted.jsonl"):
        assert all((row["word"] in said([late[item].description])) is row["in_text"] for item in row["item_ids"])
    changed = {item for item in early if early[item] != late[item]}
    assert changed == {item for row in rows(world / "planted.jsonl") if row["in_text"] for item in row["item_ids"]}


def test_the_last_day_has_searches_for_planted_words_a_campaign_and_crawlers(world: Path) -> None:
    of = {row["word"]: set(row["item_ids"]) for row in rows(world / "planted.jsonl")}
    trend = list(load_log(world / "trend.jsonl"))
    for one in trend:
        found = of.keys() & set(one.query.split())
        assert (len(found) == 1 and one.item_id in of[found.pop()]) if one.user[0] == "t" else not found
    crawled = {(one.user, one.query) for one in trend if one.user[0] == "b"}
    assert {one.user[0] for one in trend} == {"t", "b", "c"}
    assert len(crawled) == 5


def test_at_gap_zero_users_type_only_words_of_the_catalog(tmp_path: Path) -> None:
    make_world2(tmp_path, World2Options(items=1000, seed=7, requests_per_item=1, vocabulary_gap=0))
    lexicon = Lexicon2(7, 1000)
    written = said([*(word for listed in lexicon.words.values() for word in listed), *(h.word for h in lexicon.heads)])
    typed = said(one.query for one in load_log(tmp_path))
    assert not {word for word in typed - written if not re.fullmatch(r"[a-z]{2}|\d{4}", word)}


def test_the_gap_changes_what_is_typed_and_not_what_is_wanted(tmp_path: Path) -> None:
    for name, gap in (("none", 0.0), ("full", 1.0)):
        make_world2(tmp_path / name, World2Options(items=1000, seed=7, requests_per_item=1, vocabulary_gap=gap))
    assert (tmp_path / "none/items.jsonl").read_bytes() == (tmp_path / "full/items.jsonl").read_bytes()
    none, full = (list(load_log(tmp_path / name)) for name in ("none", "full"))
    assert [one.item_id for one in none] == [one.item_id for one in full]
    assert sum(a.query == b.query for a, b in zip(none, full, strict=True)) < 0.2 * len(none)


def test_families_differ_in_what_is_searched_and_models_in_one_digit() -> None:
    products = Products2(Lexicon2(1, 50_000))
    numbers = np.arange(50_000)
    family, table = products.family(numbers), products.attributes(numbers)
    pairs = np.flatnonzero((family[1:] == family[:-1]) & (table[1:, C["model"]] >= 0))
    assert len(pairs) > 10_000
    one, other = table[pairs], table[pairs + 1]
    assert (one[:, C["brand"]] == other[:, C["brand"]]).all()
    assert set((other[:, C["model"]] - one[:, C["model"]]).tolist()) == {1}
    assert np.mean(one[:, C["color"]] != other[:, C["color"]]) > 0.8


def test_sellers_leave_out_and_get_wrong_what_they_should() -> None:
    products = Products2(Lexicon2(1, 50_000))
    numbers = np.arange(20_000)
    table = products.attributes(numbers)
    claimed, wrong = products.claimed(numbers, table)
    color = table[:, C["color"]] >= 0
    assert np.mean(wrong[color, C["color"]]) == pytest.approx(WRONG * 0.78, abs=0.01)
    assert (claimed[wrong] != table[wrong]).mean() > 0.95
    assert np.mean(claimed[table >= 0] < 0) == pytest.approx(0.25, abs=0.05)


def test_a_head_may_mean_different_things_in_different_departments() -> None:
    words = [head.word for one in departments() for head in one.heads]
    assert len(words) >= 150
    assert len({word for word in words if words.count(word) > 1}) >= 20


def test_users_keep_what_they_like() -> None:
    products = Products2(Lexicon2(3, 100_000))
    made = Traffic2(products).block(0)
    department = products.lexicon.entity_department[made.words[:, C["entity"]]]
    near_ones = (made.user[1:] == made.user[:-1]) & (department[1:] == department[:-1])
    far = (made.user[50:] != made.user[:-50]) & (department[50:] == department[:-50])
    for name in TASTES:
        values = made.words[:, C[name]]
        kept = np.mean((values[1:] == values[:-1])[near_ones & (values[1:] >= 0)])
        chance = np.mean((values[50:] == values[:-50])[far & (values[50:] >= 0)])
        assert kept > 1.25 * chance, name


def test_any_part_of_a_catalog_can_be_made_alone() -> None:
    products = Products2(Lexicon2(1, 50_000))
    whole = list(item_rows(products, 0, 20_000))
    assert list(item_rows(products, 9_990, 10_010)) == whole[9_990:10_010]


def test_public_numbers_are_a_permutation_of_internal_ones() -> None:
    products = Products2(Lexicon2(1, 1001))
    public = np.arange(1001)
    assert sorted(products.internal(public).tolist()) == public.tolist()
    assert (products.public(products.internal(public)) == public).all()


@pytest.mark.parametrize(("name", "value"), [("items", 10), ("vocabulary_gap", 1.5), ("seed", -1), ("planted", 5000)])
def test_a_parameter_out_of_range_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"{name} is .*allowed"):
        World2Options(**{name: value})


def test_no_synonym_shares_a_stem_with_its_word_and_none_is_a_pair_of_the_shipped_seed_lists() -> None:
    groups = [(head.word, *head.synonyms, *head.foreign) for one in departments() for head in one.heads]
    uses = [(head.word, head.use) for one in departments() for head in one.heads]
    others = [(word, *own) for listed in synonyms().values() for word, own in listed.items()]
    for word, *own in groups + uses + others:
        assert not [text for text in own if stems(text) & stems(word)], word
    shipped = set()
    for path in (Path(slotbeam.kae.__file__).parent / "seeds").glob("*.en.json"):
        for listed in json.loads(path.read_text("utf-8")).values():
            for line in listed:
                shipped |= {
                    frozenset(pair) for pair in combinations(sorted(map(stems, line.split("|")), key=sorted), 2)
                }
    assert len(shipped) > 100
    pairs = {frozenset(map(stems, pair)) for group in groups + uses + others for pair in combinations(group, 2)}
    assert len(pairs) > 1000
    assert not {pair for pair in pairs & shipped if len(pair) == 2}
