"""What a process holds that has loaded an artifact and answered queries: run as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from slotbeam_lab.measures.run import Asked

_KILOBYTE = 1024


def footprint(artifact: Path, asked: Sequence[Asked]) -> dict[str, Any]:
    """Return what a fresh process says of itself after it has answered `asked` from `artifact`.

    Returns:
        `ready_s`: seconds of processor time until the artifact was loaded, imports included; `ready_wall_s`: by the
        clock; `anonymous_mb`: memory of its own; `mapped_mb`: pages of files that it shares with whoever maps them.
    """
    command = [sys.executable, "-m", "slotbeam_lab.scale.footprint", str(artifact)]
    told = json.dumps([asdict(query) for query in asked])
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=True, env=environment)
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def index_bytes(manifest: dict[str, Any]) -> int:
    """Return the bytes of an artifact's files that grow with the catalog."""
    return int(manifest["index"]["bytes"])


def _memory() -> dict[str, float]:
    """Return megabytes of this process, as the kernel counts them."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.partition(":")[0]: int(line.split()[1]) for line in lines}
    anonymous = kilobytes["Anonymous"]
    return {
        "anonymous_mb": round(anonymous * _KILOBYTE / 1e6, 1),
        "mapped_mb": round((kilobytes["Rss"] - anonymous) * _KILOBYTE / 1e6, 1),
    }


def _main() -> None:
    # Of the service alone: what a comparison imports is no part of what serving holds.
    began = time.perf_counter()
    from slotbeam.search.artifact import Artifact
    from slotbeam.search.pipeline import retrieve
    from slotbeam.search.request import SearchRequest
    from slotbeam.search.snapshot import Snapshot
    from slotbeam.types import Timings

    snapshot = Snapshot(Artifact.load(sys.argv[1]))
    ready = {"ready_s": time.process_time(), "ready_wall_s": time.perf_counter() - began}
    for query in json.load(sys.stdin):
        recent = tuple(query["recent_queries"]), tuple(query["recent_item_ids"])
        request = SearchRequest(query["query"], 350, *recent, use_bindings=False)
        retrieve(snapshot, request, Timings())
    print(json.dumps({name: round(seconds, 2) for name, seconds in ready.items()} | _memory()))


if __name__ == "__main__":
    _main()
