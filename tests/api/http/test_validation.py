"""What a body's model refuses is named: the field, what was given, what is allowed there."""

from __future__ import annotations

import pytest
from pydantic import Field

from slotbeam.api.http.bodies import Strict
from slotbeam.api.http.validation import validate
from slotbeam.errors import InputError


class Handle(Strict):
    side: str = Field("", alias="at")


class Mug(Strict):
    k: int = Field(10, ge=1, le=1000)
    name: str
    handles: list[Handle] | None = None
    lid: Handle | None = None
    either: Handle | list[Handle] | Strict | None = None


def refusal(value: object) -> str:
    with pytest.raises(InputError) as caught:
        validate(Mug, value)
    return str(caught.value)


def test_a_validation_error_names_the_field_the_value_and_the_rule() -> None:
    assert refusal({"k": 5000, "name": "a"}) == "k: Input should be less than or equal to 1000 (given 5000)"


def test_an_unknown_field_is_answered_with_the_one_that_was_meant_and_the_known_ones() -> None:
    allowed = "allowed: k, name, handles, lid, either"
    assert refusal({"name": "a", "x": 1}) == f"x: unknown field; {allowed}"
    assert refusal({"name": "a", "handle": 1}) == f"handle: unknown field (did you mean handles?); {allowed}"


@pytest.mark.parametrize(
    ("inner", "place"), [({"lid": {"a": 1}}, "lid.a"), ({"handles": [{}, {"a": 1}]}, "handles.1.a")]
)
def test_an_unknown_field_inside_is_answered_with_those_that_are_known_there(
    inner: dict[str, object], place: str
) -> None:
    assert refusal({"name": "a", **inner}) == f"{place}: unknown field (did you mean at?); allowed: at"


def test_of_an_unknown_field_in_one_of_several_models_nothing_is_guessed() -> None:
    assert refusal({"name": "a", "either": {"a": 1}}).endswith("either.Strict.a: unknown field")
