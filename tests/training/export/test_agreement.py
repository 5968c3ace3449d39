"""Without a log item vectors weigh as much as a teacher agrees to."""

from dataclasses import replace

import numpy as np
import pytest

from slotbeam.search.artifact import Artifact
from slotbeam_train.budget import Budget
from slotbeam_train.export.agreement import SHARES, agreeing
from support.shop import make_items, make_shop
from support.texts import FakeTeacher

ITEMS = make_items(60)


class Asked:
    """A model whose query vector is what the teacher says of the words that its SID stands for."""

    def __init__(self, shop: Artifact) -> None:
        self._shop, self.sizes = shop, shop.model.sizes

    def __getattr__(self, name: str) -> object:
        return getattr(self._shop.model, name)

    def query_vector(self, memory: tuple[int, ...]) -> np.ndarray:
        words = [
            concept.word
            for number, concept in enumerate(self._shop.kae.dictionary)
            if (slot := self._shop.kae.codebook.slot_of(number)).index and memory[slot.position] == slot.index
        ]
        return np.asarray(FakeTeacher().encode([" ".join(words)])[0])


def taught(shop: Artifact, sign: int) -> Artifact:
    """Return a shop whose item vectors say what the teacher says, or the contrary."""
    titles = [FakeTeacher().encode([title])[0] for title in shop.catalog.titles]
    vectors = np.rint(127 * sign * np.array(titles)).astype(np.int8)
    return replace(shop, model=Asked(shop), catalog=replace(shop.catalog, vectors=vectors))  # type: ignore[arg-type]


@pytest.fixture
def shop(tmp_path) -> Artifact:
    return make_shop(tmp_path, weight_vector=3.0, weight_lexical=1.0)


def test_vectors_that_say_the_contrary_of_the_teacher_weigh_nothing(shop: Artifact) -> None:
    assert agreeing(FakeTeacher(), ITEMS, 0)(taught(shop, -1)).weight_vector == 0.0


def test_vectors_that_say_what_the_teacher_says_keep_weight_and_nothing_else_changes(shop: Artifact) -> None:
    fitted = agreeing(FakeTeacher(), ITEMS, 0)(taught(shop, 1))
    assert fitted.weight_vector > 0
    assert fitted.weight_vector in [3.0 * share for share in SHARES]
    assert replace(fitted, weight_vector=3.0) == shop.options


def test_without_time_all_stays_as_it_is(shop: Artifact) -> None:
    assert agreeing(FakeTeacher(), ITEMS, 0, Budget(0))(taught(shop, -1)) == shop.options
