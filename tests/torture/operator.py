"""Who switches the index while clients work: folds live edits into the next one, activates, and rolls back."""

from __future__ import annotations

import re
import shutil
from collections import Counter

import httpx

from torture.planes import HANG_S
from torture.rig import Rig

KEPT = 4
"""Indexes that are left where replicas find them; two of them may be served."""


class Operator:
    """Makes indexes of what a rig holds, and switches between them.

    Attributes:
        active, before: names, as far as answers told; the artifact of the rig at first.
        did: how many switches of each kind, and refusals.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        [self.active] = rig.history.indexes
        self.before = ""
        self.did: Counter[str] = Counter()

    async def fold(self) -> str:
        """Make an index of the active one and every edit since, as a timer would. Returns its name."""
        status, said = await self.rig.command("index", "--fold")
        made = re.search(r"slotbeam index activate (\S+)", said)
        assert made is not None, f"{status}: {said}"
        name = made[1]
        self.rig.history.indexes.add(name)
        self.did["folds"] += 1
        return name

    async def fold_and_activate(self) -> bool:
        return await self.activate(await self.fold())

    async def activate(self, name: str) -> bool:
        """Have an index served everywhere. False where the watermark rule refuses it."""
        return await self._switch(name, "activate", becomes=name)

    async def roll_back(self) -> bool:
        """Go back to the index before. False where the watermark rule refuses it."""
        return await self._switch(self.active, "rollback", becomes=self.before)

    async def _switch(self, name: str, verb: str, becomes: str) -> bool:
        admin = self.rig.admin
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
            answer = await client.post(
                f"{admin.url}/admin/indexes/{name}:{verb}?wait=all&timeout=10s",
                headers={"Authorization": f"Bearer {admin.token}"},
            )
        document = answer.json()
        if answer.status_code == 409 and "were let go" in document["detail"]:
            self.did["refused"] += 1
            return False
        assert answer.status_code in (200, 202), f"{verb} {name}: {answer.status_code} {document}"
        assert document["active"]["name"] == becomes, document
        if becomes != self.active:
            self.active, self.before = becomes, self.active
        self.did[verb] += 1
        return True

    async def served(self) -> None:
        """Wait until every data plane that runs answers with the active index."""

        async def everywhere() -> bool:
            planes = [plane for plane in self.rig.serves if plane.answering]
            answers = [await self.rig.ask(plane, "red mug") for plane in planes]
            return all(answer and answer["catalog"]["index"] == self.active for answer in answers)

        await self.rig.until(everywhere, f"{self.active} is served")

    def known(self) -> list[str]:
        """Names of the indexes that can be activated, the oldest first."""
        return [path.name for path in sorted(self.rig.indexes.iterdir(), key=lambda path: path.stat().st_mtime_ns)]

    def tidy(self) -> None:
        """Remove all but the newest indexes, and those that a switch names."""
        for name in self.known()[:-KEPT]:
            if name not in (self.active, self.before):
                shutil.rmtree(self.rig.indexes / name)
