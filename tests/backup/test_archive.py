"""A backup is one file that was read again: whole or not there, and never in the place of a better one."""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import redis

from slotbeam.backup.archive import backups, facts_of, opened, write
from slotbeam.backup.copying import bindings_path, copy_store, items_path
from slotbeam.bindings.recovery.backup import from_last_good
from slotbeam.bindings.recovery.restore import plan_restore, restore
from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import Conflict, SetupError
from slotbeam.items.recovery import items_of, plan_items_restore, restore_items
from slotbeam.items.store.store import ItemStore
from slotbeam.items.store.switching import commit_switch, read_switch
from slotbeam.items.switch import IndexMark, Switch
from slotbeam.search.watermark import Watermark
from slotbeam.types import Slot
from support.failing import no_room
from support.items import delete, edit, put
from support.live import NOW, binds, make_binding
from support.live import write as commit

CODEBOOK, OTHER = "c0" * 32, "d1" * 32


async def filled(store: Store) -> None:
    """Two bindings, one of them a draft, and three edits of items."""
    await commit(store, CODEBOOK, binds(make_binding("labubu", "拉布布"), Slot(1, 4)))
    await commit(store, CODEBOOK, binds(make_binding("crocs", draft=True), None))
    await ItemStore(store).initialise()
    await edit(store, put("a", "one"), put("b", "two"), delete("b"))


async def back_up(store: Store, directory: Path, work: Path, at: int = NOW, keep: int = 30) -> Path:
    work.mkdir(parents=True)
    path, _ = write(directory, work, await copy_store(store, work), at, keep)
    return path


@pytest.fixture
def works(tmp_path: Path) -> Callable[[], Path]:
    """Names a new data directory each time."""
    numbers = iter(range(1000))
    return lambda: tmp_path / "work" / str(next(numbers))


async def test_what_a_backup_holds_is_what_the_store_held_to_the_byte(
    store: Store, raw: redis.Redis, tmp_path: Path, works: Callable[[], Path]
) -> None:
    """Oracle: the keys of the store itself."""
    await filled(store)
    path = await back_up(store, tmp_path / "kept", works())
    assert (path.stat().st_mode & 0o777, path.name.endswith("-r2-s3.tar.gz")) == (0o600, True)
    with opened(path) as (data_dir, facts):
        backup, (_, items) = from_last_good(bindings_path(data_dir, CODEBOOK)), items_of(items_path(data_dir))
        assert {one.id: one.record().decode() for one in backup.bindings.values()} == raw.hgetall("{sb}:binding")
        assert {str(slot): held for held, slot in backup.placed.items()} == raw.hgetall(f"{{sb}}:slots:{CODEBOOK}")
        assert {key: data.decode() for key, data in items.records.items()} == raw.hgetall("{sb}:item")
        assert backup.left_out == {}
    assert facts == facts_of(path)
    assert facts["bindings"][CODEBOOK]["state"] == raw.hget("{sb}:meta", "state")
    assert facts["items"]["digest"] == raw.hget("{sb}:imeta", "digest")
    assert not data_dir.exists()


async def test_an_empty_store_gets_back_what_it_held_and_which_index_was_active(
    store: Store, raw: redis.Redis, tmp_path: Path, works: Callable[[], Path]
) -> None:
    """Oracle: records, slots, words, item lists and digests of the store before; and that a further edit follows."""
    await filled(store)
    mark = IndexMark("shop-3", "ab" * 32, Watermark("e", 3))
    switch = Switch(4, "cd" * 32, mark, IndexMark("shop", "cd" * 32, Watermark()), "who", NOW)
    await commit_switch(ItemStore(store), lambda now, base: switch)
    raw.hset("{sb}:imeta", "base", "3")  # as after a trim: an index holds what was let go

    def held() -> dict[str, Any]:
        lists = {key: raw.get(key) for key in raw.scan_iter("{sb}:items:*")}
        return {key: raw.hgetall(f"{{sb}}:{key}") for key in ("item", "word", f"slots:{CODEBOOK}")} | lists

    before, digest = held(), raw.hget("{sb}:imeta", "digest")
    path = await back_up(store, tmp_path / "kept", works())
    raw.flushall()
    with opened(path) as (data_dir, facts):
        plan = await plan_restore(store, from_last_good(bindings_path(data_dir, CODEBOOK)), CODEBOOK, tmp_path)
        assert plan.risks == ()
        await restore(store, plan, "test", NOW)
        items = ItemStore(store)
        again = await plan_items_restore(items, *items_of(items_path(data_dir)), tmp_path)
        assert again.risks == ()
        await restore_items(items, again, "test", NOW)
        await commit_switch(items, lambda now, base: Switch.read(facts["index"]))
    assert held() == before
    assert (raw.hget("{sb}:imeta", "digest"), raw.hget("{sb}:imeta", "base")) == (digest, "3")
    assert await read_switch(items) == switch
    listing, (seen, records) = await store.read(CODEBOOK), await items.listing()
    assert listing is not None
    assert listing.verify()
    assert seen is not None
    assert seen.adds_up(records)
    assert (await edit(store, put("c"))).seq == again.seq + 1


async def test_a_backup_that_was_cut_or_changed_anywhere_is_refused_and_named(
    store: Store, tmp_path: Path, works: Callable[[], Path]
) -> None:
    """Oracle: what a whole one says. A byte may change that says nothing, as the name in the header of gzip."""
    await filled(store)
    path = await back_up(store, tmp_path / "kept", works())
    whole, facts, draw = path.read_bytes(), facts_of(path), random.Random(15)
    torn = tmp_path / "torn.tar.gz"
    for length in (0, 1, len(whole) // 2, len(whole) - 9, len(whole) - 1, *draw.sample(range(len(whole)), 20)):
        torn.write_bytes(whole[:length])
        with pytest.raises(SetupError, match=r"torn\.tar\.gz is no backup that is whole"), opened(torn):
            raise AssertionError(f"{length} bytes were enough")
    unharmed = 0
    for place in draw.sample(range(len(whole)), 60):
        torn.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << draw.randrange(8))]) + whole[place + 1 :])
        with contextlib.suppress(SetupError), opened(torn) as (_, told):
            assert told == facts
            unharmed += 1
    assert unharmed <= 3


async def test_a_backup_whose_digest_is_not_that_of_what_it_holds_is_refused(
    store: Store, tmp_path: Path, works: Callable[[], Path]
) -> None:
    """Written with care by somebody who changed it: every checksum of the file fits."""
    await filled(store)
    work = works()
    work.mkdir(parents=True)
    facts = await copy_store(store, work)
    wrong = {**facts, "items": {**facts["items"], "digest": "0" * 32}}
    with pytest.raises(SetupError, match=r"its items are not what backup\.json says"):
        write(tmp_path / "kept", work, wrong, NOW)
    assert list((tmp_path / "kept").iterdir()) == [], "what cannot be read again is no backup"
    [items] = (work / "last-good").glob("items-backup")
    items.write_bytes(items.read_bytes().replace(b"one", b"two"))
    with pytest.raises(SetupError, match="items-backup cannot be used: its SHA-256 does not fit"):
        write(tmp_path / "kept", work, facts, NOW)
    assert backups(tmp_path / "kept") == []


async def test_a_disk_without_room_is_no_fault_of_the_store_nor_of_the_backup(
    store: Store, tmp_path: Path, works: Callable[[], Path]
) -> None:
    await filled(store)
    kept = tmp_path / "kept"
    path, work, empty = await back_up(store, kept, works()), works(), works()
    facts = await copy_store(store, work)
    with no_room(), pytest.raises(SetupError, match=r"cannot be written: File too large; let TMPDIR name"):
        await copy_store(store, empty)
    with no_room(), pytest.raises(SetupError, match=r"cannot be written: File too large; let TMPDIR"), opened(path):
        raise AssertionError("it was unpacked")
    with no_room(), pytest.raises(SetupError, match="cannot be written: File too large; no backup was made"):
        write(kept, work, facts, NOW + 1000)
    assert list(kept.iterdir()) == [path], "nothing is left, and nothing had to go"


def test_a_backup_that_cannot_be_read_is_not_called_broken(tmp_path: Path) -> None:
    for place, why in ((tmp_path / "gone", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(SetupError, match=f"{place} cannot be read: {why}"), opened(place):
            raise AssertionError("it was unpacked")


class Racing(Store):
    """A store in which, after one of the items and the active index was read, an edit is made, folded and served."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._url, self._first, self.raced = url, "", False

    def key(self, name: str) -> str:
        if name in ("index", "imeta"):
            self._first = self._first or name
            if name != self._first and not self.raced:
                self.raced = True
                race = Thread(target=lambda: asyncio.run(self._race()))
                race.start()
                race.join()
        return super().key(name)

    async def _race(self) -> None:
        store = Store(self._url, strict=True)
        seen, done = await ItemStore(store).look(), await edit(store, put("c"))
        assert seen is not None
        mark = IndexMark("shop-4", "ab" * 32, Watermark(seen.head.epoch, done.seq))
        switch = Switch(1, "cd" * 32, mark, IndexMark("shop", "cd" * 32, Watermark()), "who", NOW)
        await commit_switch(ItemStore(store), lambda now, base: switch)
        await store.close()


async def test_no_backup_holds_an_index_with_edits_that_it_lacks(
    store: Store, server: EmbeddedStore, works: Callable[[], Path]
) -> None:
    """Brought back they would be a store behind its index, which no replica serves."""
    await filled(store)
    racing = Racing(server.url)
    facts = await copy_store(racing, works())
    await racing.close()
    assert racing.raced
    index = facts["index"] and Switch.read(facts["index"])
    assert index is None or index.active.watermark.seq <= facts["items"]["seq"]


async def test_the_newest_stay_and_what_a_killed_one_left_goes(
    store: Store, tmp_path: Path, works: Callable[[], Path]
) -> None:
    await filled(store)
    kept = tmp_path / "kept"
    made = [await back_up(store, kept, works(), NOW + hour * 3_600_000, keep=3) for hour in range(5)]
    assert backups(kept) == made[2:]
    (kept / f".{made[0].name}.0123456789abcdef").write_bytes(b"a part")
    (kept / "notes.txt").write_text("somebody's own")
    late = await back_up(store, kept, works(), NOW, keep=1)
    assert {path.name for path in kept.iterdir()} == {late.name, "notes.txt"}, "by a clock that was set back, too"


async def test_no_backup_of_a_store_that_lost_edits_pushes_a_better_one_out(
    store: Store, raw: redis.Redis, tmp_path: Path, works: Callable[[], Path]
) -> None:
    await filled(store)
    kept = tmp_path / "kept"
    path = await back_up(store, kept, works())
    raw.flushall()
    with pytest.raises(SetupError, match="holds no revision: there is nothing to back up"):
        await back_up(store, kept, works())
    await store.initialise()
    with pytest.raises(Conflict, match=rf"at revision 0 and seq 0, behind {path.name}.*No backup was made"):
        await back_up(store, kept, works(), NOW + 1000)
    assert backups(kept) == [path]
    path.write_bytes(b"damaged")
    assert len(backups(kept)) == 1
    await back_up(store, kept, works(), NOW + 1000)
    assert len(backups(kept)) == 2, "one that cannot be read forbids nothing"


async def test_a_store_that_does_not_add_up_is_not_backed_up(
    store: Store, raw: redis.Redis, works: Callable[[], Path]
) -> None:
    await filled(store)
    raw.hset("{sb}:item", "a", raw.hget("{sb}:item", "b"))
    with pytest.raises(SetupError, match=r"items .* do not add up .*slotbeam doctor"):
        await copy_store(store, works())
    raw.hdel("{sb}:binding", next(iter(raw.hgetall("{sb}:binding"))))
    with pytest.raises(SetupError, match=r"records .* do not add up .*slotbeam doctor"):
        await copy_store(store, works())


async def test_the_slots_of_every_codebook_are_kept(
    store: Store, raw: redis.Redis, tmp_path: Path, works: Callable[[], Path]
) -> None:
    await filled(store)
    [holder] = raw.hgetall(f"{{sb}}:slots:{CODEBOOK}").values()
    raw.hset(f"{{sb}}:slots:{OTHER}", "1-9", holder)
    with opened(await back_up(store, tmp_path / "kept", works())) as (data_dir, facts):
        assert set(facts["bindings"]) == {CODEBOOK, OTHER}
        for codebook, slot in ((CODEBOOK, Slot(1, 4)), (OTHER, Slot(1, 9))):
            assert from_last_good(bindings_path(data_dir, codebook)).placed == {holder: slot}


async def test_a_file_that_is_no_backup_of_ours_unpacks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "evil.tar.gz"
    for name in ("../evil", "/evil", "last-good/other"):
        with tarfile.open(path, "w:gz") as tar:
            for member, data in (("backup.json", b'{"format": 1}'), (name, b"x")):
                info = tarfile.TarInfo(member)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        with pytest.raises(SetupError, match="which no backup does"), opened(path):
            raise AssertionError("it was unpacked")
    with tarfile.open(path, "w:gz") as tar:
        tar.add(__file__, "readme.txt")
    with pytest.raises(SetupError, match=r"begins with 'readme\.txt'"), opened(path):
        raise AssertionError("it was unpacked")
