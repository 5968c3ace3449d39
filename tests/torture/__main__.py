"""The long form of `tests/torture`: `make torture`, or `python -m torture` with `tests` on PYTHONPATH."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from torture.figures import FIGURES
from torture.long import ORDER, Long, Unit, commit_of, perform, units

REPOSITORY = Path(__file__).parents[2]


def names(text: str) -> list[str]:
    """Parse a list of figures."""
    wrong = [name for name in text.split(",") if name not in FIGURES]
    if wrong:
        raise argparse.ArgumentTypeError(f"{', '.join(wrong)}: no such figure; there are {', '.join(ORDER)}")
    return text.split(",")


def main() -> int:
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("--only", type=names, default=list(ORDER), help=f"some of {','.join(ORDER)}")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--seeds", type=int, default=20, help="that each fault is played with")
    parser.add_argument("--jobs", type=int, default=1, help="faults side by side; all else runs alone")
    parser.add_argument("--scale", type=float, default=1.0, help="0.01 for a quick try")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build/torture", help="results.jsonl goes there")
    parser.add_argument("--unit", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.unit:
        asyncio.run(perform(Unit(**json.loads(given.unit)), given.out))
        return 0
    long = Long(given.out, commit_of(REPOSITORY), given.jobs)
    results = asyncio.run(long.run(units(given.only, given.seed, given.seeds, given.scale)))
    long.show(results)
    return 1 if any(result.violations for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
