"""`slotbeam index --fold`: an index and its live edits become the next index. It speaks to the store itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slotbeam.cli.console import counted, say, say_error, show_json
from slotbeam.cli.progress import progress_bar
from slotbeam.errors import SetupError
from slotbeam.settings import Settings

if TYPE_CHECKING:
    from slotbeam.items.replica.indexes import Indexes
    from slotbeam.items.store.store import Seen


def fold(
    settings: Settings,
    *,
    base: Path | None,
    model: Path | None,
    name: str | None,
    out: Path | None,
    mapping: Path | None,
    locale: str | None,
    language: str | None,
    jobs: int,
    statistics_of: Path | None,
    at_least: int,
    as_json: bool,
) -> None:
    """Make an index of the active one and of the store's edited items, under a name that can be activated."""
    from slotbeam.indexing.build import build_index
    from slotbeam.indexing.directory import alone_in, check_index_name, folded_name
    from slotbeam.indexing.indexed import IndexedItems
    from slotbeam.items.folding import FoldedCatalog
    from slotbeam.search.watermark import Watermark

    directory, seen, records = asyncio.run(_listing(settings, base))
    indexed = IndexedItems(directory, mapping, locale)
    folded = FoldedCatalog(indexed, seen, records)
    known, facts = str(indexed.manifest["name"]), indexed.manifest["index"]
    if folded.edits < at_least and not model:
        if as_json:
            show_json({"name": None, "edits": folded.edits})
            return
        lacks = f"{counted(folded.edits, 'edit')} up to seq {folded.watermark.seq}"
        say(f"nothing to fold: {known} ({directory}) lacks {lacks}")
        return
    name = check_index_name(name or folded_name(known, Watermark.read(facts.get("watermark")), folded.watermark.seq))
    place = out or settings.indexes / name
    with progress_bar() as progress, nullcontext() if out else alone_in(settings.indexes):
        if place.exists():
            raise SetupError(f"{place} exists; give another --name, or remove it if no replica serves it")
        made = build_index(
            model or directory,
            folded,
            place,
            jobs,
            progress,
            name,
            language=language or facts["language"],
            statistics_of=statistics_of,
            says=folded.says,
            base=directory,
        )
    for item_id, why in folded.failed.items():
        say_error(f"item {item_id} is left out: {why}")
    items, seq = made["index"]["items"], folded.watermark.seq
    if as_json:
        changed = {"put": folded.put, "deleted": folded.deleted, "left_out": folded.left_out}
        show_json({"name": name, "directory": str(place), "items": items, "edits": folded.edits, **changed, "seq": seq})
        return
    edits = f"{counted(folded.put, 'item')} put and {folded.deleted} deleted since {known}"
    say(f"{place} holds {counted(items, 'item')}: {edits}, up to seq {seq}")
    say(f"serve it: SLOTBEAM_ARTIFACT={out}" if out else f"activate it: slotbeam index activate {name}")


async def _listing(settings: Settings, base: Path | None) -> tuple[Path, Seen | None, Mapping[str, bytes]]:
    """Return what is folded, `base` or the active index, and the store's items: what was seen, and id → record."""
    from slotbeam.bindings.store.store import Store
    from slotbeam.embedded.address import is_strict, store_url
    from slotbeam.items.replica.indexes import Indexes
    from slotbeam.items.store.store import ItemStore
    from slotbeam.items.store.switching import read_switch
    from slotbeam.items.switch import followed

    url = store_url(settings.redis_url, settings.data_dir)
    store = Store(url, strict=is_strict(settings.strict, url, settings.data_dir), ca=settings.redis_ca)
    indexes, items = Indexes.of(settings), ItemStore(store)
    try:
        switch = followed(await read_switch(items), indexes.root_sha)
        if switch is None and base is None:
            _refuse_another(indexes, await store.replicas())
        active = indexes.find(switch.active.name, switch.active.sha) if switch else indexes.root
        return base or active, *await items.listing()
    finally:
        await store.close()


def _refuse_another(indexes: Indexes, beats: Sequence[Mapping[str, Any]]) -> None:
    """Refuse to take for the active index, where none was activated, one that no live replica serves."""
    served = {str(beat["index_sha"]): str(beat["index"]) for beat in beats if "index_sha" in beat}
    if served and indexes.root_sha not in served:
        raise SetupError(
            f"replicas serve {', '.join(sorted(served.values()))}, and not {indexes.root}; set SLOTBEAM_ARTIFACT to "
            "what they serve, or name a --base"
        )
