"""The checker is checked: it agrees with every order tried by brute force, and refuses what is known to be wrong."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linearizability.checker import NEVER, Operation, Undecided, misplaced, unexplained
from linearizability.register import ABSENT, ANY, Asked, State, Told, Verb, step

ONE, TWO = ("mug", 1), ("mug", 2)


def read(call: int, back: int, value: tuple[str, int] | None, version: int | None = None) -> Operation:
    return Operation(call, back, Asked(Verb.GET), Told("read", value, version))


def put(call: int, back: int, value: tuple[str, int], version: int, match: int | None = None) -> Operation:
    return Operation(
        call, back, Asked(Verb.PUT, value, match), Told("updated" if version > 1 else "created", None, version)
    )


def delete(call: int, back: int, version: int) -> Operation:
    return Operation(call, back, Asked(Verb.DELETE), Told("deleted", None, version))


def orders(history: Sequence[Operation]) -> Iterator[Sequence[Operation]]:
    """Every order of all operations with an answer and some without that contradicts nobody's clock."""
    unsure = [one for one in history if one.back == NEVER]
    known = [one for one in history if one.back != NEVER]
    for count in range(len(unsure) + 1):
        for happened in itertools.combinations(unsure, count):
            for order in itertools.permutations([*known, *happened]):
                if all(later.back > earlier.call for earlier, later in itertools.combinations(order, 2)):
                    yield order


def explained(history: Sequence[Operation]) -> bool:
    """The definition, word for word."""
    for order in orders(history):
        state: State | None = ABSENT
        for one in order:
            state = None if state is None else step(state, one)
        if state is not None:
            return True
    return False


VALUES = st.tuples(st.just("a"), st.integers(1, 2))
VERSIONS = st.none() | st.integers(1, 3)
MATCHES = st.none() | st.sampled_from([ANY, 1, 2])
READS = st.builds(lambda value, version: (Asked(Verb.GET), Told("read", value, version)), st.none() | VALUES, VERSIONS)
ASKED = st.one_of(
    st.builds(Asked, st.sampled_from([Verb.PUT, Verb.BIND, Verb.REPLACE]), VALUES, MATCHES),
    st.builds(lambda value, match: Asked(Verb.PATCH, (None, value[1]), match), VALUES, MATCHES),
    st.builds(Asked, st.just(Verb.DELETE), st.none(), MATCHES),
)
DID = st.sampled_from(["created", "updated", "unchanged", "deleted", "refused"])
EDITS = st.tuples(ASKED, st.none() | st.builds(Told, DID, st.none(), VERSIONS))


@st.composite
def histories(draw: st.DrawFn) -> list[Operation]:
    """Up to five operations at moments of any kind; half of them answered as some order would."""
    pairs = draw(st.lists(READS | EDITS, min_size=1, max_size=5))
    moments = iter(draw(st.permutations(range(2 * len(pairs)))))
    spans = [sorted((next(moments), next(moments))) for _ in pairs]
    history: list[Operation] = []
    state, honest = ABSENT, draw(st.booleans())
    for number, ((call, back), (asked, told)) in enumerate(zip(spans, pairs, strict=True)):
        if honest and told is not None:
            told = truth(state, asked, number + 1)
        one = Operation(call, NEVER if told is None else back, asked, told)
        state = step(state, one) or state
        history.append(one)
    return history


def truth(state: State, asked: Asked, version: int) -> Told:
    """What a register would answer."""
    if asked.verb is Verb.GET:
        return Told("read", state.value, state.version)
    for did in ("created", "updated", "unchanged", "deleted", "refused"):
        told = Told(did, None, state.version if did == "unchanged" else version)
        if step(state, Operation(0, 1, asked, told)) is not None:
            return told
    raise AssertionError(f"{asked} has no answer in {state}")


@settings(max_examples=200)
@given(history=histories())
def test_the_verdict_is_that_of_every_order_tried(history: list[Operation]) -> None:
    assert (unexplained(history, ABSENT, step) == []) is explained(history)


KNOWN_WRONG = {
    "a lost update": [put(0, 1, ONE, 1), put(2, 3, TWO, 2), read(4, 5, ONE, 1)],
    "two edits of one version": [put(0, 1, ONE, 1), put(2, 5, ONE, 2, match=1), put(3, 4, TWO, 3, match=1)],
    "a stale read": [put(0, 1, ONE, 1), read(2, 3, None)],
    "a read that goes back": [put(0, 9, ONE, 1), read(1, 2, ONE, 1), read(3, 4, None)],
    "a deletion that comes back": [put(0, 1, ONE, 1), delete(2, 3, 2), read(4, 5, None), read(6, 7, ONE, 1)],
    "a write that is done twice": [put(0, 1, ONE, 1), put(2, 3, TWO, 2), read(4, 5, TWO, 2), read(6, 7, ONE, 3)],
    "a write that nobody made": [put(0, 1, ONE, 1), read(2, 3, TWO, 2)],
    "a read of the future": [read(0, 1, ONE, 1), put(2, 3, ONE, 1)],
    "a refusal without a reason": [
        put(0, 1, ONE, 1),
        Operation(2, 3, Asked(Verb.PATCH, (None, 2), 1), Told("refused")),
    ],
    "an old version that still matches": [
        put(0, 1, ONE, 1),
        put(2, 3, TWO, 2),
        Operation(4, 5, Asked(Verb.DELETE, None, 1), Told("deleted", None, 3)),
    ],
    "numbers that go back": [put(0, 1, ONE, 2), put(2, 3, TWO, 1)],
    "an unanswered write that is undone": [
        Operation(0, NEVER, Asked(Verb.PUT, ONE), None),
        read(1, 2, ONE, 1),
        read(3, 4, None),
    ],
}


@pytest.mark.parametrize("name", KNOWN_WRONG)
def test_what_is_known_to_be_wrong_is_refused(name: str) -> None:
    assert unexplained(KNOWN_WRONG[name], ABSENT, step)


def test_what_got_no_answer_may_have_been_done_at_any_later_time_or_never() -> None:
    lost = Operation(0, NEVER, Asked(Verb.PUT, ONE), None)
    assert not unexplained([lost, read(1, 2, None), read(3, 4, ONE, 1)], ABSENT, step)
    assert not unexplained([lost, read(1, 2, None), read(3, 4, None)], ABSENT, step)
    assert unexplained([lost._replace(call=3), read(1, 2, ONE, 1)], ABSENT, step)


def test_the_operations_around_the_one_that_is_wrong_are_named() -> None:
    before = [put(2 * n, 2 * n + 1, ("mug", n), n + 1) for n in range(50)]
    wrong = read(200, 203, ("mug", 3), 4)
    beside = read(201, 202, ("mug", 49), 50)
    assert unexplained([*before, beside, wrong], ABSENT, step) == [wrong, beside]


def test_what_is_tried_grows_with_the_length_of_a_history_and_not_with_its_orders() -> None:
    """400 times eight clients at once, in an order that their calls do not tell: 40 320 to the power of 400 orders."""
    chance, state = random.Random(0), ABSENT
    history: list[Operation] = []
    for turn in range(400):
        for place in chance.sample(range(8), 8):
            asked = chance.choice([Asked(Verb.GET), Asked(Verb.PUT, ("mug", chance.random()))])
            told = truth(state, asked, (state.version or 0) + 1)
            history.append(Operation(16 * turn + place, 16 * turn + 8 + place, asked, told))
            state = step(state, history[-1]) or state
    assert not unexplained(history, ABSENT, step, limit=400 * 2**8)


def test_a_search_that_is_too_long_is_no_verdict() -> None:
    unsure = [Operation(n, NEVER, Asked(Verb.PUT, ("mug", n)), None) for n in range(12)]
    with pytest.raises(Undecided):
        unexplained([*unsure, read(20, 21, ("lamp", 0))], ABSENT, step, limit=1000)


def test_numbers_are_given_once_and_in_the_order_of_time() -> None:
    assert not misplaced([(0, 3, 2), (1, 4, 1), (5, 6, 3)])
    assert misplaced([(0, 1, 2), (2, 3, 1)]) == ["edit 1 was asked for after edit 2 was answered"]
    assert misplaced([(0, 2, 1), (1, 3, 1)]) == ["edit 1 was two"]
