from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.errors import ArtifactError, InputError
from slotbeam.kae.categories import CATEGORIES
from slotbeam.model import tokenizer
from slotbeam.model.tokenizer import EOS, MAX_RECENT_TEXT, MAX_TEXT, QUERY, RECENT, SEEN, SPECIALS, TEXT, InputBuilder
from support.training import SIZES, make_inputs

INPUTS = make_inputs()
LAYOUT = INPUTS.layout
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(TEXTS | st.sampled_from(SPECIALS).map(lambda special: f"buy {special} now"))
def test_text_never_yields_a_special_or_a_slot_token(text: str) -> None:
    assert all(LAYOUT.text_start <= token < LAYOUT.slot_start for token in INPUTS.text_ids(text, 10_000))


@pytest.mark.parametrize("special", SPECIALS)
def test_the_name_of_a_special_is_ordinary_text(special: str) -> None:
    assert INPUTS.text_of(INPUTS.text_ids(special)) == special


@given(TEXTS, st.tuples(*(st.integers(0, size - 1) for size in SIZES)), st.lists(TEXTS, max_size=6), st.data())
def test_a_row_never_outgrows_its_limit_and_keeps_its_slots(
    text: str, sid: tuple[int, ...], recent: list[str], data: st.DataObject
) -> None:
    seen = data.draw(st.lists(st.just(sid), max_size=6))
    row = INPUTS.build(text, sid, recent, seen)
    assert row.dtype == np.int64
    assert 1 <= len(row) <= INPUTS.max_tokens
    named = sum(code > 0 for code in sid)
    assert row[0] == QUERY
    assert row[1 : 1 + named].tolist() == INPUTS.sid_ids(sid)
    assert row.max() < LAYOUT.vocabulary


def test_slot_tokens_are_position_major_after_the_text() -> None:
    assert LAYOUT.slot_offsets == tuple(LAYOUT.slot_start + sum(SIZES[:position]) for position in range(4))
    first = LAYOUT.slot_start
    assert INPUTS.sid_ids((1, 0, 11, 4)) == [first + 1, first + 37 + 11, first + 49 + 4]
    assert LAYOUT.vocabulary == LAYOUT.slot_start + sum(SIZES)


def test_a_long_query_is_cut_and_leaves_room_for_nothing_it_should_not() -> None:
    row = INPUTS.build("x" * 5000, (1, 1, 1, 1)).tolist()
    assert len(row) == INPUTS.max_tokens
    assert row.count(TEXT) == 1
    assert len(InputBuilder.text_ids(INPUTS, "a b c " * 50)) == MAX_TEXT


def test_history_is_read_newest_first_and_only_whole_pieces() -> None:
    inputs = make_inputs(max_tokens=64)
    row = inputs.build("red mug", (0, 0, 0, 0), ["first", "second"], [(1, 0, 0, 0), (2, 0, 0, 0)]).tolist()
    second, slot = inputs.text_ids("second", MAX_RECENT_TEXT), inputs.sid_ids((2, 0, 0, 0))
    at = row.index(RECENT)
    assert row[at : at + 1 + len(second)] == [RECENT, *second]
    assert row[row.index(SEEN) : row.index(SEEN) + 2] == [SEEN, *slot]
    full = make_inputs(max_tokens=12).build(
        "red mug", (1, 1, 1, 1), ["a very long earlier query indeed"], [(3, 1, 1, 1)]
    )
    assert RECENT not in full


def test_the_last_special_is_eos_and_every_category_has_one() -> None:
    assert EOS == len(SPECIALS) - 1 == LAYOUT.text_start - 1
    assert len(CATEGORIES) == tokenizer.CATEGORY_SPECIALS
    assert SPECIALS[tokenizer.START] == "<start>"
    assert SPECIALS[tokenizer.CATEGORY] == "<category-0>"


def test_saved_and_loaded_builders_agree(tmp_path: Path) -> None:
    INPUTS.save(tmp_path / "tokenizer.json")
    again = InputBuilder.load(tmp_path / "tokenizer.json", SIZES, 24)
    assert again.layout == LAYOUT
    assert again.text_ids("green 手机壳 ünknown") == INPUTS.text_ids("green 手机壳 ünknown")


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"tokenizer\.json is not a tokenizer"):
        InputBuilder.load(tmp_path / "tokenizer.json", SIZES, 24)


def test_a_limit_too_small_for_a_sid_and_a_sid_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="max_tokens is 5"):
        make_inputs(max_tokens=5)
    with pytest.raises(InputError, match="this model has 4 positions"):
        INPUTS.sid_ids((1, 2))
