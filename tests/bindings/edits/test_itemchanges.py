"""Which items an edit brings and takes away."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.bindings.binding import Binding, encode_items
from slotbeam.bindings.edits.plan import IDS_IN_ALL, IDS_SHOWN, Edit, item_changes, lists_of
from slotbeam.bindings.store.store import Store
from slotbeam.types import Slot
from support.live import binds, make_binding, unbinds, write

ids = st.frozensets(st.integers(0, 400).map("i{:03d}".format), max_size=250)


def holding(items: frozenset[str] | None) -> Binding | None:
    return None if items is None else make_binding(ids=sorted(items))


@given(before=st.none() | ids, after=st.none() | ids)
def test_an_edit_says_how_many_items_came_and_went_and_the_first_hundred_of_each(
    before: frozenset[str] | None, after: frozenset[str] | None
) -> None:
    edit = Edit(holding(before), holding(after))
    lists = {encode_items(some)[0]: tuple(sorted(some)) for some in (before, after) if some is not None}
    [told] = item_changes([edit], lists)
    came, went = sorted((after or set()) - (before or set())), sorted((before or set()) - (after or set()))
    assert told == {
        "added": len(came),
        "removed": len(went),
        "first_added": came[:IDS_SHOWN],
        "first_removed": went[:IDS_SHOWN],
    }


def test_the_ids_of_one_revision_are_bounded_and_its_counts_are_whole() -> None:
    many = [f"i{n:04d}" for n in range(IDS_SHOWN + 1)]
    lists = {encode_items(many)[0]: tuple(many)}
    edits = [Edit(None, make_binding(f"word{n}", ids=many)) for n in range(IDS_IN_ALL // IDS_SHOWN + 5)]
    told = item_changes(edits, lists)
    assert [one and one["added"] for one in told] == [IDS_SHOWN + 1] * len(edits)
    assert [one and len(one["first_added"]) for one in told] == [IDS_SHOWN] * (IDS_IN_ALL // IDS_SHOWN) + [0] * 5


def test_a_list_that_is_lost_leaves_its_edit_untold() -> None:
    edit = Edit(None, make_binding())
    assert lists_of([edit]) == {edit.after.items}  # type: ignore[union-attr]
    assert item_changes([edit], {}) == [None]
    assert lists_of([Edit(edit.after, edit.after)]) == set()
    assert item_changes([Edit(edit.after, edit.after)], {}) == [
        {"added": 0, "removed": 0, "first_added": [], "first_removed": []}
    ]


async def test_the_log_says_what_left_with_a_binding_long_after_its_list_is_gone(store: Store) -> None:
    binding = make_binding(ids=("i001", "i002", "i003"))
    await write(store, "c" * 64, binds(binding, Slot(1, 4)), ids=("i001", "i002", "i003"))
    await write(store, "c" * 64, unbinds(binding.id), ids=())  # nobody tells what the list held: it is read
    await store.redis.delete(store.key(f"items:{binding.items}"))
    unbound, bound = await store.log()
    nothing: dict[str, Any] = {"added": 0, "removed": 0, "first_added": [], "first_removed": []}
    three = ["i001", "i002", "i003"]
    assert bound["changes"][0]["items"] == nothing | {"added": 3, "first_added": three}
    assert unbound["changes"][0]["items"] == nothing | {"removed": 3, "first_removed": three}


@pytest.mark.parametrize("lost", [False, True])
async def test_an_item_list_that_the_store_lost_refuses_no_edit(store: Store, lost: bool) -> None:
    binding = make_binding()
    await write(store, "c" * 64, binds(binding, Slot(1, 4)))
    if lost:
        await store.redis.delete(store.key(f"items:{binding.items}"))
    await write(store, "c" * 64, unbinds(binding.id), ids=())
    told = (await store.log(1))[0]["changes"][0]["items"]
    assert told == (None if lost else {"added": 0, "removed": 2, "first_added": [], "first_removed": ["i001", "i002"]})
