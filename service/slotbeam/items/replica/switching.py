"""A replica takes over the index that the store says is active: loaded and verified beside the one that is served.

One that cannot says so in its heartbeat, serves on, and tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from slotbeam.background import Background, in_turns
from slotbeam.bindings.replica.crashguard import CrashGuard
from slotbeam.bindings.replica.lastgood import folder
from slotbeam.bindings.replica.pace import Pace
from slotbeam.bindings.replica.serving import Serving
from slotbeam.bindings.replica.status import happened
from slotbeam.errors import SetupError, SlotbeamError, StoreError
from slotbeam.items.replica.follower import Follower
from slotbeam.items.replica.indexes import Indexes
from slotbeam.items.replica.livesink import LiveSink
from slotbeam.items.store.switching import read_switch
from slotbeam.items.switch import IndexMark, Switch, followed
from slotbeam.search.artifact import Artifact, read_manifest, verify
from slotbeam.search.snapshot import Holder

OFTEN_S = 0.0001
"""That a thread keeps the interpreter from others while an index is loaded, seconds; 0.005 is usual."""

log = structlog.get_logger("slotbeam.items")


class Switching:
    """Follows `{sb}:index`.

    Args:
        follower: of the items.
        serving: swaps the snapshot.
        holder: of the snapshot that is served at first.
        sink: that items are handed to at first.
        indexes: where they are; None follows no switch.
        guard: name of the crash guard's file in the data directory.
        pace: how often the store is asked.

    Attributes:
        index: the artifact that is served, without edits.
        sink: that items are handed to.
    """

    def __init__(
        self,
        follower: Follower,
        serving: Serving,
        holder: Holder,
        sink: LiveSink,
        indexes: Indexes | None,
        guard: str,
        pace: Pace,
    ) -> None:
        self._follower, self._serving, self.sink = follower, serving, sink
        self._indexes, self._pace = indexes, pace
        self._guard_name = guard
        self.index: Artifact = holder.current.artifact
        self.background = Background()
        self._failed, self._again_at = "", 0.0
        self._looked = asyncio.Event()

    async def boot(self) -> None:
        """Serve what there is: the artifact was chosen by `Indexes.boot`."""

    async def ready(self, timeout_s: float) -> bool:
        """Wait until the index that is active is served, or cannot be, or the store does not say which one it is.

        A replica that starts with no file of its own has another one: until then it would answer without the edits
        that only the active index holds. False after `timeout_s`.
        """
        return await happened(self._looked, timeout_s)

    async def run(self) -> None:
        """Follow the store until cancelled. No error of it, of a file or of an index ends this."""
        await self.background.keep("index-follow", self._follow)

    async def _follow(self) -> None:
        while self._indexes is not None:
            try:
                with contextlib.suppress(StoreError):
                    await self.look(self._indexes)
            finally:
                self._looked.set()
            await asyncio.sleep(self._pace.clock_check_s)
        self._looked.set()
        await asyncio.Event().wait()

    def again(self) -> None:
        """Try an index that could not be served at the next look, and not only after a while."""
        self._failed = ""

    async def look(self, indexes: Indexes) -> None:
        """Ask the store which index is active, and serve that one. Raises `StoreError` when it does not answer."""
        switch = followed(await read_switch(self._follower.store), indexes.root_sha)
        if switch is None:
            return
        if switch.active.sha == self.index.sha:
            self._follower.status.note(switch=switch.number, index_error="")
            return
        if switch.active.sha == self._failed and time.monotonic() < self._again_at:
            return
        try:
            await self._switch(indexes, switch)
            self._failed = ""
        except StoreError:
            raise
        except (SlotbeamError, OSError) as error:
            if str(error) != self._follower.facts.index_error:
                log.error("an index cannot be served; the one before is", index=switch.active.name, why=str(error))
            self._follower.status.note(index_error=str(error)[:300])
            self._failed, self._again_at = switch.active.sha, time.monotonic() + self._pace.check_s
        finally:
            self._follower.tell()

    async def _switch(self, indexes: Indexes, switch: Switch) -> None:
        began = time.monotonic()
        mark, guard = switch.active, CrashGuard(folder(indexes.data_dir) / self._guard_name)
        log.info("an index is loaded", index=mark.name)
        with _handing_over_often(), in_turns(), guard.applying(mark.sha, {}) as care:
            if care.refused:
                raise SetupError(f"loading it ended the process again and again; remove {guard.path} to try again")
            directory = await asyncio.to_thread(self._verified, indexes, mark)
            artifact = await asyncio.to_thread(Artifact.load, directory, self.index)
            sink = LiveSink(self._serving, artifact, self.sink)
            await self._follower.switch(sink, switch.number, lambda: indexes.remember(mark))
        self.index, self.sink = artifact, sink
        log.info("an index is served", index=mark.name, seconds=round(time.monotonic() - began, 1))

    def _verified(self, indexes: Indexes, mark: IndexMark) -> Path:
        """Find an index, and check every byte of it. Raises `ArtifactError`, `SetupError`."""
        directory = indexes.find(mark.name, mark.sha)
        manifest = read_manifest(directory)
        check_model(self.index, manifest, mark.name)
        verify(directory, manifest)
        return directory


def check_model(served: Artifact, manifest: dict[str, object], name: str) -> None:
    """Raise `SetupError` where an index was made by another model than the one that is served."""
    model = manifest["model"]
    assert isinstance(model, dict)
    if model.get("sha") != served.manifest["model"].get("sha"):
        raise SetupError(
            f"{name} was made by another model than {served.name}; a model is switched by SLOTBEAM_ARTIFACT and SIGHUP "
            "(docs/operations.md)"
        )


@contextlib.contextmanager
def _handing_over_often() -> Iterator[None]:
    """Let threads hand the interpreter over often: what loads an index holds it, and requests take it many times."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(OFTEN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
