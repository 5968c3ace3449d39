"""What the words of slotbeam do by themselves."""

from contextlib import suppress

from slotbeam.types import QueryStage, Timings


def test_a_stage_holds_the_seconds_of_all_that_ran_in_it_even_what_failed():
    timings = Timings()
    timings.add(QueryStage.DECODE, 2.5)
    with timings.stage(QueryStage.DECODE):
        pass
    with suppress(KeyError), timings.stage(QueryStage.RANK):
        raise KeyError
    assert set(timings.stages) == {QueryStage.DECODE, QueryStage.RANK}
    assert timings.stages[QueryStage.DECODE] >= 2.5
    assert timings.stages[QueryStage.RANK] >= 0
