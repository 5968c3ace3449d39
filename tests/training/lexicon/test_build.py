from __future__ import annotations

import random
from pathlib import Path

import pytest

from slotbeam.catalog.item import Item
from slotbeam.errors import InputError
from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.encode import Kae, Match
from slotbeam.language.normalize import normalize
from slotbeam_train.lexicon import KaeOptions, build_kae, build_with_grouping, plot_losses
from slotbeam_train.lexicon.seeds import seed_groups

BRANDS = ("Acme Inc.", "Zenco", "Borealis", "Kite Technology")


def shop() -> list[Item]:
    """400 titles in the manner of a real feed: brand, series, model, noun, trailing attributes."""
    rng = random.Random(0)
    items = []
    for n in range(400):
        brand = rng.choice(BRANDS)
        series = {"Acme Inc.": "Rocket", "Zenco": "Fluxo", "Borealis": "Norda", "Kite Technology": "Wisp"}[brand]
        noun = rng.choice(["mouse", "keyboard", "laptop", "notebook", "gribble", "ice cream mold"])
        kind = rng.choice(["Wireless", "Gaming", "Slim"])
        color = rng.choice(["Black", "White", "Grey", "Gray"])
        tail = rng.choice(["Ambidextrous", "Qwerty", "Basic"]) if noun in ("mouse", "keyboard") else ""
        title = f"{brand} {series} X{n:03}Z {kind} {noun} {tail} {rng.choice(['16 GB', '16GB', '1.5 m'])}"
        attributes = {"brand": (brand,), "color": (color,)}
        items.append(Item(f"i{n}", " ".join(title.split()), "Made for two gribbles.", attributes, {"brand": brand}))
    return items


@pytest.fixture(scope="module")
def kae() -> Kae:
    return build_kae(shop())


def category(kae: Kae, word: str) -> str | None:
    number = kae.dictionary.concept_of(word)
    return None if number is None else kae.dictionary[number].category


def same(kae: Kae, *surfaces: str) -> bool:
    numbers = {kae.dictionary.concept_of(surface) for surface in surfaces}
    return len(numbers) == 1 and None not in numbers


def test_brands_come_from_structured_data_with_their_short_names(kae: Kae) -> None:
    assert category(kae, "acme") == "brand"
    assert same(kae, "acme", "acme inc.")
    assert same(kae, "kite", "kite technology")


def test_a_word_of_one_brand_is_a_series(kae: Kae) -> None:
    assert {category(kae, word) for word in ("rocket", "fluxo", "norda", "wisp")} == {"series"}


def test_a_noun_no_list_knows_is_an_entity(kae: Kae) -> None:
    assert category(kae, "gribble") == "entity"
    assert same(kae, "gribble", "gribbles")


def test_a_trailing_attribute_is_not_an_entity(kae: Kae) -> None:
    assert {category(kae, word) for word in ("ambidextrous", "qwerty", "basic")} == {"modifier"}


def test_product_codes_are_models_and_numbers_with_units_specifications(kae: Kae) -> None:
    assert category(kae, "x007z") == "model"
    assert same(kae, "16gb", "16 gb")
    assert category(kae, "16gb") == "specifications"


def test_synonyms_and_spellings_share_one_slot(kae: Kae) -> None:
    assert same(kae, "laptop", "notebook", "laptops", "notebook computer")
    assert same(kae, "grey", "gray")


@pytest.mark.parametrize(
    ("query", "entity"),
    [
        ("gaming mouse", "mouse"),
        ("laptops", "laptop"),
        ("notebook acme", "laptop"),
        ("mice", "mouse"),
        ("keyboard for laptop", "keyboard"),
        ("black gribbles", "gribble"),
        ("ice cream mold", "ice cream mold"),
    ],
)
def test_the_head_of_a_query_is_what_is_sold(kae: Kae, query: str, entity: str) -> None:
    chosen = kae.encode(normalize(query)).chosen[0]
    assert chosen is not None
    assert kae.dictionary[chosen.concept].word == entity


def test_items_and_queries_meet_in_the_entity_slot(kae: Kae) -> None:
    for item in shop()[:50]:
        noun = next(
            n for n in ("mouse", "keyboard", "laptop", "notebook", "gribble", "ice cream mold") if n in item.title
        )
        assert kae.encode_item(item).sid[0] == kae.encode(noun).sid[0] != 0


def test_the_same_catalog_gives_the_same_bytes(kae: Kae, tmp_path: Path) -> None:
    kae.save(tmp_path / "one")
    build_kae(shop()).save(tmp_path / "two")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    assert Kae.load(tmp_path / "two").codebook.sha == kae.codebook.sha


def test_groups_and_reserved_slots_are_settings() -> None:
    built = build_with_grouping(shop(), options=KaeOptions(groups=5, reserved=64))
    assert len(built.kae.codebook) == len(built.grouping.groups) == 5
    assert built.kae.codebook.reserved_counts == (64,) * 5
    assert sorted(name for group in built.kae.codebook.groups for name in group) == sorted(CATEGORIES)


def test_uniform_capacity_takes_slots_from_the_largest_position_and_gives_the_others_what_they_can_use() -> None:
    aware = build_kae(shop(), options=KaeOptions(groups=5, floor=2)).codebook
    uniform = build_kae(shop(), options=KaeOptions(groups=5, floor=2, uniform=True)).codebook
    largest = max(uniform.core_counts)
    assert largest < max(aware.core_counts)
    assert sum(uniform.core_counts) <= 5 * largest
    for position, (clusters, solos) in enumerate(zip(uniform.cluster_counts, uniform.solo_counts, strict=True)):
        words = int((uniform.concept_position == position).sum())
        assert (clusters, solos) == (0, words) if words <= largest else clusters > 0


def test_clicks_teach_the_words_of_users() -> None:
    items = shop()
    clicks = [("klammo", item.id) for item in items if "keyboard" in item.title]
    kae = build_kae(items, {"klammo": len(clicks)}, clicks=clicks)
    assert same(kae, "klammo", "keyboard")


def test_what_is_asked_for_is_more_important() -> None:
    plain = build_kae(shop())
    asked = build_kae(shop(), {"slim mouse": 10_000})
    words = "gaming slim wireless mouse"
    one, other = (kae.dictionary[match.concept].word for kae in (plain, asked) for match in [_modifier(kae, words)])
    assert other == "slim"
    assert one in ("gaming", "slim", "wireless")


def _modifier(kae: Kae, text: str) -> Match:
    match = kae.encode(text).chosen[kae.codebook.position_of("modifier")]
    assert match is not None
    return match


def test_one_item_is_a_catalog() -> None:
    kae = build_kae([Item("1", "red mouse")])
    assert kae.encode_item(Item("1", "red mouse")).sid[0] != 0


def test_a_catalog_of_chinese_titles_is_matched_inside_sentences() -> None:
    items = [
        Item(str(n), title)
        for n, title in enumerate(["新款纯棉连衣裙女夏季", "真皮男士钱包黑色", "无线蓝牙耳机降噪"] * 3)
    ]
    kae = build_kae(items)
    assert [kae.dictionary[m.concept].word for m in kae.encode("夏季连衣裙").matches] == ["夏季", "连衣裙"]
    assert kae.encode("耳机").sid[0] == kae.encode_item(items[2]).sid[0] != 0


def test_an_empty_catalog_is_refused() -> None:
    with pytest.raises(InputError, match="at least one item"):
        build_kae([])


def test_the_loss_curve_is_drawn(tmp_path: Path) -> None:
    plot_losses(build_with_grouping(shop()).grouping, tmp_path / "losses.png")
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")


def test_seed_words_are_canonical_typed_and_unambiguous() -> None:
    seen: dict[str, str] = {}
    for kind, surfaces in seed_groups():
        assert kind in CATEGORIES
        for surface in surfaces:
            assert surface == normalize(surface) != ""
            assert seen.setdefault(surface, kind) == kind, f"{surface} is {kind} and {seen[surface]}"
