"""The state machine that drives the planes against a model, in its long form."""

from __future__ import annotations

import asyncio
import os
import re
import sys

from slotbeam.embedded.parentdeath import bound_to_parent
from torture.figures import Numbers, Stage, figure


@figure("machine")
async def machine(stage: Stage) -> Numbers:
    """pytest with `SLOTBEAM_TORTURE=1` (at a scale of less than 1: the sample of `make test`)."""
    file = "tests/torture/test_state_machine.py"
    argv = [sys.executable, "-m", "pytest", "-q", "--timeout=0", f"--basetemp={stage.directory / 'pytest'}", file]
    log = stage.directory / "pytest.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *bound_to_parent(argv),
            stdout=out,
            stderr=out,
            env=os.environ | ({"SLOTBEAM_TORTURE": "1"} if stage.scale >= 1 else {}),
        )
        status = await process.wait()
    said = log.read_text(errors="replace")
    assert status == 0, said[-3000:]
    passed = re.search(r"(\d+) passed", said)
    return {"tests": int(passed[1]) if passed else 0}
