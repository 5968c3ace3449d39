"""What is shown as an example is understood."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from slotbeam.arrays import Strings
from slotbeam.search.artifact import Artifact
from slotbeam.search.examples import COUNT
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.search.unknown import split_words, understood
from slotbeam.types import Timings
from support.shop import make_shop

DEMO = Path(__file__).parent.parent.parent / "model_artifacts" / "demo"


@pytest.fixture(params=["tiny", "shop", "demo"])
def artifact(request: pytest.FixtureRequest, tiny_artifact: Path, tmp_path: Path) -> Artifact:
    if request.param == "shop":
        return make_shop(tmp_path)
    return Artifact.load(tiny_artifact if request.param == "tiny" else DEMO)


def test_an_artifact_understands_every_word_of_its_examples_and_brings_items(artifact: Artifact) -> None:
    examples = artifact.examples
    assert len(set(examples)) == COUNT
    titles = [title.casefold().split() for title in artifact.catalog.titles]
    for query in examples:
        answer = retrieve(Snapshot(artifact), SearchRequest(query, k=10), Timings())
        assert answer.encoded.text == query
        assert understood(split_words(answer.encoded, ())) == "wholly"
        assert len(answer.hits) == 10
        assert any(set(query.split()) <= set(title) for title in titles), "it is made of an item's own words"


def test_an_artifact_whose_titles_hold_no_word_of_its_dictionary_has_no_example(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    titles = Strings.of(["xyzzy"] * len(shop.catalog))
    assert replace(shop, catalog=replace(shop.catalog, titles=titles)).examples == ()
