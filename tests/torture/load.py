"""Clients of a service under fault: writers that edit, readers that ask; all report to the history."""

from __future__ import annotations

import asyncio
import itertools
import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import httpx

from torture.answers import DEAR, SHOWN
from torture.edits import ACKNOWLEDGED, REFUSED, Edit
from torture.history import History
from torture.ledger import KINDS
from torture.planes import HANG_S, Plane
from torture.upheld import UpheldPlane

WORDS = ("zorb", "quindle", "fraxo", "mibbet", "lorvane", "pextil", "dwozzle", "snarv")
RULED = ("grelp", "tunsk", "yarvo", "bleen")
"""Words of rules."""
BASE = ("red mug", "acme lamp", "blue chair", "usb c")
PAUSE_S = 0.01
"""Between two requests of one client: two cores are shared by all of them."""

E = TypeVar("E", bound=Edit)


@dataclass
class Progress:
    """Counts that tests wait for instead of time."""

    done: dict[str, int] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, *names: str) -> None:
        for name in names:
            self.done[name] = self.done.get(name, 0) + 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def more(self, name: str, count: int) -> None:
        """Wait for `count` more of `name`."""
        goal = self.done.get(name, 0) + count
        async with asyncio.timeout(HANG_S):
            while self.done.get(name, 0) < goal:
                await self._changed.wait()


class Writer(ABC, Generic[E]):
    """Edits what no other writer edits; sends again, with the same key, whatever was left open.

    Args:
        name: also the beginning of its idempotency keys.
        wait: `all` waits for every live replica's word, `none` does not.
    """

    kind: ClassVar[str]

    def __init__(
        self,
        name: str,
        plane: Plane | UpheldPlane,
        history: History,
        progress: Progress,
        *,
        seed: int = 0,
        wait: str = "none",
    ) -> None:
        self.name, self.plane, self.history, self.progress, self.wait = name, plane, history, progress, wait
        self.random = random.Random(f"{name} {seed}")
        self.allowed = asyncio.Event()
        self.allowed.set()
        self.idle = asyncio.Event()
        self._numbers = itertools.count()

    @abstractmethod
    def next_edit(self, key: str) -> E:
        """Choose what to do next."""

    @abstractmethod
    def request(self, edit: E) -> tuple[str, str, Mapping[str, Any] | None, dict[str, str]]:
        """Return method, path, body and headers of an edit."""

    @abstractmethod
    def done(self, edit: E, document: Mapping[str, Any], headers: httpx.Headers) -> None:
        """Learn from the answer that acknowledges an edit."""

    @abstractmethod
    async def look_again(self, client: httpx.AsyncClient, edit: E) -> None:
        """What was edited is not what this client believed: another try or a restore changed it."""

    # ---------------------------------------------------------------- what every writer does

    async def run(self) -> None:
        """Edit until cancelled; only while `allowed` is set."""
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
            while True:
                await self.turn()
                await self.edit(client)
                await asyncio.sleep(PAUSE_S)

    async def turn(self) -> None:
        """Stand still, and say so, until editing is allowed."""
        if not self.allowed.is_set():
            self.idle.set()
            await self.allowed.wait()
            self.idle.clear()

    async def edit(self, client: httpx.AsyncClient) -> E:
        """One edit, sent until its outcome is known."""
        edit = self.next_edit(f"{self.name}-{next(self._numbers)}")
        await self.send(client, edit)
        return edit

    async def send(self, client: httpx.AsyncClient, edit: E) -> None:
        """Send it until somebody says what became of it, or nobody can tell now and no more writing is allowed."""
        self.history.edits[edit.key] = edit
        while await self._send(client, edit) is None and self.allowed.is_set():
            await asyncio.sleep(PAUSE_S)

    async def read(self, client: httpx.AsyncClient, path: str) -> httpx.Response | None:
        """Read from the control plane; None when it does not answer."""
        try:
            return await client.get(f"{self.plane.url}{path}", headers=self._token)
        except httpx.TransportError:
            return None

    @property
    def _token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.plane.token}"}

    async def _send(self, client: httpx.AsyncClient, edit: E) -> bool | None:
        """None when nobody said what became of it."""
        method, path, body, headers = self.request(edit)
        headers |= self._token | {"Idempotency-Key": edit.key}
        edit.tries += 1
        try:
            answer = await client.request(
                method, f"{self.plane.url}{path}?wait={self.wait}&timeout=5s", headers=headers, json=body
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
            self._acknowledged(edit, document, answer.headers)
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
        await self.look_again(client, edit)
        return False

    def _acknowledged(self, edit: E, document: Mapping[str, Any], headers: httpx.Headers) -> None:
        edit.outcome, edit.durability = ACKNOWLEDGED, document["durability"]
        self.done(edit, document, headers)
        for replica in document["propagation"]["replicas"]:
            if replica["applied"]:
                self.progress.add("applied")
                self.history.applied(replica["id"], edit.kind, edit.number)
        self.progress.add("acknowledged", f"acknowledged {edit.kind}")


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

    async def ask(self, client: httpx.AsyncClient) -> dict[str, Any]:
        """One recorded question."""
        return await self.put(client, question(self.random))

    async def put(self, client: httpx.AsyncClient, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Ask and record; a request that dies with its process is no answer (and returns nothing)."""
        life = self.plane.life
        floor = self.history.floor(life)
        # Of several processes behind one port each connection belongs to one: ask all of them.
        headers = {"connection": "close"} if len(self.plane.replicas) > 1 else {}
        try:
            answer = await client.post(f"{self.plane.url}/retrieve", json=asked, headers=headers)
        except httpx.TransportError as error:
            if self.plane.life == life and self.plane.running and not self.plane.leaving:
                self.history.found.append(f"{life} broke off: {error!r}")
            return {}
        document: dict[str, Any] = answer.json()
        if self.plane.life == life:  # one that a new life answered has no floor to keep
            self.history.answered(life, floor, asked, answer.status_code, document)
        self.progress.add(f"answered {self.plane.name}")
        return document


def question(choose: random.Random) -> dict[str, Any]:
    """Words that may be bound or have a rule, and others; a quarter is for all that was edited and nothing else."""
    query = " ".join([*choose.sample((*WORDS, *RULED), choose.randint(0, 2)), choose.choice(BASE)])
    if choose.random() < 0.25:
        return asking(query) | {"k": 1000, "filter": {"price": {"gte": DEAR}}}
    return asking(query) | {"k": 20, "beam_width": 8}


def asking(query: str) -> dict[str, Any]:
    """A request whose answer shows what the history must see."""
    return {"query": query, "fields": list(SHOWN)}


def kinds_of(writers: Sequence[Writer[Any]]) -> list[str]:
    """What they edit."""
    return [kind for kind in KINDS if any(writer.kind == kind for writer in writers)]
