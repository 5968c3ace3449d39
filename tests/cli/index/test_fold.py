"""`slotbeam index --fold`: which index is folded, under which name, and what is said."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from slotbeam.bindings.store.store import Store
from slotbeam.catalog.item import Item
from slotbeam.cli import app
from slotbeam.embedded.record import write_record
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.items.store.store import ItemStore
from slotbeam.items.store.switching import commit_switch
from slotbeam.items.switch import IndexMark, Switch
from slotbeam.search.artifact import Artifact, read_manifest
from support.items import RULES, delete, edit, put

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
async def fold(store: Store, server: EmbeddedStore, tiny_artifact: Path, tmp_path: Path) -> Run:
    """`slotbeam index --fold …` on a store with items; its data directory is `tmp_path`."""
    environment = {"REDIS_URL": server.url, "ARTIFACT": tiny_artifact, "DATA_DIR": tmp_path}
    given = {f"SLOTBEAM_{name}": str(value) for name, value in environment.items()}
    await ItemStore(store).initialise()

    async def run(*arguments: object, **changed: str | None) -> Result:
        said = ["index", "--fold", *map(str, arguments)]
        return await asyncio.to_thread(CliRunner().invoke, app, said, env={**given, **changed})

    return run


def mug(item_id: str) -> tuple[dict[str, str], Item]:
    return {"id": item_id, "title": "mug"}, Item(item_id, "mug")


async def test_edits_are_folded_into_an_index_under_a_name_that_can_be_activated(
    fold: Run, store: Store, tmp_path: Path
) -> None:
    none = await fold()
    assert (none.exit_code, "nothing to fold: tiny" in none.stdout) == (0, True)
    await edit(store, put("n1", "zorblax lamp"), put("n2"), delete("n2"))
    await edit(store, delete("i003"), rules=replace(RULES, base=mug))
    few = await fold("--at-least", 9, "--json")
    assert json.loads(few.stdout) == {"name": None, "edits": 3}
    done = await fold()
    assert done.exit_code == 0, done.output
    place = tmp_path / "indexes" / "tiny-4"
    assert f"{place} holds 120 items: 1 item put and 1 deleted since tiny, up to seq 4" in done.stdout
    assert "activate it: slotbeam index activate tiny-4" in done.stdout
    made = Artifact.load(place)
    assert (made.name, made.watermark.seq, made.catalog.row_of("i003")) == ("tiny-4", 4, None)
    assert [path.name for path in place.parent.iterdir()] == ["tiny-4"], "nothing is left beside it"


async def test_nothing_is_overwritten_and_no_name_is_a_path(fold: Run, store: Store, tmp_path: Path) -> None:
    await edit(store, put("n1"))
    left = tmp_path / "indexes" / ".tiny-0.index"
    left.mkdir(parents=True)
    assert (await fold()).exit_code == 0
    assert not left.exists(), "what one that was killed left"
    assert "tiny-1 exists; give another --name" in str((await fold()).exception)
    assert "is refused; allowed: 1 to 64 of" in str((await fold("--name", "../x")).exception)
    assert "leave out --catalog" in str((await fold("--catalog", tmp_path)).exception)


async def test_an_index_is_written_elsewhere_for_another_base(
    fold: Run, store: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    await edit(store, put("n1"))
    base = shutil.copytree(tiny_artifact, tmp_path / "base")
    done = await fold("--out", tmp_path / "out", "--base", base, "--name", "other")
    assert f"serve it: SLOTBEAM_ARTIFACT={tmp_path / 'out'}" in done.stdout
    assert read_manifest(tmp_path / "out")["name"] == "other"


async def test_the_base_is_the_index_that_is_active(
    fold: Run, store: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    await edit(store, put("n1"))
    assert (await fold("--name", "first")).exit_code == 0
    first = tmp_path / "indexes" / "first"
    active, before = IndexMark.of(Artifact.load(first)), IndexMark.of(Artifact.load(tiny_artifact))
    await commit_switch(ItemStore(store), lambda now, base: Switch(1, before.sha, active, before, "ci", 0))
    assert "nothing to fold: first" in (await fold()).stdout
    # Another model makes an index of the same items.
    assert "0 items put and 0 deleted since first" in (await fold("--model", tiny_artifact, "--name", "m")).stdout
    await edit(store, put("n2"))
    assert "1 item put and 0 deleted since first" in (await fold()).stdout
    shutil.rmtree(first)
    assert f"{first} is not here" in str((await fold()).exception)


async def test_an_index_that_no_replica_serves_is_not_taken_for_the_active_one(
    fold: Run, store: Store, tiny_artifact: Path
) -> None:
    await edit(store, put("n1"))
    await store.beat("up-serve-1", {"revision": 0, "failed": {}, "index": "shop", "index_sha": "61b0"})
    refused = str((await fold()).exception)
    assert refused.startswith(f"replicas serve shop, and not {tiny_artifact}; set SLOTBEAM_ARTIFACT")
    assert (await fold("--base", tiny_artifact)).exit_code == 0


async def test_in_another_terminal_it_is_what_the_up_on_the_data_directory_serves(
    fold: Run, store: Store, tiny_artifact: Path, tmp_path: Path
) -> None:
    await edit(store, put("n1"))
    served = {"artifact": str(tiny_artifact), "index_dir": str(tmp_path / "shared")}
    write_record(tmp_path, {"pid": os.getpid(), **served})
    done = await fold(SLOTBEAM_ARTIFACT=None)
    assert f"{tmp_path}/shared/tiny-1 holds 121 items" in done.stdout, done.output


async def test_what_is_left_out_is_named(fold: Run, store: Store, raw: redis.Redis) -> None:
    await edit(store, put("n1"))
    raw.hset("{sb}:item", "n2", "no record")
    done = await fold("--json")
    assert "item n2 is left out: an item's record is not JSON" in done.stderr
    said = json.loads(done.stdout)
    assert said.pop("directory").endswith("/indexes/tiny-1")
    assert said == {"name": "tiny-1", "items": 121, "edits": 1, "put": 1, "deleted": 0, "left_out": 1, "seq": 1}
