"""Bindings that a training absorbs: solo slots, items that carry them, and a file that is refused when it is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slotbeam.bindings.binding import encode_items
from slotbeam.catalog.inmemory import write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog
from slotbeam.errors import InputError
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Slot, Timings
from slotbeam_train.command import train
from slotbeam_train.lexicon import Absorbed, KaeOptions, absorbed_facts, build_kae, read_absorbed, with_items
from slotbeam_train.stages.corpus import item_sids_of
from support.absorbing import IDS, LABUBU, small_options, write_bindings, write_world
from support.sharing import Once
from support.shop import make_items

OPTIONS = small_options(steps=600)
MUG = {"words": ["mug"], "category": "entity", "items": ["i001", "nowhere"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def trained(world: Path, once: Once) -> Path:
    def make(folder: Path) -> None:
        draft = {**LABUBU, "words": ["crocs"], "state": "draft"}
        gone = {**LABUBU, "words": ["pokemon"], "items": ["nowhere"]}
        file = write_bindings(folder / "bindings.json", LABUBU, MUG, draft, gone)
        train(world, folder / "next", logs=world, options=OPTIONS, absorb=[file])

    return once("absorbing", make) / "next"


@pytest.fixture(scope="module")
def artifact(trained: Path) -> Artifact:
    return Artifact.load(trained)


def slot_of(artifact: Artifact, word: str) -> Slot:
    concept = artifact.kae.dictionary.concept_of(word)
    assert concept is not None
    return artifact.kae.codebook.slot_of(concept)


def carriers(artifact: Artifact, slot: Slot) -> set[str]:
    """Return the items whose base SIDs hold `slot`."""
    rows = (artifact.catalog.sids[:, slot.position] == slot.index).nonzero()[0]
    return {artifact.catalog.ids[row] for row in rows}


def test_an_absorbed_word_has_a_solo_slot_in_its_position_and_every_reserved_slot_is_free(artifact: Artifact) -> None:
    book, slot = artifact.kae.codebook, slot_of(artifact, "labubu")
    assert slot.position == book.position_of("brand")
    assert book.kind(slot) == "solo"
    assert book.label(slot) == "labubu"
    assert slot_of(artifact, normalize("la bu bu")) == slot
    reserved = {Slot(p, i) for p in range(len(book.sizes)) for i in book.reserved(p)}
    assert len(reserved) == 3 * len(book.sizes)
    assert not any(book.concepts(one) or carriers(artifact, one) for one in reserved)


def test_exactly_its_items_carry_it_in_their_sids(artifact: Artifact) -> None:
    slot = slot_of(artifact, "labubu")
    assert carriers(artifact, slot) == set(IDS)
    assert len(artifact.catalog) == 160


def test_a_query_with_the_word_or_another_of_its_words_carries_it(artifact: Artifact) -> None:
    slot = slot_of(artifact, "labubu")
    for query in ("labubu", "red labubu mug", "la bu bu lamp"):
        assert artifact.kae.encode(query).sid[slot.position] == slot.index


def test_its_items_are_found_without_a_binding(artifact: Artifact) -> None:
    decoding = replace(artifact, options=replace(artifact.options, scan_budget=20, step_rows=0))
    for query in ("labubu", "la bu bu"):
        answer = retrieve(Snapshot(decoding), SearchRequest(query, k=20), Timings())
        assert not answer.applied
        assert {artifact.catalog.ids[hit.row] for hit in answer.hits[:10]} >= set(IDS)


def test_a_word_that_the_dictionary_has_is_promoted_and_stays_one_concept(artifact: Artifact) -> None:
    slot = slot_of(artifact, "mug")
    assert artifact.kae.codebook.kind(slot) == "solo"
    assert artifact.kae.dictionary.surfaces.count("mug") == 1
    assert "i001" in carriers(artifact, slot)
    assert len(carriers(artifact, slot)) > 10, "the items that say so carry it as before"


def test_the_manifest_tells_what_was_absorbed_and_what_was_not(artifact: Artifact) -> None:
    labubu, mug = artifact.manifest["model"]["training"]["absorbed"]
    assert labubu == {
        "word": "labubu",
        "category": "brand",
        "slot": str(slot_of(artifact, "labubu")),
        "words": ["labubu", "la bu bu"],
        "left": [],
        "items": len(IDS),
        "contested": 0,
        "missing": 0,
        "items_sha": encode_items(IDS)[0],
    }
    assert (mug["word"], mug["items"], mug["missing"]) == ("mug", 1, 1)
    assert artifact.kae.dictionary.concept_of("crocs") is None
    assert artifact.kae.dictionary.concept_of("pokemon") is None


def test_a_refresh_keeps_what_was_absorbed(artifact: Artifact, world: Path, tmp_path: Path) -> None:
    options = small_options(steps=4)
    out = train(world, tmp_path / "next", options=options, artifact_from=artifact.directory, stages=("S3",))
    refreshed = Artifact.load(out)
    assert refreshed.codebook_sha == artifact.codebook_sha
    assert carriers(refreshed, slot_of(artifact, "labubu")) == set(IDS)
    assert refreshed.manifest["model"]["training"]["absorbed"] == artifact.manifest["model"]["training"]["absorbed"]
    again, skipped = read_absorbed(out / "model" / "kae" / "absorbed.json")
    assert ([one.word for one in again], skipped) == (["labubu", "mug"], [])


def test_a_refresh_absorbs_nothing_new(artifact: Artifact, world: Path, tmp_path: Path) -> None:
    file = write_bindings(tmp_path / "bindings.json", LABUBU)
    with pytest.raises(InputError, match="--from keeps its codebook"):
        train(world, tmp_path / "next", options=OPTIONS, artifact_from=artifact.directory, absorb=[file])


def test_a_rare_word_that_would_share_a_cluster_gets_its_own_slot() -> None:
    words = [f"{a}{b}or" for a in "bdfgklmnprstvz" for b in ("al", "en", "im")]
    items = [
        Item(f"i{n}", f"{words[n % len(words)]} mug", attributes={"brand": (words[n % len(words)],)})
        for n in range(len(words) * 3)
    ]
    options = KaeOptions(floor=2, coverage=0.1, reserved=2)
    rare = words[-1]
    plain = build_kae(items, None, options)
    concept = plain.dictionary.concept_of(rare)
    assert concept is not None
    assert plain.codebook.kind(plain.codebook.slot_of(concept)) == "cluster"
    kae = build_kae(items, None, options, absorb=[Absorbed((rare,), "brand", ("i0",))])
    number = kae.dictionary.concept_of(rare)
    assert number is not None
    slot = kae.codebook.slot_of(number)
    assert kae.codebook.kind(slot) == "solo"
    assert kae.codebook.concepts(slot) == (number,)


def test_no_limit_of_words_drops_an_absorbed_one_and_its_items_carry_it_against_their_own_brand(
    tmp_path: Path,
) -> None:
    items = [replace(i, attributes={"brand": ("acme",)}, title=f"acme {i.title}") for i in make_items(60)]
    absorb = [Absorbed(("labubu",), "brand", ("i001", "i002")), Absorbed(("crocs",), "brand", ("i002", "i003"))]
    kae = build_kae(items, None, KaeOptions(max_words=1), absorb=absorb)
    sids, _ = item_sids_of(kae, items, absorb)
    labubu, crocs = absorbed_facts(kae, Catalog.load(tmp_path, write_catalog(tmp_path, items, sids)), absorb)
    assert (labubu["items"], labubu["contested"]) == (2, 0)
    assert (crocs["items"], crocs["contested"]) == (1, 1), "one item, one position: the first binding has it"
    position = Slot.parse(labubu["slot"]).position
    assert [f"{position}-{sids[row, position]}" for row in (1, 2, 3)] == [labubu["slot"], labubu["slot"], crocs["slot"]]


def test_a_word_of_another_meaning_is_left_where_it_is(tmp_path: Path) -> None:
    items = make_items(60)
    typed = [replace(item, attributes={"color": ("red",)}) if "red" in item.title else item for item in items]
    absorb = [Absorbed(("labubu", "red"), "brand", ("i001",))]
    kae = build_kae(typed, None, KaeOptions(), absorb=absorb)
    sids, _ = item_sids_of(kae, typed, absorb)
    [facts] = absorbed_facts(kae, Catalog.load(tmp_path, write_catalog(tmp_path, typed, sids)), absorb)
    assert (facts["words"], facts["left"]) == (["labubu"], ["red"])
    red = kae.dictionary.concept_of("red")
    assert red is not None
    assert kae.dictionary[red].category == "color"


def test_nothing_absorbed_changes_nothing() -> None:
    items = make_items(80)
    assert build_kae(items).codebook.sha == build_kae(items, absorb=[]).codebook.sha


def test_unknown_items_are_reported_and_skipped() -> None:
    one, other = Absorbed(("labubu",), "brand", ("a", "b", "x")), Absorbed(("crocs",), "brand", ("y",))
    kept, said = with_items([one, other], lambda ids: [one in ("a", "b") for one in ids])
    assert kept == [one]
    assert said == [
        '"labubu": 1 of 3 items are not in the catalog (x)',
        '"crocs": 1 of 1 items are not in the catalog (y)',
        '"crocs" has no item, so it is not absorbed',
    ]


def test_a_binding_that_takes_new_items_by_itself_stays_one(tmp_path: Path) -> None:
    found, said = read_absorbed(write_bindings(tmp_path / "b.json", {**LABUBU, "match": "live", "items": []}, MUG))
    assert [one.word for one in found] == ["mug"]
    assert said == ['"labubu" takes new items by itself (match: live), so it is not absorbed']


def test_what_is_not_live_is_reported_and_skipped(tmp_path: Path) -> None:
    rows = [{**LABUBU, "words": [state], "state": state} for state in ("active", "draft", "scheduled", "expired")]
    found, said = read_absorbed(write_bindings(tmp_path / "b.json", *rows, {**LABUBU, "state": "failed"}))
    assert [one.word for one in found] == ["active", "labubu"]
    assert said == [f'"{state}" is {state}, so it is not absorbed' for state in ("draft", "scheduled", "expired")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": None}, 'field "words" is missing; allowed: a list of one text or more'),
        ({"words": "labubu"}, 'field "words" is "labubu"; allowed: a list of one text or more'),
        ({"words": []}, r'field "words" is \[\]'),
        ({"words": ["…"]}, 'field "words": word .* has no letter, digit or symbol'),
        ({"category": "toy"}, 'field "category" is "toy"; allowed: entity, modifier, brand'),
        ({"category": None}, 'field "category" is missing; allowed: entity'),
        ({"category": []}, r'field "category" is \[\]; allowed: entity'),
        ({"items": [1]}, r'field "items" is \[1\]; allowed: a list of one item id or more'),
        ({"items": []}, r'field "items" is \[\]'),
        ({"state": "live"}, 'field "state" is "live"; allowed: free, draft'),
    ],
)
def test_a_bad_entry_names_file_entry_field_and_what_is_allowed(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    file = write_bindings(tmp_path / "bindings.json", LABUBU, {**LABUBU, **change})
    with pytest.raises(InputError, match=rf"bindings\.json, entry 2, {message}"):
        read_absorbed(file)


@pytest.mark.parametrize("text", ["", "{", "{}", '"labubu"', "[1]", "[" * 100_000, "\xff"])
def test_a_file_of_another_form_is_refused_with_what_is_allowed(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bindings.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"bindings\.json.*allowed: "):
        read_absorbed(file)
