"""Why one word represents its group and another does not, and a table that fits its dictionary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slotbeam.errors import ArtifactError
from slotbeam.kae.importance import Candidate, Importance

WORDS = ("loser", "winner")
MUG, LAMP, DESK, RED, BLUE = range(5)
TABLE = Importance(np.array([1, 1, 1, 2, 5]), np.array([[MUG, LAMP]]), np.full(5, -1))
"""A mug is what is sold where a lamp is named, too; blue is more important than red."""

MUG_FIRST, DESK_LATER = Candidate(0, 4, MUG, entity=True), Candidate(9, 13, DESK, entity=True)
WORD = Candidate(0, 4, BLUE, entity=False)
REASONS = (
    (DESK_LATER, DESK_LATER._replace(start=0, end=4), "the same word as 'winner' elsewhere"),
    (MUG_FIRST, WORD._replace(start=9, end=12), "an entity comes first: 'winner'"),
    (MUG_FIRST, DESK_LATER._replace(segment=1), "named in the description only"),
    (
        MUG_FIRST,
        DESK_LATER._replace(concept=LAMP),
        "learned head: with 'loser' and 'winner', 'winner' is what is sold",
    ),
    (MUG_FIRST, DESK_LATER._replace(head=False), "outside the head part; 'winner' is inside"),
    (DESK_LATER, MUG_FIRST, "'winner' is the later word of the head part"),
    (MUG_FIRST._replace(head=False), DESK_LATER._replace(head=False), "'winner' comes first"),
    (WORD._replace(concept=RED, typed=True), WORD, "'winner' is a typed attribute"),
    (WORD, WORD._replace(concept=RED), "'winner' is more important (5.00)"),
    (WORD._replace(concept=MUG), WORD._replace(concept=LAMP, end=3), "'winner' is longer"),
    (WORD._replace(concept=MUG), WORD._replace(concept=LAMP, start=9, end=13), "'winner' comes first"),
)


@pytest.mark.parametrize(("winner", "loser", "why"), REASONS, ids=[why for *_, why in REASONS])
def test_the_sentence_gives_the_rule_that_decided(winner: Candidate, loser: Candidate, why: str) -> None:
    assert TABLE.choose([loser, winner]) == TABLE.choose([winner, loser]) == winner
    assert TABLE.why_not(loser, winner, WORDS) == why


def test_a_table_of_another_dictionary_is_refused(tmp_path: Path) -> None:
    TABLE.save(tmp_path)
    assert Importance.load(tmp_path, 5).beats(MUG, LAMP)
    with pytest.raises(ArtifactError, match=r"importance_.* do not fit 6 concepts"):
        Importance.load(tmp_path, 6)
