"""A training whose time ends early says how many steps there were, and what would be needed for all."""

import pytest

from slotbeam_train.budget import FEW_STEPS, few_steps


@pytest.mark.parametrize("done", [4500, 5000, round(FEW_STEPS * 4500)])
def test_where_most_steps_are_reached_nothing_is_said(done: int) -> None:
    assert few_steps(done, 4500, 1000.0, 200.0) is None


def test_a_third_of_the_steps_is_said_with_the_minutes_that_all_of_them_take() -> None:
    said = few_steps(1500, 4500, 600.0, 300.0)
    assert said is not None
    assert "1500 steps of the 4500" in said
    assert "33%" in said
    assert "400 ms a step" in said
    assert "--minutes 35" in said  # 30 for three times the steps, 5 for all else


def test_a_training_without_a_step_is_said_too() -> None:
    assert "0 steps of the 4500" in str(few_steps(0, 4500, 0.0, 60.0))
