"""Whatever is edited, in whatever order, with whatever restarts: a replica has what a plain dict says."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import torture.items
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.items.edits import Operation, Verb
from slotbeam.items.rows import read_row
from slotbeam.items.store.commit import ItemsRules
from slotbeam.items.store.store import ItemStore
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import ServingState
from support.items import Remembering, edit, following, make_follower, outcomes
from torture.digests import sum_of

INDEX: dict[str, Any] = {
    "base1": {"id": "base1", "title": "red mug", "fields": {"price": 2.0}},
    "base2": {"id": "base2", "title": "blue lamp"},
}
READ = {item_id: (row, read_row(row, {})) for item_id, row in INDEX.items()}
RULES = ItemsRules(READ.get, {}, 1000)
IDS = ("base1", "base2", "new1", "new2")
PRICES = st.sampled_from([1, 2.0, 2.5, True, "cheap"])
PATCHES = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["mug", "lamp", None, ""]),
        "description": st.sampled_from(["soft", None]),
        "fields": st.none() | st.dictionaries(st.sampled_from(["price", "sale"]), st.none() | PRICES, max_size=2),
        "attributes": st.none() | st.dictionaries(st.sampled_from(["color", "brand"]), st.sampled_from(["red", None])),
        "popularity": st.sampled_from([1, 0, -1]),
    },
)
ROWS = st.builds(lambda title, row: {**row, "title": title}, st.sampled_from(["mug", "red mug", " "]), PATCHES)
OPERATIONS = st.one_of(
    st.builds(Operation, st.just(Verb.PUT), st.sampled_from(IDS), ROWS),
    st.builds(Operation, st.just(Verb.PATCH), st.sampled_from(IDS), PATCHES),
    st.builds(Operation, st.just(Verb.DELETE), st.sampled_from(IDS)),
)
STEPS = st.lists(OPERATIONS, min_size=1, max_size=4) | st.sampled_from(["restart", "away", "back", "trim", "check"])


class Model:
    """The catalog as a dict: the row of each item, as it was given."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = dict(INDEX)
        self.edited: dict[str, Any] = {}

    def apply(self, operation: Operation) -> str:
        item_id = operation.id
        asked = torture.items.Operation(operation.verb.value, item_id, operation.body)
        did, after = torture.items.carried_out(asked, self.rows.get(item_id))
        if did in torture.items.WROTE:
            self.edited[item_id] = self.rows[item_id] = after
            if after is None:
                del self.rows[item_id]
        return did


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=1, max_size=12))
def test_a_replica_has_what_a_plain_dict_says(
    server: EmbeddedStore, raw: redis.Redis, shop: Artifact, steps: list[Any]
) -> None:
    raw.flushall()
    with TemporaryDirectory() as directory:
        asyncio.run(play(server.url, raw, shop, Path(directory), steps))


async def play(url: str, raw: redis.Redis, shop: Artifact, directory: Path, steps: list[Any]) -> None:
    store, model, sink = Store(url, strict=True), Model(), Remembering()
    await ItemStore(store).initialise()
    followed = following(make_follower(store, shop, directory, sink))
    follower = await followed.__aenter__()
    running = True
    try:
        for step in [*steps, "back", "check"]:
            if isinstance(step, list):
                expected = [model.apply(operation) for operation in step]
                done = await edit(store, *step, rules=RULES)
                assert outcomes(done) == expected
            elif step == "trim":
                raw.xtrim("{sb}:feed", maxlen=0, approximate=False)
            if running and step in ("restart", "away"):
                await followed.__aexit__(None, None, None)
                running = False
            if not running and step in ("restart", "back"):
                sink = Remembering()
                followed = following(make_follower(store, shop, directory, sink))
                follower, running = await followed.__aenter__(), True
            if running and step in ("check", "restart", "back"):
                seq = int(str(raw.hget("{sb}:imeta", "seq")))
                assert await follower.reached(seq, 20)
                if seq:
                    assert follower.facts.seq == seq
                check(model, sink, raw, follower.facts.digest)
                assert follower.facts.state in (ServingState.LIVE, ServingState.DEGRADED, ServingState.NONE)
    finally:
        await followed.__aexit__(None, None, None) if running else None
        await store.close()


def check(model: Model, sink: Remembering, raw: redis.Redis, digest: str) -> None:
    records: dict[str, str] = raw.hgetall("{sb}:item")  # type: ignore[assignment]
    assert digest == sum_of(records) == raw.hget("{sb}:imeta", "digest")
    assert {item_id: json.loads(record)["item"] for item_id, record in records.items()} == {
        item_id: {"id": item_id} if row is None else row for item_id, row in model.edited.items()
    }
    served = {item_id: item.title if item else None for item_id, item in sink.items.items()}
    assert served == {item_id: row["title"] if row else None for item_id, row in model.edited.items()}
