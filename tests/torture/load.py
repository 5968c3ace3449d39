"""Clients of a service under fault: writers that edit, readers that ask; both report to the history."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from torture.history import ACKNOWLEDGED, ANY, REFUSED, Edit, History
from torture.planes import HANG_S, Plane
from torture.upheld import UpheldPlane

WORDS = ("zorb", "quindle", "fraxo", "mibbet", "lorvane", "pextil", "dwozzle", "snarv")
BASE = ("red mug", "acme lamp", "blue chair", "usb c")
CATEGORIES = ("brand", "entity", "color")
PAUSE_S = 0.01
"""Between two requests of one client: two cores are shared by all of them."""


@dataclass
class Progress:
    """Counts that tests wait for instead of time."""

    done: dict[str, int] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, name: str) -> None:
        self.done[name] = self.done.get(name, 0) + 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def more(self, name: str, count: int) -> None:
        """Wait for `count` more of `name`."""
        goal = self.done.get(name, 0) + count
        async with asyncio.timeout(HANG_S):
            while self.done.get(name, 0) < goal:
                await self._changed.wait()


class Writer:
    """Binds, updates and unbinds words of its own; sends again, with the same key, whatever was left open.

    Args:
        name: also the beginning of its idempotency keys.
        words: that no other writer uses.
        items: ids to bind.
        wait: `all` waits for every live replica's word, `none` does not.
    """

    def __init__(
        self,
        name: str,
        plane: Plane | UpheldPlane,
        history: History,
        progress: Progress,
        words: Sequence[str],
        items: Sequence[str],
        *,
        seed: int = 0,
        wait: str = "none",
    ) -> None:
        self.name, self.plane, self.history, self.progress = name, plane, history, progress
        self.words, self.items, self.wait = list(words), list(items), wait
        self.random = random.Random(f"{name} {seed}")
        self.bound: dict[str, tuple[str, str]] = {}
        self.allowed = asyncio.Event()
        self.allowed.set()
        self.idle = asyncio.Event()
        self._numbers = itertools.count()

    async def run(self) -> None:
        """Edit until cancelled; only while `allowed` is set."""
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
            while True:
                if not self.allowed.is_set():
                    self.idle.set()
                    await self.allowed.wait()
                    self.idle.clear()
                await self.edit(client)
                await asyncio.sleep(PAUSE_S)

    async def edit(self, client: httpx.AsyncClient) -> Edit:
        """One edit, sent until its outcome is known."""
        word = self.random.choice(self.words)
        edit = Edit(key=f"{self.name}-{next(self._numbers)}", op="bind", words=(word,))
        if word in self.bound:
            edit.op = self.random.choice(("update", "unbind"))
            edit.binding = self.bound[word][0]
        if edit.op == "unbind":
            edit.words = ()
        else:
            edit.items = tuple(sorted(self.random.sample(self.items, self.random.randint(1, 4))))
        await self.send(client, edit, word)
        return edit

    async def bind(self, word: str, **fields: Any) -> Edit:
        """Bind a word that no writer edits; `fields` go into the body."""
        edit = Edit(key=f"{self.name}-{word}", op="bind", words=(word,), items=tuple(self.items[:2]))
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
            await self.send(client, edit, word, **fields)
        return edit

    async def send(self, client: httpx.AsyncClient, edit: Edit, word: str, **fields: Any) -> None:
        """Send it until somebody says what became of it, or nobody can tell now and no more writing is allowed."""
        self.history.edits[edit.key] = edit
        while await self._send(client, edit, word, fields) is None and self.allowed.is_set():
            await asyncio.sleep(PAUSE_S)

    async def _send(self, client: httpx.AsyncClient, edit: Edit, word: str, fields: Mapping[str, Any]) -> bool | None:
        """None when nobody said what became of it."""
        headers = {"Authorization": f"Bearer {self.plane.token}", "Idempotency-Key": edit.key}
        body: dict[str, Any] = {"items": {"ids": list(edit.items)}, **fields}
        method, path = "POST", "/admin/slots"
        if edit.op == "bind":
            body |= {"words": list(edit.words), "category": CATEGORIES[sum(map(ord, word)) % 3], "owner": self.name}
        else:
            method, path = ("PATCH", "DELETE")[edit.op == "unbind"], f"/admin/slots/{edit.binding}"
            headers["If-Match"] = self.bound[word][1]
        edit.tries += 1
        try:
            answer = await client.request(
                method,
                f"{self.plane.url}{path}?wait={self.wait}&timeout=5s",
                headers=headers,
                json=None if edit.op == "unbind" else body,
            )
        except httpx.TransportError:
            edit.doubtful += 1
            self.progress.add("unknown")
            return None
        edit.status = answer.status_code
        kind = answer.headers.get("content-type", "")
        assert "json" in kind, (
            f"{edit} was answered with {answer.status_code} {answer.text[:200]}; {self.plane.words()}"
        )
        document = answer.json()
        if answer.status_code < 300:
            self._acknowledged(edit, document, answer.headers, word)
            return True
        edit.problem = str(document["type"]).rpartition(":")[2]
        if edit.problem in ("outcome-unknown", "shutting-down"):
            edit.doubtful += 1
            self.progress.add("unknown")
            return None
        if edit.doubtful and answer.status_code == 503:
            return None  # nothing was written by this try; an earlier one is still in doubt
        edit.outcome = REFUSED
        self.progress.add("refused")
        if edit.op != "bind":
            await self._look_again(client, edit, word)
        return False

    async def _look_again(self, client: httpx.AsyncClient, edit: Edit, word: str) -> None:
        """The binding is not what this client believed: another try or a restore changed it."""
        headers = {"Authorization": f"Bearer {self.plane.token}"}
        try:
            answer = await client.get(f"{self.plane.url}/admin/slots/{edit.binding}", headers=headers)
        except httpx.TransportError:
            return
        if answer.status_code == 404:
            del self.bound[word]
        elif answer.status_code == 200:
            self.bound[word] = (edit.binding, answer.headers["etag"])

    def _acknowledged(self, edit: Edit, document: dict[str, Any], headers: httpx.Headers, word: str) -> None:
        edit.outcome, edit.revision = ACKNOWLEDGED, document["revision"]
        edit.durability = document["durability"]
        edit.slot = document.get("slot", ANY)  # a replay whose log entry is trimmed says no more than its revision
        if edit.op == "unbind":
            self.bound.pop(word, None)
        else:
            edit.binding = document.get("id", edit.binding)
            self.bound[word] = (edit.binding, headers.get("etag", "*"))
        for replica in document["propagation"]["replicas"]:
            if replica["applied"]:
                self.progress.add("applied")
                self.history.applied(replica["id"], edit.revision)
        self.progress.add("acknowledged")


class Reader:
    """Asks one data plane for bound words and others, and checks nothing itself."""

    def __init__(self, plane: Plane | UpheldPlane, history: History, progress: Progress, seed: int = 0) -> None:
        self.plane, self.history, self.progress = plane, history, progress
        self.random = random.Random(f"{plane.name} {seed}")

    async def run(self) -> None:
        """Ask until cancelled."""
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
            while True:
                await self.ask(client)
                await asyncio.sleep(PAUSE_S)

    async def ask(self, client: httpx.AsyncClient) -> None:
        """One recorded question."""
        await self.put(client, self.query())

    def query(self) -> str:
        """Words that may be bound and others that are not."""
        return " ".join([*self.random.sample(WORDS, self.random.randint(0, 2)), self.random.choice(BASE)])

    async def put(self, client: httpx.AsyncClient, query: str) -> dict[str, Any]:
        """Ask and record; a request that dies with its process is no answer (and returns nothing)."""
        life = self.plane.life
        floor = self.history.floor(life)
        try:
            answer = await client.post(f"{self.plane.url}/retrieve", json={"query": query, "k": 20, "beam_width": 8})
        except httpx.TransportError as error:
            if self.plane.life == life and self.plane.running and not self.plane.leaving:
                self.history.found.append(f"{life} broke off: {error!r}")
            return {}
        document: dict[str, Any] = answer.json()
        if self.plane.life == life:  # one that a new life answered has no floor to keep
            self.history.answered(life, floor, query, answer.status_code, document)
        self.progress.add(f"answered {self.plane.name}")
        return document
