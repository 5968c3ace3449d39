from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slotbeam_train.stages.routing import invented_words, self_route

RESERVED = (range(5, 8), range(0), range(10, 12))
SID, TARGET = np.array([3, 1, 0]), np.array([3, 2, 9])
TEXT, SPANS = [101, 102, 103, 104], np.array([[1, 3], [0, 1], [0, 0]], np.uint8)


@given(st.integers(0, 10_000), st.sampled_from([[], [900, 901]]))
def test_query_and_target_carry_the_same_reserved_slot_at_one_position(seed: int, word: list[int]) -> None:
    sid, target, text = self_route(SID, TARGET, TEXT, SPANS, word, RESERVED, np.random.default_rng(seed))
    (position,) = {int(p) for p in np.flatnonzero(sid != SID)}
    assert position in (0, 2)
    assert sid[position] == target[position]
    assert sid[position] in RESERVED[position]
    others = np.arange(3) != position
    assert (target[others] == TARGET[others]).all()
    assert [token for token in text if token >= 900] == word
    if position == 0:  # its word is gone, the new one stands in its place
        assert text == [101, *word, 104]
    else:  # it had none: nothing is lost
        assert [token for token in text if token < 900] == TEXT


def test_the_given_arrays_are_left_alone_and_no_reserved_slot_means_no_change() -> None:
    before = SID.copy()
    self_route(SID, TARGET, TEXT, SPANS, [], RESERVED, np.random.default_rng(0))
    assert (before == SID).all()
    sid, target, text = self_route(SID, TARGET, TEXT, SPANS, [900], (range(0),) * 3, np.random.default_rng(0))
    assert all(a is b for a, b in ((sid, SID), (target, TARGET), (text, TEXT)))


def test_invented_words_are_new_and_in_the_dictionarys_script() -> None:
    surfaces = ["chair", "chalk", "lamp shade", "手机", "手表"]
    words = invented_words(surfaces, 200, np.random.default_rng(0))
    letters = set("".join(surfaces))
    assert len(words) > 20
    assert not set(words) & set(surfaces)
    assert all(set(word) <= letters and len(word) > 1 for word in words)
    assert words == invented_words(surfaces, 200, np.random.default_rng(0))
