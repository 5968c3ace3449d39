"""Items as they were given: a line is the same however it is read, and however often."""

from __future__ import annotations

import random

from slotbeam.arrays import Strings
from slotbeam.catalog.sources import BLOCK, Sources, compressed


def test_a_line_is_the_same_one_by_one_among_others_and_again() -> None:
    lines = [b'{"id":"i%d","title":"%s"}' % (n, b"x" * (5000 if n % 7 == 0 else n % 50)) for n in range(40 * BLOCK + 9)]
    blocks = [compressed(lines[start : start + BLOCK]) for start in range(0, len(lines), BLOCK)]
    sources, rng = Sources(Strings.of_bytes(blocks)), random.Random(0)
    for number in range(200):
        row = rng.randrange(len(lines))
        assert sources[row] == lines[row]
        if number % 20 == 0:
            rows = sorted(rng.sample(range(len(lines)), 30))
            assert sources.take(rows) == [lines[row] for row in rows]
    assert [sources[row] for row in range(len(lines))] == lines, "more than are remembered"
    assert sources.take(range(len(lines))) == lines
    assert sources.take([]) == []
