"""What the doctor says of live items."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from slotbeam.bindings.store.store import Store
from slotbeam.cli.doctor.finding import BAD, GOOD, WARN
from slotbeam.cli.doctor.items import examine_items
from slotbeam.items.store.store import ItemStore
from support.items import edit, put


@pytest.mark.parametrize(
    ("beat", "mark", "said"),
    [
        (None, GOOD, "2 edited items up to seq 2, every hash matches"),
        ({"state": "live", "seq": 2, "failed": {}}, GOOD, "every hash matches"),
        ({"state": "hold:REGRESSED", "seq": 1, "failed": {}}, WARN, "r1 is hold:REGRESSED at seq 1"),
        ({"state": "live", "seq": 2, "failed": {"a": "NACK:BUILD"}}, WARN, "r1 leaves out a"),
    ],
)
async def test_items_that_are_whole_are_told_with_who_does_not_serve_them(
    store: Store, beat: dict[str, object] | None, mark: str, said: str
) -> None:
    await ItemStore(store).initialise()
    await edit(store, put("a"), put("b"))
    if beat is not None:
        await store.beat("r1", {"revision": 0, "failed": {}, "items": beat})
    [finding] = await examine_items(store)
    assert finding.mark == mark
    assert said in finding.found


async def test_what_was_changed_past_the_feed_is_wrong_and_none_at_all_is_worth_knowing(
    store: Store, raw: redis.Redis, tmp_path: Path
) -> None:
    [none] = await examine_items(store)
    assert none.mark == WARN
    await ItemStore(store).initialise()
    await edit(store, put("a"))
    raw.hset("{sb}:item", "a", "forged")
    [wrong] = await examine_items(store)
    assert (wrong.mark, "do not add up" in wrong.found) == (BAD, True)
