"""Ten million operations of concurrent clients under fault, each history checked to be linearizable."""

from __future__ import annotations

from linearizability.worlds import planes_world, store_world
from torture.figures import Numbers, Stage, figure

OPERATIONS, PARTS = 10_000_000, 10
OVER_HTTP, RIGS = 0.03, 3
"""The share of them that is asked of real planes over HTTP; a part starts so many rigs for its share."""


@figure("histories", parts=PARTS)
async def histories(stage: Stage) -> Numbers:
    """A tenth of them: most by the commits of several control planes, the rest by a control plane's routes."""
    share, seed = stage.times(OPERATIONS // PARTS), 1000 * stage.seed + stage.part
    over_http = max(50, round(share * OVER_HTTP / RIGS))
    recording, violations = await store_world(
        stage.directory, seed, share - RIGS * over_http, lambda done: stage.done(done, share)
    )
    numbers = {"operations": recording.total(), "over HTTP": 0, "answers of replicas": 0, "compared": 0}
    counts, troubles = recording.counts, recording.troubles
    for rig in range(RIGS):
        directory = stage.directory / f"planes-{rig}"
        recording, found, asked = await planes_world(directory, stage.artifact, 10 * seed + rig, over_http)
        violations += found
        counts, troubles = counts + recording.counts, troubles + recording.troubles
        numbers["operations"] += recording.total()
        numbers["over HTTP"] += recording.total()
        numbers["answers of replicas"] += asked
        numbers["compared"] += recording.compared
        stage.done(numbers["operations"], share)
    stage.violations += violations[:20]
    return {
        **numbers,
        "edits": sum(counts[did] for did in ("created", "updated", "deleted")),
        "refused or unchanged": counts["refused"] + counts["unchanged"],
        "unanswered": counts["unanswered"],
        "read behind": counts["read behind"],
        **troubles,
        "violations": len(violations),
    }
