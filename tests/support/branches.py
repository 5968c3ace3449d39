"""Print what of slotbeam no test reached, file by file; fail below pyproject.toml's `fail_under` (`make coverage`).

`coverage report` holds statements and branches together to that figure; here the branches are held to it alone.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from coverage import Coverage


def main() -> None:
    """Report on the combined data of a run."""
    measured = Coverage()
    measured.load()
    together = measured.report()
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "coverage.json"
        measured.json_report(outfile=str(file))
        totals = json.loads(file.read_text())["totals"]
    taken = 100 * totals["covered_branches"] / totals["num_branches"]
    wanted = measured.get_option("report:fail_under")
    assert isinstance(wanted, float)
    print(f"{taken:.2f} % of {totals['num_branches']} branches, {together:.2f} % of statements and branches together")
    if taken < wanted:
        sys.exit(f"{wanted:g} % of the branches are wanted; what is missing is above")


if __name__ == "__main__":
    main()
