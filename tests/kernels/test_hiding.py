"""What is hidden from CPUID is hidden from the libraries; what is left computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernels import HIDDEN, NUMERIC, SWITCHES, hiding

SEEN = """
import json, numpy
from numpy._core._multiarray_umath import __cpu_features__ as seen
a = numpy.arange(64.0).reshape(8, 8)
print(json.dumps([seen["AVX512F"], seen["AVX2"] or seen["FMA3"], seen["AVX"], float((a @ a).sum())]))
"""


@pytest.mark.parametrize(("level", "avx2", "avx"), [("avx2", True, True), ("avx", False, True), ("sse", False, False)])
def test_no_instruction_above_the_level_is_seen(level: str, avx2: bool, avx: bool, tmp_path: Path) -> None:
    environment = hiding(level, tmp_path)
    if not environment:
        pytest.skip("CPUID cannot be made to fault on this processor")
    argv, variables = [sys.executable, "-c", SEEN], {**os.environ, **environment}
    done = subprocess.run(argv, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    saw_avx512, saw_avx2, saw_avx, total = json.loads(done.stdout)
    assert not saw_avx512
    assert saw_avx2 <= avx2
    assert saw_avx <= avx
    assert total == sum((8 * i + k) * (8 * k + j) for i in range(8) for j in range(8) for k in range(8))


def test_the_numeric_tests_are_where_they_are_looked_for() -> None:
    assert all((Path(__file__).parents[1] / name).exists() for name in NUMERIC.split())


def test_every_level_has_switches_too() -> None:
    assert SWITCHES.keys() == HIDDEN.keys()
    assert len({frozenset(switches) for switches in SWITCHES.values()}) == 1
