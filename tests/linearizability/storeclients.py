"""Clients of the commits of items, over the connections of several control planes: batches, reads, requests twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from linearizability.recording import NOTHING, Recording
from linearizability.register import ANY, Asked, Told, Verb
from slotbeam.bindings.store.store import Store
from slotbeam.errors import OutcomeUnknown, StoreUnavailable
from slotbeam.items import edits
from slotbeam.items.record import ItemRecord, Op, etag_of
from slotbeam.items.store.commit import ItemsCommitted, ItemsRules, commit_items
from slotbeam.items.store.store import ItemStore

RULES = ItemsRules(lambda item_id: None, {}, 1_000_000)
PAUSE_S = 0.005
"""Before a request is sent again."""


@dataclass
class Known:
    """What a client believes of an item: the version that it saw last, and its ETag."""

    version: int
    etag: str


@dataclass
class StoreClient:
    """Edits and reads items, one request after the other, until its share is used up.

    Args:
        planes: the control planes that it may ask: one at a time, or two at once with the same key.
        size: operations of a batch at most.
        impatience: how often it goes away for good instead of sending again what got no answer.
    """

    name: str
    planes: Sequence[Store]
    recording: Recording
    random: random.Random
    size: int = 60
    impatience: float = 0.15
    keys: Sequence[str] = ()
    known: dict[str, Known] = field(default_factory=dict)
    sent: int = 0

    async def work(self, keys: Sequence[str], goal: int) -> None:
        """Send requests about these keys until so many operations are recorded."""
        self.keys, self.known = keys, {}
        while self.recording.total() < goal:
            await (self.read() if self.random.random() < 0.4 else self.edit())

    async def read(self) -> None:
        """Read many items at one moment, as the store has them."""
        ids = self.random.sample(self.keys, min(self.size, len(self.keys)))
        call = self.recording.moment()
        try:
            seen, records = await ItemStore(self.random.choice(self.planes)).records(ids)
        except StoreUnavailable:
            await asyncio.sleep(PAUSE_S)
            return
        back = self.recording.moment()
        if seen is None:
            self.recording.found.append(f"{self.name}: the epoch is gone")
        for item_id, record in records.items():
            told = NOTHING if record is None else self._shown(item_id, record)
            self.recording.add(item_id, call, Asked(Verb.GET), told, back)

    def _shown(self, item_id: str, record: bytes) -> Told:
        held = ItemRecord.of(record)
        if held.op is Op.DELETE:
            return Told("read", None, held.seq)
        self.known[item_id] = Known(held.seq, etag_of(record))
        return Told("read", (held.row["title"], held.row["fields"]["price"]), held.seq)

    async def edit(self) -> None:
        """Send a batch until it is answered, or nobody waits for it any longer."""
        self.sent += 1
        ids = self.random.sample(self.keys, self.random.randint(1, min(self.size, len(self.keys))))
        pairs = [self.draw(item_id) for item_id in ids]
        key, call, doubtful = f"{self.name}-{self.sent}", self.recording.moment(), False
        while True:
            try:
                done = await self._send([operation for operation, _ in pairs], key)
            except OutcomeUnknown:
                doubtful = True
            except StoreUnavailable:
                pass  # this try wrote nothing
            else:
                self._answered(pairs, done, call)
                return
            if self.random.random() < self.impatience:
                for operation, asked in pairs if doubtful else ():
                    self.recording.add(operation.id, call, asked, None, 0)
                return
            await asyncio.sleep(PAUSE_S)

    async def _send(self, operations: Sequence[edits.Operation], key: str) -> ItemsCommitted:
        """Ask one control plane; now and then two at once, which must tell the same of the one edit."""
        twice = 2 if self.random.random() < 0.05 else 1
        answers = await asyncio.gather(
            *(
                commit_items(
                    ItemStore(plane), operations, RULES, actor=self.name, at=0, idempotency_key=key, fingerprint=key
                )
                for plane in self.random.sample(self.planes, twice)
            ),
            return_exceptions=True,
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, OutcomeUnknown | StoreUnavailable):
                raise answer
        done = [answer for answer in answers if isinstance(answer, ItemsCommitted)]
        if not done:
            raise min(answers, key=lambda answer: not isinstance(answer, OutcomeUnknown))  # type: ignore[misc]
        wrote = [answer for answer in done if any(one.did.wrote for one in answer.outcomes)]
        if len({(answer.seq, tuple(one.seq for one in answer.outcomes if one.did.wrote)) for answer in wrote}) > 1:
            self.recording.found.append(f"one request, two edits: {key} was told {[answer.seq for answer in wrote]}")
        return (wrote or done)[0]  # one that wrote nothing is not remembered, and may be done later

    def _answered(self, pairs: Sequence[tuple[edits.Operation, Asked]], done: ItemsCommitted, call: int) -> None:
        back = self.recording.moment()
        written = [one.seq for one in done.outcomes if one.did.wrote and one.seq is not None]
        if written != list(range(written[0], written[0] + len(written)) if written else ()):
            self.recording.found.append(f"{self.name}: a batch was not done at one moment: {written}")
        for (operation, asked), outcome in zip(pairs, done.outcomes, strict=True):
            if outcome.seq is not None and outcome.etag is not None:
                self.known[operation.id] = Known(outcome.seq, outcome.etag)
            self.recording.add(operation.id, call, asked, Told(outcome.did.value, None, outcome.seq), back)

    def draw(self, item_id: str) -> tuple[edits.Operation, Asked]:
        """An edit of an item: as slotbeam takes it, and as the model does."""
        verb, title, price, match = drawn(self.random, item_id, self.known.get(item_id))
        version, etag = match
        if verb is Verb.DELETE:
            return edits.Operation(edits.Verb.DELETE, item_id, None, etag), Asked(verb, None, version)
        row = {"title": title, "fields": {"price": price}} if verb is Verb.PUT else {"fields": {"price": price}}
        asked = Asked(verb, (title if verb is Verb.PUT else None, price), version)
        return edits.Operation(edits.Verb(verb.value), item_id, row, etag), asked


def drawn(
    chance: random.Random, item_id: str, known: Known | None
) -> tuple[Verb, str, int, tuple[int | None, str | None]]:
    """Draw an edit: verb, title, price, and the version and the ETag that must be there, if any.

    Values are many, so that each tells which edit made it, and now and then few, so that an edit changes nothing.
    """
    verb = chance.choices((Verb.PUT, Verb.PATCH, Verb.DELETE), (5, 5, 2))[0]
    price = chance.randrange(2) if chance.random() < 0.1 else chance.randrange(10**9)
    title = f"{item_id} {chance.randrange(2) if chance.random() < 0.1 else chance.randrange(10**9)}"
    match: tuple[int | None, str | None] = (None, None)
    if chance.random() < 0.3:
        match = (known.version, known.etag) if known is not None and chance.random() < 0.8 else (ANY, "*")
    return verb, title, price, match
