"""What `slotbeam doctor` asks of the live items of a store, and of the replicas that follow them. Read only."""

from __future__ import annotations

from slotbeam.bindings.store.store import Store
from slotbeam.cli.console import counted
from slotbeam.cli.doctor.finding import BAD, GOOD, WARN, Finding
from slotbeam.errors import StoreError
from slotbeam.items.record import Digest
from slotbeam.items.store.store import ItemStore
from slotbeam.search.snapshot import ServingState

SHOWN = 5


async def examine_items(store: Store) -> list[Finding]:
    """Read every edited item, and what the replicas say of them. Raises `StoreUnavailable`."""
    seen, records = await ItemStore(store).listing()
    if seen is None:
        return [Finding("live items", WARN, "none were begun yet; the control plane does so when it starts")]
    head = seen.head
    if str(Digest.of(records.values())) != head.digest or not seen.logged():
        return [Finding("live items", BAD, f"the records do not add up to the digest of seq {head.seq}: restore them")]
    wrong = []
    try:
        beats = await store.replicas()
    except StoreError:  # a user of the store that may not ask for them: `examine_store` says so
        beats = []
    for beat in beats:
        told = beat.get("items") or {"state": "silent, so of an older version", "seq": 0, "failed": {}}
        if told.get("state") != ServingState.LIVE or told["seq"] < head.seq:
            wrong.append(f"{beat['id']} is {told.get('state')} at seq {told['seq']}")
        if told.get("index_error"):
            wrong.append(f"{beat['id']} cannot serve the active index: {told['index_error']}")
        if told["failed"]:
            wrong.append(f"{beat['id']} leaves out {', '.join(sorted(told['failed'])[:SHOWN])}")
    said = f"{counted(len(records), 'edited item')} up to seq {head.seq}, every hash matches"
    return [Finding("live items", WARN if wrong else GOOD, "; ".join([said, *wrong]))]
