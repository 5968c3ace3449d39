"""`slotbeam index --watermark`: a catalog that was exported holds the live edits up to there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from slotbeam.bindings.store.store import Store
from slotbeam.cli import app
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import SlotbeamError
from slotbeam.items.store.store import ItemStore
from slotbeam.items.store.switching import trim
from slotbeam.search.artifact import Artifact, read_manifest
from slotbeam.search.snapshot import ServingState
from slotbeam.search.watermark import Watermark
from support.items import Remembering, edit, following, make_follower, put
from support.live import NOW

EXPORT = [{"id": f"p{n}", "title": f"red mug {n}"} for n in range(3)]
Run = Callable[..., Awaitable[Result]]


@pytest.fixture
async def run(server: EmbeddedStore, tmp_path: Path) -> Run:
    """`slotbeam …` beside a store; its data directory is `tmp_path`."""
    given = {"SLOTBEAM_REDIS_URL": server.url, "SLOTBEAM_DATA_DIR": str(tmp_path)}
    return lambda *arguments: asyncio.to_thread(CliRunner().invoke, app, [*map(str, arguments)], env=given)


@pytest.fixture
async def items(store: Store) -> Store:
    await ItemStore(store).initialise()
    return store


@pytest.fixture
def index(run: Run, tiny_artifact: Path, tmp_path: Path) -> Run:
    """`slotbeam index` of an export, into `tmp_path / "nightly"`."""
    export = tmp_path / "items.jsonl"
    export.write_text("".join(json.dumps(row) + "\n" for row in EXPORT))
    given = ("index", "--model", tiny_artifact, "--catalog", export, "--out", tmp_path / "nightly", "--language", "en")
    return lambda *arguments: run(*given, *arguments)


async def let_go(store: Store, upto: int) -> None:
    """Let the records go up to a seq, as the control plane does once every index in use holds them."""
    seen, records = await ItemStore(store).listing()
    assert seen is not None
    held = {item_id: data for item_id, data in records.items() if json.loads(data)["seq"] <= upto}
    facts = {"number": "", "count": str(len(records) - len(held)), "at": str(NOW), "actor": "trim", "keep": "100"}
    assert await trim(ItemStore(store), seen.head, upto, list(held.values()), list(held), **facts)


async def test_an_export_is_served_with_the_edits_that_came_after_it_whatever_records_were_let_go(
    run: Run, index: Run, items: Store, tmp_path: Path
) -> None:
    await edit(items, put("p1", "red mug 1"), put("p2", "red mug 2"))
    said = (await run("items", "watermark")).stdout.strip()
    await edit(items, put("p9", "blue lamp"))
    await let_go(items, 2)

    async def serves(kept: str) -> tuple[ServingState, set[str]]:
        sink, artifact = Remembering(), Artifact.load(tmp_path / "nightly")
        async with following(make_follower(items, artifact, tmp_path / kept, sink)) as follower:
            assert await follower.ready()
            return follower.facts.state, set(sink.items)

    assert (await index()).exit_code == 0
    assert await serves("without") == (ServingState("hold:INDEX"), set())
    done = await index("--watermark", said)
    assert done.exit_code == 0, done.output
    assert "nightly holds 3 items, edits up to seq 2; serve it" in done.stdout
    assert await serves("with") == (ServingState.LIVE, {"p9"})


async def test_now_is_what_the_store_holds_before_the_catalog_is_read(
    run: Run, index: Run, items: Store, tmp_path: Path
) -> None:
    seq = (await edit(items, put("p1"), put("p2"))).seq
    told = json.loads((await run("items", "watermark", "--json")).stdout)
    assert told["seq"] == seq
    done = await index("--watermark", "now", "--index-dir", tmp_path)
    assert "nightly holds 3 items, edits up to seq" in done.stdout
    assert done.stdout.endswith("serve it: slotbeam index activate nightly\n")
    assert read_manifest(tmp_path / "nightly")["index"]["watermark"] == told


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("{epoch}:9", "the catalog holds edits up to seq 9, the store is at 3: it is of another store"),
        ("{epoch}:1", "the catalog holds edits up to seq 1; records up to 2 were let go"),
        ("e0:2", "--watermark is of the epoch e0, the store's is {epoch}: it was restored or made anew since"),
        ("2", "--watermark is '2'; allowed: now, or what \"slotbeam items watermark\" said before the export"),
        ("{epoch}:-1", "--watermark is '{epoch}:-1'; allowed: now"),
    ],
)
async def test_what_the_catalog_cannot_hold_is_refused_before_it_is_read(
    index: Run, items: Store, tmp_path: Path, said: str, why: str
) -> None:
    await edit(items, put("p1"), put("p2"))
    await let_go(items, 2)
    head = await ItemStore(items).head()
    assert head is not None
    refused = await index("--watermark", said.format(epoch=head.epoch))
    assert isinstance(refused.exception, SlotbeamError)
    assert why.format(epoch=head.epoch) in str(refused.exception)
    assert not (tmp_path / "nightly").exists()


async def test_without_items_in_a_store_there_is_no_watermark(run: Run, index: Run, raw: redis.Redis) -> None:
    for refused in (await index("--watermark", "now"), await run("items", "watermark")):
        assert "holds no epoch of items: it is new, or lost its data" in str(refused.exception)
    away = await index("--watermark", "now", "--redis-url", "redis://127.0.0.1:1")
    assert "127.0.0.1:1" in str(away.exception)


async def test_the_store_tells_the_watermark_of_a_fold(index: Run) -> None:
    assert "leave out --catalog, --format, --skip-bad and --watermark" in str((await index("--fold")).exception)


def test_a_watermark_is_read_as_it_is_written() -> None:
    assert Watermark.parse(str(Watermark("a:b", 7))) == Watermark("a:b", 7)
