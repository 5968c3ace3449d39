"""Clients of a control plane and of data planes over HTTP: items, slots, and what replicas show of both."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from linearizability.recording import NOTHING, Recording, by_version
from linearizability.register import ABSENT, ANY, Asked, State, Told, Verb
from linearizability.storeclients import PAUSE_S, Known, drawn
from torture.planes import Plane

DOUBTFUL = ("outcome-unknown", "shutting-down")
ASK_EVERY_S = 0.05
"""Between two questions to a data plane: most of what there is to do are edits and their reads."""
REFUSED = ("not-found", "stale-revision", "slot-taken", "word-taken")


@dataclass
class Connection:
    """One client's connection to a plane; sends an edit again until it is answered, or goes away."""

    plane: Plane
    client: httpx.AsyncClient
    recording: Recording
    random: random.Random
    name: str
    impatience: float = 0.15
    sent: int = 0

    async def get(self, path: str) -> httpx.Response | None:
        """Ask once; None where there is no answer."""
        try:
            answer = await self.client.get(self.plane.url + path, headers=self._headers)
        except httpx.TransportError:
            await asyncio.sleep(PAUSE_S)
            return None
        return answer if answer.status_code != 503 else None

    async def edit(self, method: str, path: str, body: Any, etag: str | None) -> tuple[httpx.Response | None, bool]:
        """Return the answer, and whether the edit may have been made although there is none."""
        self.sent += 1
        headers = {**self._headers, "idempotency-key": f"{self.name}-{self.sent}"}
        if etag is not None:
            headers["if-match"] = etag
        doubtful = False
        while True:
            try:
                answer = await self.client.request(method, self.plane.url + path, headers=headers, json=body)
            except httpx.TransportError:
                doubtful = True
            else:
                if answer.status_code != 503:
                    return answer, False
                doubtful |= problem(answer) in DOUBTFUL
            if self.random.random() < self.impatience:
                return None, doubtful
            await asyncio.sleep(PAUSE_S)

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.plane.token}"}


def problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


@dataclass
class ItemsClient:
    """Edits items, one by one or in batches, and reads them."""

    connection: Connection
    size: int = 60
    known: dict[str, Known] = field(default_factory=dict)

    async def turn(self, keys: Sequence[str]) -> None:
        """Send one request."""
        chance = self.connection.random.random()
        if chance < 0.5:
            await self.read(self.connection.random.choice(keys))
        elif chance < 0.6:
            await self.one(self.connection.random.choice(keys))
        else:
            await self.batch(
                self.connection.random.sample(keys, self.connection.random.randint(1, min(self.size, len(keys))))
            )

    async def read(self, item_id: str) -> None:
        recording = self.connection.recording
        call = recording.moment()
        answer = await self.connection.get(f"/admin/items/{item_id}")
        if answer is None:
            return
        told = NOTHING
        if answer.status_code == 200:
            shown = answer.json()
            told = Told("read", (shown["item"]["title"], shown["item"]["fields"]["price"]), shown["seq"])
            self.known[item_id] = Known(shown["seq"], shown["etag"])
        recording.add(item_id, call, Asked(Verb.GET), told, recording.moment())

    async def one(self, item_id: str) -> None:
        asked, body, etag = self.draw(item_id)
        call = self.connection.recording.moment()
        answer, doubtful = await self.connection.edit(asked.verb.upper(), f"/admin/items/{item_id}", body, etag)
        if answer is None:
            self._unanswered([(item_id, asked)] if doubtful else [], call)
        else:
            self._told(item_id, asked, call, answer.json())

    async def batch(self, ids: Sequence[str]) -> None:
        wanted = [(item_id, *self.draw(item_id)) for item_id in ids]
        operations = [
            {"op": asked.verb, "id": item_id, "item": body, "if_match": etag} for item_id, asked, body, etag in wanted
        ]
        call = self.connection.recording.moment()
        body = {"operations": [{k: v for k, v in one.items() if v is not None} for one in operations]}
        answer, doubtful = await self.connection.edit("POST", "/admin/items:batch", body, None)
        pairs = [(item_id, asked) for item_id, asked, _, _ in wanted]
        if answer is None:
            self._unanswered(pairs if doubtful else [], call)
            return
        assert answer.status_code in (200, 202), answer.text
        for (item_id, asked), told in zip(pairs, answer.json()["results"], strict=True):
            self._told(item_id, asked, call, told)

    def draw(self, item_id: str) -> tuple[Asked, dict[str, Any] | None, str | None]:
        verb, title, price, (version, etag) = drawn(self.connection.random, item_id, self.known.get(item_id))
        if verb is Verb.DELETE:
            return Asked(verb, None, version), None, etag
        if verb is Verb.PATCH:
            return Asked(verb, (None, price), version), {"fields": {"price": price}}, etag
        return Asked(verb, (title, price), version), {"title": title, "fields": {"price": price}}, etag

    def _told(self, item_id: str, asked: Asked, call: int, said: dict[str, Any]) -> None:
        recording = self.connection.recording
        did = said.get("did", "refused")
        if did == "refused" and "type" in said and str(said["type"]).rpartition(":")[2] not in REFUSED:
            recording.found.append(f"{asked} of {item_id} was answered with {said}")
        version = said.get("edit_seq")
        if said.get("etag") and version is not None:
            self.known[item_id] = Known(version, said["etag"])
        recording.add(item_id, call, asked, Told(did, None, version), recording.moment())

    def _unanswered(self, pairs: Sequence[tuple[str, Asked]], call: int) -> None:
        for item_id, asked in pairs:
            self.connection.recording.add(item_id, call, asked, None, 0)


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
        call = recording.moment()
        answer = await self.connection.get(f"/admin/slots/{place.slot}")
        if answer is None:
            return
        shown, told = answer.json(), NOTHING
        if shown["state"] != "free":
            told = Told("read", (shown["owner"], shown["reason"]), shown["revision"])
            self.known[place.slot] = Known(shown["revision"], shown["etag"])
        recording.add(place.slot, call, Asked(Verb.GET), told, recording.moment(), "slots")

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
                recording.add(place.slot, call, asked, None, 0, "slots")
            return
        said = answer.json()
        if answer.status_code >= 400:
            if problem(answer) not in REFUSED:
                recording.found.append(f"{asked} of {place.slot} was answered with {said}")
            recording.add(place.slot, call, asked, Told("refused"), back, "slots")
            return
        did = {Verb.BIND: "created", Verb.DELETE: "deleted"}.get(verb, "updated")
        if verb is not Verb.DELETE and "etag" in said:
            self.known[place.slot] = Known(said["revision"], said["etag"])
        recording.add(place.slot, call, asked, Told(did, None, said["revision"]), back, "slots")


@dataclass
class ReplicaReader:
    """Asks one data plane on one connection, which must never go back, and show what there was at its numbers.

    Attributes:
        shown: of each answer: seq, revision, key, its value there (None: not among the items), slots applied.
    """

    connection: Connection
    places: Sequence[SlotPlace]
    shown: list[tuple[int, int, str, tuple[Any, Any] | None, frozenset[str]]] = field(default_factory=list)
    newest: tuple[str, int, int] = ("", 0, 0)
    asked: int = 0

    async def turn(self, keys: Sequence[str]) -> None:
        """Ask for one item and for all bound words."""
        key = self.connection.random.choice(keys)
        query = " ".join([*(place.word for place in self.places), key])
        body = {"query": query, "k": 50, "fields": ["price"]}
        life = self.connection.plane.life
        try:
            answer = await self.connection.client.post(f"{self.connection.plane.url}/retrieve", json=body)
        except httpx.TransportError:
            await asyncio.sleep(PAUSE_S)
            return
        said = answer.json()
        if answer.status_code != 200:
            self.connection.recording.found.append(f"{life} answered {answer.status_code}: {said}")
            return
        self.asked += 1
        seq, revision = said["catalog"]["seq"], said["bindings"]["revision"]
        if self.newest[0] == life and (seq < self.newest[1] or revision < self.newest[2]):
            self.connection.recording.found.append(f"{life} went back from {self.newest[1:]} to {(seq, revision)}")
        self.newest = (life, seq, revision)
        value = next(((one["title"], one["fields"]["price"]) for one in said["items"] if one["id"] == key), None)
        applied = frozenset(one["slot"] for one in said["applied_bindings"])
        self.shown.append((seq, revision, key, value, applied))
        await asyncio.sleep(ASK_EVERY_S)

    def judge(self, recording: Recording) -> list[str]:
        """Compare with the histories, before they are judged and forgotten. Keys with an edit of unknown number say
        nothing."""
        states = {key: by_version(history) for key, history in recording.histories.items()}
        found = []
        for seq, revision, key, value, applied in self.shown:
            told = at(states.get(key, {0: ABSENT}), seq)
            if value is not None and told is not None and told.value != value:
                found.append(f"{self.connection.name} showed {value} of {key} at seq {seq}, where it was {told.value}")
            for place in self.places:
                bound = at(states.get(place.slot, {0: ABSENT}), revision)
                if bound is not None and (bound.value is not None) is not (place.slot in applied):
                    found.append(
                        f"{self.connection.name} at revision {revision}: {place.slot} applied {applied}, {bound}"
                    )
        self.shown.clear()
        return found


def at(states: Any, number: int) -> State | None:
    """Return the state that the last edit up to `number` left; None where that is not known."""
    return None if states is None else states[max(version for version in states if version <= number)]
