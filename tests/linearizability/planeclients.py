"""Clients of a control plane over HTTP: one connection each, and items edited and read over it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import httpx

from linearizability.checker import LATE
from linearizability.recording import ITEMS, NOTHING, Recording
from linearizability.register import Asked, Told, Verb
from linearizability.storeclients import PAUSE_S, Known, drawn
from torture.planes import Plane

DOUBTFUL = ("outcome-unknown", "shutting-down")
REFUSED = ("not-found", "stale-revision", "slot-taken", "word-taken")


@dataclass
class Connection:
    """One client's connection to a plane; sends an edit again until it is answered, or goes away."""

    plane: Plane
    client: httpx.AsyncClient
    recording: Recording
    random: random.Random
    name: str
    impatience: float = 0.02
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
        call, floor = recording.moment(), copy(recording.acknowledged[ITEMS])
        answer = await self.connection.get(f"/admin/items/{item_id}")
        if answer is None:
            return
        told, number = NOTHING, None
        if answer.status_code == 200:
            shown, number = answer.json(), int(answer.headers["x-items-seq"])
            told = Told("read", (shown["item"]["title"], shown["item"]["fields"]["price"]), shown["seq"])
            self.known[item_id] = Known(shown["seq"], shown["etag"])
        recording.read(self.connection.name, item_id, call, floor, number, told)

    async def one(self, item_id: str) -> None:
        asked, body, etag = self.draw(item_id)
        call = self.connection.recording.moment()
        answer, doubtful = await self.connection.edit(asked.verb.upper(), f"/admin/items/{item_id}", body, etag)
        if answer is None:
            self._unanswered([(item_id, asked)] if doubtful else [], call)
        else:
            refused = answer.status_code >= 400  # at what the store holds, which the plane may not serve yet
            self._acknowledged(answer)
            self._told(item_id, asked, call, answer.json(), LATE if refused else self.connection.recording.moment())

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
        self._acknowledged(answer)
        back = self.connection.recording.moment()
        for (item_id, asked), told in zip(pairs, answer.json()["results"], strict=True):
            self._told(item_id, asked, call, told, back)

    def draw(self, item_id: str) -> tuple[Asked, dict[str, Any] | None, str | None]:
        verb, title, price, (version, etag) = drawn(self.connection.random, item_id, self.known.get(item_id))
        if verb is Verb.DELETE:
            return Asked(verb, None, version), None, etag
        if verb is Verb.PATCH:
            return Asked(verb, (None, price), version), {"fields": {"price": price}}, etag
        return Asked(verb, (title, price), version), {"title": title, "fields": {"price": price}}, etag

    def _acknowledged(self, answer: httpx.Response) -> None:
        if answer.status_code < 300:
            self.connection.recording.acknowledged[ITEMS].add(answer.json()["seq"], answer.status_code != 202)

    def _told(self, item_id: str, asked: Asked, call: int, said: dict[str, Any], back: int) -> None:
        recording = self.connection.recording
        did = said.get("did", "refused")
        if did == "refused" and "type" in said and str(said["type"]).rpartition(":")[2] not in REFUSED:
            recording.found.append(f"{asked} of {item_id} was answered with {said}")
        version = said.get("edit_seq")
        if said.get("etag") and version is not None:
            self.known[item_id] = Known(version, said["etag"])
        recording.add(item_id, call, asked, Told(did, None, version), back)

    def _unanswered(self, pairs: Sequence[tuple[str, Asked]], call: int) -> None:
        for item_id, asked in pairs:
            self.connection.recording.add(item_id, call, asked, None, 0)
