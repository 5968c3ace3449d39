"""From a teacher to answers: a word that no item holds brings what the teacher says that it means."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from slotbeam.catalog.item import Item
from slotbeam.search.artifact import Artifact
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Timings
from slotbeam_train.command import train
from slotbeam_train.options import preset
from slotbeam_train.stages.ragged import Ragged
from slotbeam_train.texts.distill import DistillOptions, Lessons, centroids_of, directions, distill, quantised
from slotbeam_train.texts.learn import item_vectors
from slotbeam_train.texts.lessons import made_queries, passage
from slotbeam_train.vocabulary import vocabulary
from support.texts import FakeTeacher

COLORS, THINGS = ("red", "blue", "acme"), ("sofa", "mug", "lamp", "chair")
ITEMS = [
    Item(f"{thing}{number}", f"{color} {thing}", attributes={"color": (color,)})
    for thing in THINGS
    for number, color in enumerate(COLORS * 4)
]


def answer(artifact: Artifact, query: str, k: int = 12) -> list[str]:
    hits = retrieve(Snapshot(artifact), SearchRequest(query, k=k), Timings()).hits
    return [artifact.catalog.ids[row] for row in hits.rows.tolist()]


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    directory = tmp_path_factory.mktemp("taught")
    catalog = directory / "items.jsonl"
    rows = [{"id": item.id, "title": item.title, "attributes": item.attributes} for item in ITEMS]
    catalog.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    options = replace(
        preset("tiny", steps=12, threads=1), texts=DistillOptions(width=16, steps=400, batch=128, rate=1e-2)
    )
    train(catalog, directory / "out", options=options, teacher=FakeTeacher())
    return Artifact.load(directory / "out")


@pytest.mark.parametrize(("word", "thing"), [("couch", "sofa"), ("beaker", "mug"), ("light", "lamp")])
def test_a_word_that_no_item_holds_brings_what_it_means(artifact: Artifact, word: str, thing: str) -> None:
    assert not artifact.catalog.terms.holds(word)
    assert {item_id[: len(thing)] for item_id in answer(artifact, word)} == {thing}


def test_explain_says_that_meaning_brought_it(artifact: Artifact) -> None:
    request = SearchRequest("couch", k=3, explain=True)
    facts = retrieve(Snapshot(artifact), request, Timings()).facts
    assert [why["meaning"] for why in facts["brought_by"]] == [True] * 3
    assert facts["groups"][0]["near"] > 0


def test_letters_in_any_order_still_bring_nothing(artifact: Artifact) -> None:
    assert answer(artifact, "zzqxv") == []


def test_items_beyond_the_limit_are_not_read_and_have_no_vector() -> None:
    teacher = FakeTeacher()
    vectors = item_vectors(teacher, ITEMS, 5, seed=0)
    assert vectors.shape == (len(ITEMS), teacher.width)
    read = [row for row, vector in enumerate(vectors) if vector.any()]
    assert teacher.asked == [passage(ITEMS[row]) for row in read]
    assert len(read) == 5


def test_what_an_item_means_tells_what_its_series_stands_for() -> None:
    """Descriptions say it in words that no title holds."""
    items = []
    for number in range(12):
        color = COLORS[number % 2]
        for thing, series, word in (("sofa", "fluxo", "couch"), ("mug", "norda", "beaker")):
            items.append(Item(f"{thing}{number}", f"acme {thing} {color}"))
            items.append(Item(f"{series}{number}", f"zenco {series} {color}", word))
    for teacher, sold in ((None, [None, None]), (FakeTeacher(), ["sofa", "mug"])):
        kae, _ = vocabulary(items, [], preset("tiny"), None, None, teacher=teacher)
        chosen = [kae.encode(word).chosen[0] for word in ("fluxo", "norda")]
        assert [None if one is None else kae.dictionary[one.concept].word for one in chosen] == sold


def test_the_manifest_names_the_teacher(artifact: Artifact) -> None:
    assert artifact.manifest["model"]["texts"] == {"teacher": "fake", "width": 16}


def test_a_refresh_keeps_what_was_taught(artifact: Artifact, tmp_path: Path) -> None:
    catalog = artifact.directory.parent / "items.jsonl"
    options = preset("tiny", steps=4, threads=1)
    train(catalog, tmp_path / "next", options=options, artifact_from=artifact.directory, stages=["S3"])
    again = Artifact.load(tmp_path / "next")
    assert again.manifest["model"]["texts"] == artifact.manifest["model"]["texts"]
    assert again.catalog.text_index.vectors.tolist() == artifact.catalog.text_index.vectors.tolist()


def lessons(rng: np.random.Generator) -> Lessons:
    """Random lists of 30 tokens, and a teacher for whom a text is the sum of directions of its own."""
    secret = rng.normal(size=(30, 20)).astype(np.float32)
    queries = Ragged.of([rng.integers(30, size=rng.integers(1, 4)).tolist() for _ in range(400)])
    items = Ragged.of([rng.integers(30, size=6).tolist() for _ in range(200)])

    def taught(lists: Ragged) -> np.ndarray:
        sums = np.array([secret[lists[number]].sum(axis=0) for number in range(len(lists))])
        return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True))

    blank = rng.normal(size=(30, 20)).astype(np.float32)
    return Lessons(queries, items, taught(queries), taught(items), blank)


def test_a_table_learns_to_rank_as_its_teacher_does() -> None:
    given = lessons(np.random.default_rng(0))
    table, weights = distill(given, DistillOptions(width=16, steps=400, batch=128, rate=1e-2), seed=0)
    rows = table * np.exp(weights)[:, None]

    def vectors(lists: Ragged) -> np.ndarray:
        sums = np.array([rows[lists[number]].sum(axis=0) for number in range(len(lists))])
        return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True))

    said, wanted = vectors(given.queries) @ vectors(given.items).T, given.taught_queries @ given.taught_items.T
    first = np.argmax(wanted, axis=1)
    places = (said > said[np.arange(len(said)), first][:, None]).sum(axis=1)
    assert np.mean(places < 10) > 0.9  # of 200 items


def test_serving_has_the_vectors_of_training_give_or_take_a_step() -> None:
    rng = np.random.default_rng(1)
    table, weights = rng.normal(size=(40, 8)), rng.normal(size=40)
    steps, scales = quantised(table, weights)
    rows = table * np.exp(weights)[:, None]
    got = steps * scales[:, None] * (np.abs(rows).max() / (127 * 65535))
    assert np.abs(got - rows).max() <= np.abs(rows).max() / 127


def test_the_directions_kept_are_those_in_which_texts_differ_most() -> None:
    rng = np.random.default_rng(2)
    plane = np.linalg.qr(rng.normal(size=(10, 10)))[0][:, :3]
    texts = rng.normal(size=(50, 3)) @ plane.T
    kept = directions(texts, texts, 3)
    assert kept @ kept.T == pytest.approx(plane @ plane.T, abs=1e-5)


def test_there_are_about_as_many_lists_as_the_root_of_the_items() -> None:
    units = np.random.default_rng(3).integers(-127, 128, (300, 8)).astype(np.int8)
    assert centroids_of(units, 0).shape == (16, 8)
    assert centroids_of(units[:1], 0).shape == (1, 8)


def test_made_queries_are_of_the_catalog_the_dictionary_the_log_and_the_teachers_words() -> None:
    made = made_queries(ITEMS, ["sofa bed"], {"my query": 2, "rare": 1}, ["couch", "##ing", "[PAD]", "of"], 100, 0)
    assert {"sofa bed", "my query", "couch"} <= set(made)
    assert not {"##ing", "[PAD]", "of"} & set(made)
    said = {word for item in ITEMS for word in passage(item).split()}
    assert {word for text in made for word in text.split()} <= said | {"bed", "my", "query", "rare", "couch"}
    assert len(made) == len(set(made)) <= 104
    assert made == made_queries(
        ITEMS, ["sofa bed"], {"my query": 2, "rare": 1}, ["couch", "##ing", "[PAD]", "of"], 100, 0
    )


def test_of_the_log_the_most_frequent_queries_are_taken() -> None:
    asked = {f"query {number}": number for number in range(50)}
    made = made_queries([], [], asked, [], 3, 0)
    assert made == ["query 49", "query 48", "query 47"]
