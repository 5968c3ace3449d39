"""An index with the live items that a replica keeps on disk, as the replica serves it."""

from __future__ import annotations

from pathlib import Path

from slotbeam.catalog.item import Item
from slotbeam.errors import InputError
from slotbeam.indexing.live import LiveIndex
from slotbeam.items.recovery import items_of
from slotbeam.items.replica.judging import read_records
from slotbeam.items.replica.serving import beyond
from slotbeam.items.switch import Base, IndexMark, check_watermark
from slotbeam.search.artifact import Artifact


def with_items(artifact: Artifact, file: Path) -> tuple[Artifact, int, dict[str, str]]:
    """Put the items of a last-known-good file (`DATA_DIR/last-good/items-data`) over an index.

    Returns:
        What is served then, how many edits that are, and item id → why it is left out.

    Raises:
        SetupError: the file is none.
        Conflict: the index and these edits do not make up a catalog.
        InputError: two edits do not fit each other.
    """
    _, good = items_of(file)
    check_watermark(IndexMark.told_by(artifact.manifest), Base(good.head.epoch, good.head.seq, good.trimmed))
    items, left_out = read_records(beyond(artifact.watermark, good.head, good.records))
    live, edits = LiveIndex(artifact), dict[str, Item | None]()
    for item_id, item in items.items():
        try:
            live.check({item_id: item})
        except InputError as error:  # as a replica does
            left_out[item_id] = str(error)
        else:
            edits[item_id] = item
    return live.apply(edits), len(edits), left_out
