"""What the words of slotbeam do by themselves."""

from contextlib import suppress

from slotbeam.types import Timings


def test_a_stage_holds_the_seconds_of_all_that_ran_in_it_even_what_failed():
    timings = Timings()
    timings.add("decode", 2.5)
    with timings.stage("decode"):
        pass
    with suppress(KeyError), timings.stage("rank"):
        raise KeyError
    assert set(timings.stages) == {"decode", "rank"}
    assert timings.stages["decode"] >= 2.5
    assert timings.stages["rank"] >= 0
