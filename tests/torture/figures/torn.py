"""A million answers of four data planes while bindings and items change: each shows one revision and one seq."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from typing import Any

import orjson

from slotbeam.embedded.parentdeath import bound_to_parent
from support.processes import finding_tests
from torture.answers import Answer
from torture.figures import Numbers, Stage, figure
from torture.figures.load import edit_paced, working
from torture.history import History
from torture.ledger import BINDINGS, ITEMS
from torture.planes import Plane

PLANES, WRITERS = 4, 2
EDITS_PER_S = 10
"""Of all writers: half of them edit bindings, half of them items."""
ANSWERS, PARTS = 1_000_000, 20


@figure("torn", parts=PARTS)
async def torn(stage: Stage) -> Numbers:
    """A twentieth of them: one process asks each data plane without a pause (`torture.asker`)."""
    share = stage.times(ANSWERS // PARTS) // PLANES + 1
    one_thread = {f"serve-{number}": {"workers": 1} for number in range(PLANES)}
    async with stage.rig(serves=PLANES, writers=WRITERS, stockers=WRITERS, planes=one_thread) as rig:
        writers = [edit_paced(writer, len(rig.writers) / EDITS_PER_S) for writer in rig.writers]
        began = time.monotonic()
        async with working(*writers):
            askers = await asyncio.gather(*(_ask(stage, plane, share) for plane in rig.serves))
            seconds = time.monotonic() - began
            async with rig.level():
                for found in askers:
                    _add(rig.history, found)
                answers = rig.history.answers.copy()
                edits = rig.history.acknowledged
                await stage.judge(rig)
    return {
        "answers": answers.total(),
        "edits of bindings": sum(edit.kind == BINDINGS for edit in edits),
        "edits of items": sum(len(edit.numbers) for edit in edits if edit.kind == ITEMS),
        "revisions seen": len({answer.revision for answer in answers}),
        "seqs seen": len({answer.seq for answer in answers}),
        "answers with edited items": sum(count for answer, count in answers.items() if answer.dear and answer.shown),
        "answers with bindings": sum(count for answer, count in answers.items() if answer.applied),
        "torn or not 200": len(stage.violations),
        "seconds": round(seconds),
    }


async def _ask(stage: Stage, plane: Plane, count: int) -> Mapping[str, Any]:
    """Let a process of its own ask `plane`; returns what it found."""
    file = stage.directory / f"{plane.name}.answers"
    port, seed = plane.listener.getsockname()[1], f"{plane.name} {stage.seed} {stage.part}"
    argv = [sys.executable, "-m", "torture.asker", str(port), plane.life, str(count), seed]
    with file.open("wb") as out:
        process = await asyncio.create_subprocess_exec(*bound_to_parent(argv), env=finding_tests(), stdout=out)
        status = await process.wait()
    assert status == 0, f"the asker of {plane.name} ended with status {status}"
    found: Mapping[str, Any] = orjson.loads(file.read_bytes())
    return found


def _add(history: History, found: Mapping[str, Any]) -> None:
    """Add what an asker found to the history."""
    history.found += found["found"]
    for times, said in found["answers"]:
        history.answers[Answer.read(said)] += times
