"""`up` folds live items into the next index when there are many, and serves it, while everything goes on.

Nothing waits for it: the index is made by a process of the lowest priority, each replica takes it over beside the one
that it serves, and what fails is tried again later and later.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from slotbeam.cli.child import run_command
from slotbeam.cli.client import PlaneClient
from slotbeam.errors import ArtifactError, SetupError, SlotbeamError
from slotbeam.search.artifact import INDEX, read_manifest, sha_of
from slotbeam.settings import Settings

LOOK_S, LAST_S = 30.0, 3600.0
"""Seconds between two looks at how many items are live, and after failures, at most."""
_WAIT_S = 60
"""Seconds that an activation waits for the replicas."""
_LOWEST = 19
"""Niceness."""

Run = Callable[[list[str], Mapping[str, str], int], Awaitable[tuple[int, str, str]]]

log = structlog.get_logger("slotbeam.up")


def may_fold(settings: Settings) -> bool:
    """Return whether `up` folds: an index of its own disk is none for replicas elsewhere, unless somebody says so."""
    return bool(settings.fold_at) and (settings.redis_url is None or settings.index_dir is not None)


class AutoFolding:
    """Looks now and then whether so many items are live that they belong into an index.

    Args:
        settings: of `up`.
        admin: opens a client of the control plane.
        environment: of a command that speaks of the same service.
        run: runs a command: arguments, environment, niceness → status, output, errors.
        sleep: waits between two looks.
    """

    def __init__(
        self,
        settings: Settings,
        admin: Callable[[], PlaneClient],
        environment: Callable[[], Mapping[str, str]],
        run: Run = run_command,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._settings, self._admin, self._environment = settings, admin, environment
        self._run, self._sleep = run, sleep
        self._made: str | None = None  # and not known to be active yet
        self._former: dict[str, str] = {}  # name → sha of what was before, once

    async def run(self) -> None:
        """Look until cancelled."""
        delay_s = LOOK_S
        while True:
            await self._sleep(delay_s)
            try:
                await self.look()
                delay_s = LOOK_S
            except (SlotbeamError, OSError) as error:
                delay_s = min(2 * delay_s, LAST_S)
                log.error("live items are not folded into an index yet", why=str(error)[:500], delay_s=delay_s)

    async def look(self) -> None:
        """Fold, activate and clear, where there is so much to fold. Raises `SlotbeamError`: something failed."""
        known = await self._ask("GET", "/admin/indexes")
        active, before = known["active"], known["before"]
        if active["name"] == self._made:
            self._made = None
        if known["delta"] < self._settings.fold_at or _was_rolled_back(active, before):
            return
        self._made = self._made or await self._fold()
        if self._made is None:  # what is active holds them; the replicas are about to serve it
            return
        if before is not None:
            self._former[before["name"]] = before["sha"]
        await self._activate(self._made)

    async def _fold(self) -> str | None:
        """Make an index in a process that yields to all others. Returns its name; None where there was too little."""
        least = str(self._settings.fold_at)
        status, out, wrong = await self._run(
            ["index", "--fold", "--json", "--at-least", least], self._environment(), _LOWEST
        )
        if status:
            raise SetupError(wrong[-500:] or f"slotbeam index --fold ended with status {status}")
        made: dict[str, Any] = json.loads(out)
        if made["name"] is not None:
            log.info("live items are folded into an index", **made)
        return None if made["name"] is None else str(made["name"])

    async def _activate(self, name: str) -> None:
        """Have every replica serve an index; one that is refused goes. Raises `SlotbeamError`."""
        try:
            done = await self._ask("POST", f"/admin/indexes/{name}:activate?wait=all&timeout={_WAIT_S}s")
        except SlotbeamError as error:
            if 400 <= error.details.get("status", 0) < 500:
                self._made = None
                await asyncio.to_thread(shutil.rmtree, self._settings.indexes / name, ignore_errors=True)
            raise
        self._made = None
        spread = done["propagation"]
        if spread["expected"] is None:
            raise SetupError(f"{name} is active; who serves it is not known: {spread['error']}")
        waits = [one["id"] for one in spread["replicas"] if not one["applied"]]
        if waits:
            raise SetupError(f"{name} is active, but not served yet by {', '.join(waits)} (GET /admin/replicas)")
        await asyncio.to_thread(self._clear, {done["active"]["name"], done["before"]["name"]})

    def _clear(self, kept: set[str]) -> None:
        """Remove folded indexes that were active once and that nothing goes back to."""
        for name in self._former.keys() - kept:
            place, sha = self._settings.indexes / name, self._former.pop(name)
            with suppress(ArtifactError, OSError):
                manifest = read_manifest(place)
                if "folded_from" in manifest[INDEX] and sha_of(manifest) == sha:
                    shutil.rmtree(place)
                    log.info("an index that nothing goes back to is removed", index=name)

    async def _ask(self, method: str, path: str) -> Any:
        return await asyncio.to_thread(self._asked, method, path)

    def _asked(self, method: str, path: str) -> Any:
        with self._admin() as client:
            return client.call(method, path, timeout=2.0 * _WAIT_S).json()


def _was_rolled_back(active: Mapping[str, Any], before: Mapping[str, Any] | None) -> bool:
    """Return whether the newest switch went back to an older index: whoever did so is asked, not outrun."""
    return before is not None and before["epoch"] != "" and before["seq"] > active["seq"]
