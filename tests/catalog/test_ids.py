"""Which ids a catalog holds: exact as a dictionary, whatever the order and the blocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slotbeam.catalog.loaders.ids import IdSet


@given(st.lists(st.lists(st.integers(0, 60).map(str), max_size=40), max_size=12))
def test_the_first_place_of_an_id_is_what_a_dictionary_says(blocks: list[list[str]]) -> None:
    ids, places_by_id, place = IdSet(), dict[str, int](), 0
    for block in blocks:
        places = list(range(place, place + len(block)))
        place += len(block)
        expected = []
        for one, at in zip(block, places, strict=True):
            first = places_by_id.setdefault(one, at)
            expected.append(None if first == at else first)
        assert ids.add(block, places) == expected
    assert len(ids) == len(places_by_id)
    asked = [str(number) for number in range(70)]
    assert ids.contain(asked).tolist() == [one in places_by_id for one in asked]


def test_a_set_that_has_grown_finds_what_it_held_before() -> None:
    ids = IdSet()
    for start in range(0, 20_000, 3000):
        block = [f"p{number}" for number in range(start, start + 3000)]
        assert ids.add(block, range(start, start + 3000)) == [None] * 3000
    assert ids.add(["p0", "p17999", "new"], [50_000, 50_001, 50_002]) == [0, 17_999, None]
    assert len(ids) == 21_001
