"""slotbeam with a part out or alone, and its slots in an inverted index without decoding."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from slotbeam.kae.codebook import EMPTY
from slotbeam.search.artifact import Artifact
from slotbeam.search.options import WEIGHTS, SearchOptions
from slotbeam_lab.measures.run import Asked
from support.shop import make_shop

pytest.importorskip("torch")
pytest.importorskip("bm25s")

from slotbeam_lab.baselines.parts import alone, part_systems, without
from slotbeam_lab.baselines.systems import candidate_system, limited
from slotbeam_lab.baselines.unidex import SlotIndex


def weighing(weight: float, **others: Any) -> SearchOptions:
    """Options with all parts of the item score at one weight."""
    same: dict[str, Any] = dict.fromkeys(WEIGHTS, weight)
    return replace(SearchOptions(), **same, **others)


ALL = weighing(1.0)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_shop(tmp_path_factory.mktemp("shop"), n=400, scan_budget=60, step_rows=20, lexical_candidates=10)


def changed(options: SearchOptions) -> set[str]:
    return {field.name for field in fields(options) if getattr(options, field.name) != getattr(ALL, field.name)}


def test_each_weight_of_the_item_score_has_a_row_without_it_and_one_alone_but_the_prior() -> None:
    out, kept = without(ALL), alone(ALL)
    assert len(out) == len(WEIGHTS) + 1
    of_queries = [name for name in WEIGHTS if name != "weight_prior"]
    assert len(kept) == len(of_queries)
    taken = [changed(options) & set(WEIGHTS) for options in out.values()]
    assert taken == [*({name} for name in WEIGHTS), set()]
    for name, options in zip(of_queries, kept.values(), strict=True):
        assert [weight for weight in WEIGHTS if getattr(options, weight)] == [name]


def test_a_part_takes_its_candidates_with_it() -> None:
    rows = without(ALL) | alone(ALL)
    assert rows["without words"].lexical_candidates == 0
    assert rows["without text vectors"].text_candidates == 0
    assert changed(rows["without prior"]) == {"weight_prior"}
    assert changed(rows["without decoding"]) == {"scan_budget"}
    words = rows["words alone"]
    assert (words.scan_budget, words.text_candidates, words.lexical_candidates) == (0, 0, ALL.lexical_candidates)
    vectors = rows["item vectors alone"]
    assert (vectors.scan_budget, vectors.lexical_candidates) == (ALL.scan_budget, 0)


def test_what_an_artifact_does_not_have_is_not_taken_out_of_it() -> None:
    none = weighing(0.0, lexical_candidates=0, text_candidates=0)
    assert without(none) == alone(none) == {}
    assert "without decoding" not in without(replace(ALL, beam_width=8))


def test_words_alone_answer_with_the_items_that_hold_a_word_by_overlap(shop: Artifact) -> None:
    search = part_systems(shop)[f"{shop.name}, words alone"]
    encoded = shop.kae.encode("red mug")
    terms = shop.catalog.terms.read(encoded.text, encoded.concept_terms)
    best = terms.best(shop.options.lexical_candidates)
    answer = search(Asked("red mug"), 50)
    assert sorted(answer) == sorted(shop.catalog.ids[row] for row in best)
    rows = np.array([shop.catalog.row_of(name) for name in answer])
    assert np.all(np.diff(terms.overlap(rows)) <= 0)


def test_every_row_of_an_artifact_answers(shop: Artifact) -> None:
    systems = part_systems(shop)
    assert not any("text vectors" in name for name in systems), "it has none"
    for name, search in systems.items():
        answer = search(Asked("red mug"), 20)
        assert len(set(answer)) == len(answer) > 0, name


@pytest.mark.parametrize("candidates", [20, 40, 100])
def test_no_more_candidates_are_scored_than_allowed(shop: Artifact, candidates: int) -> None:
    for query in ("red mug", "acme lamp", "thing"):
        assert 0 < len(candidate_system(limited(shop, candidates))(Asked(query), 400)) <= candidates


def test_semantic_ids_in_an_inverted_index_are_those_that_query_and_item_share(shop: Artifact) -> None:
    index, catalog = SlotIndex(shop), shop.catalog
    for query in ("red mug", "acme lamp", "blue"):
        sid = shop.kae.encode(query).sid
        shared = index.shared(sid)
        holders = [
            [row for row in range(len(catalog)) if catalog.sid(row)[position] == slot]
            for position, slot in enumerate(sid)
        ]
        for row in range(0, len(catalog), 13):
            own = catalog.sid(row)
            wanted = sum(
                np.log(len(catalog) / len(holders[position]))
                for position, slot in enumerate(sid)
                if slot != EMPTY and own[position] == slot
            )
            assert shared[row] == pytest.approx(wanted)


def test_the_most_shared_items_are_ordered_by_vectors(shop: Artifact) -> None:
    few = SlotIndex(shop, candidates=15)
    shared = few.shared(shop.kae.encode("red mug").sid)
    answer = few.search(Asked("red mug"), 50)
    rows = np.array([shop.catalog.row_of(name) for name in answer])
    assert len(set(rows.tolist())) == 15
    assert sorted(shared[rows]) == sorted(np.sort(shared)[-15:])
    encoded = shop.kae.encode("red mug")
    (memory,) = shop.model.encode([shop.inputs.build(encoded.text, encoded.sid, (), ())])
    close = shop.catalog.closeness(shop.model.query_vector(memory), rows)
    assert np.all(np.diff(close) <= 0)
    assert few.search(Asked("nothing"), 50) == []
