"""Clients of a control plane that edit and read slots, and of data planes that show both slots and items."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import httpx

from linearizability.checker import LATE
from linearizability.planeclients import REFUSED, Connection, problem
from linearizability.recording import NOTHING, SLOTS, Shown
from linearizability.register import ANY, Asked, Told, Verb
from linearizability.storeclients import PAUSE_S, Known

ASK_EVERY_S = 0.05
"""Between two questions to a data plane: most of what there is to do are edits and their reads."""


@dataclass(frozen=True)
class SlotPlace:
    """A reserved slot, and what is bound there: a word of its own."""

    slot: str
    category: str
    word: str


@dataclass
class SlotsClient:
    """Binds, replaces, patches and unbinds slots, and reads them."""

    connection: Connection
    known: dict[str, Known] = field(default_factory=dict)

    async def turn(self, places: Sequence[SlotPlace]) -> None:
        """Send one request."""
        place = self.connection.random.choice(places)
        await (self.read(place) if self.connection.random.random() < 0.6 else self.edit(place))

    async def read(self, place: SlotPlace) -> None:
        recording = self.connection.recording
        call, floor = recording.moment(), copy(recording.acknowledged[SLOTS])
        answer = await self.connection.get(f"/admin/slots/{place.slot}")
        if answer is None:
            return
        shown, told = answer.json(), NOTHING
        if shown["state"] != "free":
            told = Told("read", (shown["owner"], shown["reason"]), shown["revision"])
            self.known[place.slot] = Known(shown["revision"], shown["etag"])
        number = int(answer.headers["x-bindings-revision"])
        recording.read(self.connection.name, place.slot, call, floor, number, told)

    async def edit(self, place: SlotPlace) -> None:
        recording, chance = self.connection.recording, self.connection.random
        known = self.known.get(place.slot)
        verb = chance.choices((Verb.BIND, Verb.REPLACE, Verb.PATCH, Verb.DELETE), (3, 2, 3, 2))[0]
        version: int | None = ANY
        etag: str | None = "*"
        if known and chance.random() < 0.7:
            version, etag = known.version, known.etag
        owner, reason = (f"{chance.randrange(10**9)}" for _ in range(2))
        body: Any = {"words": [place.word], "category": place.category, "items": {"ids": ["i001"]}}
        body |= {"owner": owner, "reason": reason}
        method, path = verb.upper(), f"/admin/slots/{place.slot}"
        value: tuple[str | None, str] = (owner, reason)
        if verb is Verb.BIND:
            method, path, body["slot"], version, etag = "POST", "/admin/slots", place.slot, None, None
        elif verb is Verb.REPLACE:
            method = "PUT"
        elif verb is Verb.PATCH:
            body, value = {"reason": reason}, (None, reason)
        elif verb is Verb.DELETE:
            body = None
        asked = Asked(verb, None if verb is Verb.DELETE else value, version)
        call = recording.moment()
        answer, doubtful = await self.connection.edit(method, path, body, etag)
        back = recording.moment()
        if answer is None:
            if doubtful:
                recording.add(place.slot, call, asked, None, 0, SLOTS)
            return
        said = answer.json()
        if answer.status_code >= 400:
            if problem(answer) not in REFUSED:
                recording.found.append(f"{asked} of {place.slot} was answered with {said}")
            recording.add(place.slot, call, asked, Told("refused"), LATE, SLOTS)
            return
        recording.acknowledged[SLOTS].add(said["revision"], answer.status_code != 202)
        did = {Verb.BIND: "created", Verb.DELETE: "deleted"}.get(verb, "updated")
        if verb is not Verb.DELETE and "etag" in said:
            self.known[place.slot] = Known(said["revision"], said["etag"])
        recording.add(place.slot, call, asked, Told(did, None, said["revision"]), back, SLOTS)


@dataclass
class ReplicaReader:
    """Asks one data plane on one connection, which must never go back; what it shows is compared with the history."""

    connection: Connection
    places: Sequence[SlotPlace]
    newest: tuple[str, int, int] = ("", 0, 0)
    asked: int = 0

    async def turn(self, keys: Sequence[str]) -> None:
        """Ask for one item and for all bound words."""
        recording, plane = self.connection.recording, self.connection.plane
        key, life = self.connection.random.choice(keys), plane.life
        query = " ".join([*(place.word for place in self.places), key])
        body = {"query": query, "k": 50, "fields": ["price"]}
        try:
            answer = await self.connection.client.post(f"{plane.url}/retrieve", json=body)
        except httpx.TransportError:
            await asyncio.sleep(PAUSE_S)
            return
        said = answer.json()
        if answer.status_code != 200:
            recording.found.append(f"{life} answered {answer.status_code}: {said}")
            return
        self.asked += 1
        seq, revision = said["catalog"]["seq"], said["bindings"]["revision"]
        if self.newest[0] == life and (seq < self.newest[1] or revision < self.newest[2]):
            recording.found.append(f"{life} went back from {self.newest[1:]} to {(seq, revision)}")
        self.newest = (life, seq, revision)
        value = next(((one["title"], one["fields"]["price"]) for one in said["items"] if one["id"] == key), None)
        recording.shown.append(Shown(life, seq, key, value))
        applied = {one["slot"] for one in said["applied_bindings"]}
        recording.shown += [Shown(life, revision, one.slot, one.slot in applied) for one in self.places]
        await asyncio.sleep(ASK_EVERY_S)
