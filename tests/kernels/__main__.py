"""The numeric tests as on other processors: `make test-kernels`, or `python -m kernels` with `tests` on PYTHONPATH."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from kernels import HIDDEN, NUMERIC, SWITCHES, hiding

REPOSITORY = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="kernels", description=__doc__)
    parser.add_argument("levels", nargs="*", metavar="LEVEL", help=f"the newest instructions left: {', '.join(HIDDEN)}")
    parser.add_argument("--switches", action="store_true", help="take the libraries' own switches instead of CPUID")
    parser.add_argument("--jobs", default="2")
    given = parser.parse_args()
    if wrong := set(given.levels) - set(HIDDEN):
        parser.error(f"{', '.join(sorted(wrong))}: no such level; there are {', '.join(HIDDEN)}")
    failed = []
    for level in given.levels or HIDDEN:
        environment = {} if given.switches else hiding(level, REPOSITORY / "build/kernels")
        how = "hidden from CPUID" if environment else "by the libraries' switches; onnxruntime has none"
        print(f"{level} at most, {how}", flush=True)
        tests = [f"tests/{name}" for name in NUMERIC.split()]
        # Without faulthandler, which would take the signal that hides.
        argv = [sys.executable, "-m", "pytest", "-q", "-n", given.jobs, "--dist", "worksteal", "-p", "no:faulthandler"]
        done = subprocess.run([*argv, *tests], cwd=REPOSITORY, env={**os.environ, **(environment or SWITCHES[level])})
        failed += [level] if done.returncode else []
    print(f"failed: {', '.join(failed)}" if failed else "passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
