"""The synthetic world: deterministic, honest, streaming."""

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

import slotbeam.kae
from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import load_catalog, load_log
from slotbeam.errors import InputError
from slotbeam_lab.world import WorldOptions, generator_hash, make_world, portable
from slotbeam_lab.world.attributes import Products
from slotbeam_lab.world.invent import near
from slotbeam_lab.world.lexicon import CATEGORIES, Lexicon
from slotbeam_lab.world.texts import item_rows
from slotbeam_lab.world.traffic import Traffic

SMALL = WorldOptions(items=1000, seed=7, requests_per_item=4)
GOLDEN = "673b004175671b1d04e9a792d9212aff303a54175e887c406f2e5bf6cb724dbc"
"""SHA-256 over the files of `SMALL`; it changes only when the generator does, and then docs/log.md gets a new entry."""

PORTABLE = "a8a11791e4bc9eba1c3f290d10f770d063d973c7a71b6454b2d40803d6438a18"
"""SHA-256 over the bits of `portable` for 40 000 numbers."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world")
    make_world(out, SMALL)
    return out


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def said(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in re.findall(r"\w+", text.lower())}


def planted_words(world: Path) -> set[str]:
    return {row["word"] for row in rows(world / "planted.jsonl")}


def test_a_small_world_has_the_bytes_it_always_had(world: Path) -> None:
    digest = hashlib.sha256()
    for path in sorted(world.glob("*.jsonl")):
        digest.update(path.name.encode() + path.read_bytes())
    assert digest.hexdigest() == GOLDEN


def test_exp_log_and_powers_are_exact_to_some_last_places_and_the_same_bits_on_every_processor() -> None:
    steps = np.arange(1, 40_001) / 64.0
    made = [portable.log(steps), portable.exp(steps - 300.0), portable.power(steps, 0.25), portable.power(steps, -0.7)]
    wanted = [np.log(steps), np.exp(steps - 300.0), steps**0.25, steps**-0.7]
    assert all(one == pytest.approx(other, rel=4e-15, abs=4e-16) for one, other in zip(made, wanted, strict=True))
    assert hashlib.sha256(np.concatenate(made).tobytes()).hexdigest() == PORTABLE


def test_the_same_seed_gives_the_same_world_and_another_seed_another(world: Path, tmp_path: Path) -> None:
    again = make_world(tmp_path / "again", SMALL)
    other = make_world(tmp_path / "other", WorldOptions(items=1000, seed=8, requests_per_item=4))
    facts = json.loads((world / "world.json").read_text())
    assert again["files"] == facts["files"]
    assert not set(other["files"].values()) & set(facts["files"].values())


def test_world_json_names_the_generator_the_parameters_and_every_file(world: Path) -> None:
    facts = json.loads((world / "world.json").read_text())
    assert facts["generator"] == generator_hash()
    assert facts["parameters"]["seed"] == 7
    assert facts["parameters"]["vocabulary_gap"] == SMALL.vocabulary_gap
    assert set(facts["files"]) == {path.name for path in world.glob("*.jsonl")}
    assert set(facts["planted_words"]) == planted_words(world)


def test_items_load_and_have_plausible_parts(world: Path) -> None:
    items = list(load_catalog(world))
    assert len({item.id for item in items}) == 1000
    assert len({item.fields["department"] for item in items}) == 20
    for item in items:
        assert item.title[0].isupper() or item.title[0].isdigit()
        assert 4 <= len(item.title) <= 160
        assert {"entity", "brand"} <= set(item.attributes)
        assert isinstance(item.fields["price"], float)
        assert isinstance(item.fields["sale"], bool)
    assert {category for item in items for category in item.attributes} == set(CATEGORIES)


def test_every_word_of_an_item_stands_in_its_title_or_description(world: Path) -> None:
    for item in load_catalog(world):
        text = f"{item.title} {item.description}".lower()
        assert all(word.lower() in text for words in item.attributes.values() for word in words), item


def test_the_log_has_days_1_to_30_in_order_and_the_test_has_day_31(world: Path) -> None:
    days = [one.day for one in load_log(world)]
    assert days == sorted(days)
    assert set(days) == set(range(1, 31))
    assert {one.day for one in load_log(world / "test.jsonl")} == {31}


def test_interactions_name_items_of_the_catalog_and_histories_name_earlier_ones(world: Path) -> None:
    ids = {item.id for item in load_catalog(world)}
    past: dict[str, list[Interaction]] = {}
    for one in [*load_log(world), *load_log(world / "test.jsonl")]:
        earlier = past.setdefault(one.user, [])
        assert one.item_id in ids
        assert set(one.recent_item_ids) <= {before.item_id for before in earlier}
        assert 1 <= one.position <= 12
        earlier.append(one)
    assert sum(bool(one.recent_item_ids) for many in past.values() for one in many) > 1000


def test_planted_words_are_in_no_title_no_attribute_no_description_and_no_log(world: Path) -> None:
    words = planted_words(world)
    items = list(load_catalog(world))
    texts = [item.title for item in items] + [item.description for item in items]
    texts += [word for item in items for listed in item.attributes.values() for word in listed]
    assert not words & said(texts)
    for name in ("log.jsonl", "test.jsonl"):
        assert not words & said(one.query for one in load_log(world / name))


def test_planted_words_are_more_than_one_edit_from_every_other_word(world: Path) -> None:
    lexicon = Lexicon(SMALL.seed, SMALL.items)
    words = planted_words(world)
    assert not [(one, other) for one in words - {"labubu"} for other in lexicon.spoken() if near(one, other)]
    assert not [pair for pair in combinations(sorted(words), 2) if near(*pair)]


def test_planted_rows_say_what_a_bind_needs(world: Path) -> None:
    ids = {item.id for item in load_catalog(world)}
    planted = rows(world / "planted.jsonl")
    assert {len(row["item_ids"]) for row in planted} == {1, 5, 10}
    listed = [item for row in planted for item in row["item_ids"]]
    assert len(listed) == len(set(listed))
    assert set(listed) <= ids
    assert {row["category"] for row in planted} <= set(CATEGORIES)
    for row in planted:
        assert row["queries"][0] == row["word"]
        assert all(row["word"] in query.split() for query in row["queries"])


def test_late_texts_hold_the_words_marked_in_text_and_no_others(world: Path) -> None:
    late = {item.id: item for item in load_catalog(world, late=True)}
    early = {item.id: item for item in load_catalog(world)}
    for row in rows(world / "planted.jsonl"):
        for item in row["item_ids"]:
            assert (row["word"] in said([late[item].description])) is row["in_text"]
    changed = {item for item in early if early[item] != late[item]}
    assert changed == {item for row in rows(world / "planted.jsonl") if row["in_text"] for item in row["item_ids"]}
    assert all(late[item].title == early[item].title for item in changed)


def test_trend_traffic_is_of_the_last_day_and_carries_planted_words(world: Path) -> None:
    of = {row["word"]: set(row["item_ids"]) for row in rows(world / "planted.jsonl")}
    seen = set()
    for one in load_log(world / "trend.jsonl"):
        (word,) = of.keys() & set(one.query.split())
        assert one.day == 31
        assert one.item_id in of[word]
        seen.add(word)
    assert seen == set(of)


def test_at_gap_zero_users_type_only_words_of_the_catalog(tmp_path: Path) -> None:
    make_world(tmp_path, WorldOptions(items=1000, seed=7, requests_per_item=1, vocabulary_gap=0))
    written = said(f"{item.title} {item.description}" for item in load_catalog(tmp_path))
    assert not said(one.query for one in load_log(tmp_path)) - written


def test_the_gap_changes_what_is_typed_and_not_what_is_wanted(tmp_path: Path) -> None:
    for name, gap in (("none", 0.0), ("full", 1.0)):
        make_world(tmp_path / name, WorldOptions(items=1000, seed=7, requests_per_item=1, vocabulary_gap=gap))
    assert (tmp_path / "none/items.jsonl").read_bytes() == (tmp_path / "full/items.jsonl").read_bytes()
    none, full = (list(load_log(tmp_path / name)) for name in ("none", "full"))
    assert [one.item_id for one in none] == [one.item_id for one in full]
    assert sum(a.query == b.query for a, b in zip(none, full, strict=True)) < 0.05 * len(none)


def test_users_own_words_recur_so_that_a_log_can_teach_them(world: Path) -> None:
    counts: dict[str, int] = {}
    for one in load_log(world):
        for word in one.query.split():
            counts[word] = counts.get(word, 0) + 1
    test = [word for one in load_log(world / "test.jsonl") for word in one.query.split()]
    assert sum(counts.get(word, 0) >= 2 for word in test) > 0.6 * len(test)


def test_history_tells_something_about_what_is_wanted() -> None:
    products = Products(Lexicon(3, 20_000))
    made = Traffic(products).block(0)
    audience = CATEGORIES.index("audience")
    wanted = products.attributes(made.target)[:, audience]
    same = [
        a == b
        for a, b, u, v in zip(wanted[1:], wanted[:-1], made.user[1:], made.user[:-1], strict=True)
        if u == v and a >= 0 and b >= 0
    ]
    shuffled = wanted[wanted >= 0]
    chance = np.mean(shuffled[1:] == shuffled[np.argsort(np.sin(np.arange(len(shuffled))))][1:])
    assert np.mean(same) > 3 * chance


def test_better_places_are_chosen_more_often() -> None:
    made = Traffic(Products(Lexicon(3, 20_000))).block(0)
    chosen = (made.chosen > 0).sum(axis=0)
    assert chosen[0] > 2 * chosen[3] > 2 * chosen[8]


def test_any_part_of_a_catalog_can_be_made_alone() -> None:
    products = Products(Lexicon(1, 50_000))
    whole = list(item_rows(products, 0, 20_000))
    assert list(item_rows(products, 9_990, 10_010)) == whole[9_990:10_010]


def test_public_numbers_are_a_permutation_of_internal_ones() -> None:
    for items in (1000, 1001, 4096):
        products = Products(Lexicon(1, items))
        public = np.arange(items)
        internal = products.internal(public)
        assert sorted(internal.tolist()) == public.tolist()
        assert (products.public(internal) == public).all()


def test_ten_million_items_need_no_more_than_their_words() -> None:
    products = Products(Lexicon(1, 10_000_000))
    (row,) = item_rows(products, 9_999_999, 10_000_000)
    assert row["id"] == "p09999999"
    assert products.lexicon.entity_start[-1] == 10_000_000


def test_popularity_is_a_power_law_inside_an_entity() -> None:
    products = Products(Lexicon(1, 100_000))
    start, stop = products.lexicon.entity_start[:2]
    sold = products.popularity(np.arange(start, stop))
    half = len(sold) // 2
    assert sold[:half].sum() > 1.5 * sold[half:].sum()


@pytest.mark.parametrize(("name", "value"), [("items", 10), ("vocabulary_gap", 1.5), ("seed", -1), ("planted", 5000)])
def test_a_parameter_out_of_range_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"{name} is .*allowed"):
        WorldOptions(**{name: value})


def test_the_shipped_seed_words_share_no_pair_of_synonyms_with_the_world() -> None:
    seeds = Path(slotbeam.kae.__file__).parent / "seeds"
    shipped: set[frozenset[str]] = set()
    for path in seeds.glob("*.json"):
        for words in _lists(json.loads(path.read_text("utf-8"))):
            folded = {word.strip().casefold() for word in words}
            shipped |= {frozenset(pair) for pair in combinations(sorted(folded), 2)}
    assert len(shipped) > 100
    for seed, items in ((1, 30_000), (7, 1000)):
        pairs = {frozenset(pair) for pair in _world_pairs(Lexicon(seed, items))}
        assert len(pairs) > 1000
        assert not pairs & shipped


def _lists(value: Any) -> Iterable[list[str]]:
    """Every group of words that a seed file treats as one: `a|b|c`, or a key with its list."""
    if isinstance(value, str):
        yield value.split("|")
    elif isinstance(value, list):
        for one in value:
            yield from _lists(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, list) and len(one) < 40 and all("|" not in str(word) for word in one):
                yield [key, *map(str, one)]
            yield from _lists(one)


def _world_pairs(lexicon: Lexicon) -> Iterable[tuple[str, str]]:
    sources = {"head": lexicon.heads, "kind": lexicon.kinds, **lexicon.words}
    for name, terms in lexicon.terms.items():
        for word, own in zip(sources[name], terms, strict=True):
            known = word.casefold()
            yield from ((known, term) for term in own if term != known)
            yield from combinations(own, 2)


def test_items_are_items(world: Path) -> None:
    assert all(isinstance(item, Item) for item in load_catalog(world))
