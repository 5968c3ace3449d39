"""The checker is checked: a true history has no violations, and every planted untruth is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from torture.answers import Answer
from torture.digests import state_of, sum_of
from torture.edits import REFUSED, UNKNOWN, ItemEdit
from torture.history import History
from torture.items import Operation
from torture.ledger import BINDINGS, Entry, Held
from torture.ledger import ITEMS as STOCK
from torture.planted import ITEMS, OPERATIONS, RECORDS, asked, shown, true_history


def test_a_true_history_has_no_violation() -> None:
    assert true_history().violations() == []


def change_answer(dear: bool = False, **fields: Any) -> Callable[[History], None]:
    """Another answer, as that of revision 3 and seq 3 but for `fields`."""

    def plant(history: History) -> None:
        last = next(answer for answer in history.answers if (answer.seq, answer.dear) == (3, dear))
        history.answers[replace(last, **fields)] += 1

    return plant


def show(*items: tuple[str, str, float | None, str | None], dear: bool = False) -> Callable[[History], None]:
    """The same with other items: of each id, title, price and department."""
    return change_answer(dear, shown=tuple((item_id, tuple(facts)) for item_id, *facts in items))


def change_entry(number: int, kind: str = BINDINGS, **fields: Any) -> Callable[[History], None]:
    def plant(history: History) -> None:
        entries = history.ledgers[kind].entries
        entries[number] = replace(entries[number], **fields)

    return plant


def lose(number: int, kind: str = BINDINGS) -> Callable[[History], object]:
    return lambda history: history.ledgers[kind].entries.pop(number)


def change_held(kind: str = BINDINGS, **fields: Any) -> Callable[[History], None]:
    def plant(history: History) -> None:
        [(number, held)] = history.ledgers[kind].checkpoints.items()
        history.ledgers[kind].checkpoints[number] = replace(held, **fields)

    return plant


def move_held(history: History) -> None:
    checkpoints = history.ledgers[BINDINGS].checkpoints
    checkpoints[9] = checkpoints[3]


def change_edit(key: str, **fields: Any) -> Callable[[History], None]:
    def plant(history: History) -> None:
        history.edits[key] = replace(history.edits[key], **fields)

    return plant


def commit_again(history: History) -> None:
    history.remember(BINDINGS, [replace(history.ledgers[BINDINGS].entries[2], key="another")], None)


def goes_back(to: int) -> Callable[[History], None]:
    """An answer as the one of revision `to` comes again in the end."""

    def plant(history: History) -> None:
        world = history.ledgers[BINDINGS].replay([])[to]
        document = shown(to, to - 1, dict(world.records), {"b_z": "1-4", "b_f": "0-7"})
        history.answered("serve#1", history.floor("serve#1"), asked(), 200, document)

    return plant


def applied_and_not_served(kind: str, number: int) -> Callable[[History], None]:
    def plant(history: History) -> None:
        history.lives = lambda: {"serve#1": ["serve"], "other#1": ["other-1", "other-2"]}
        history.applied("other-1", kind, number)
        assert history.floor("other#1")[kind] == 0, "the other one behind its port may answer"
        history.applied("other-2", kind, number)
        world = history.ledgers[BINDINGS].replay([])[2]
        document = shown(2, 1, dict(world.records), {"b_z": "1-4", "b_f": "0-7"})
        history.answered("other#1", history.floor("other#1"), asked(), 200, document)

    return plant


MUG, LAST = ("i050", "red mug", None, None), ("new", "lamp", 1002.0, "s-2")


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (lose(3), "acknowledged and lost"),
        (change_entry(3, key="somebody else's"), "acknowledged and lost"),
        (lose(2), "follows"),
        (change_entry(2, epoch="e2"), "follows"),
        (change_entry(2, state="0" * 64), "does not follow from its records"),
        (commit_again, "committed twice"),
        (change_edit("k3", words=("other",)), "other words or items"),
        (change_edit("k3", items=("i001",)), "other words or items"),
        (change_edit("k3", slot="2-9"), "another slot"),
        (change_edit("k3", binding="b_other"), "another binding"),
        (change_edit("k2", op="unbind"), "unbound and still there"),
        (change_edit("k2", outcome=REFUSED), "refused and done"),
        (change_entry(2, key="k1"), "carried out 2 times"),
        (change_held(records={}), "the store's records"),
        (change_held(slots={}), "the store's slots"),
        (change_held(words={}), "the store's words"),
        (change_held(state="0" * 64), "the store's digest"),
        (move_held, "which its log does not hold"),
        (change_answer(revision=9), "a revision that no log holds"),
        (change_answer(epoch="e2"), "an epoch that is not its revision's"),
        (change_answer(active="0" * 64), "an active digest"),
        (change_answer(revision=2), "items that are not its revision's"),
        (change_answer(revision=1), "an active digest"),
        (change_answer(applied=()), "bindings applied"),
        (change_answer(applied=(("b_z", "1-5", "zorb"),)), "bindings applied"),
        (change_answer(brought=ITEMS), "items that are not its revision's"),
        (change_answer(brought=()), "items that are not its revision's"),
        (change_answer(first=False), "bound items behind others"),
        (change_answer(state="none"), "without bindings shows some"),
        (lambda h: h.answered("serve#1", h.floor("serve#1"), asked(), 503, {"title": "no"}), "with 503"),
        (goes_back(2), "went back to 2 of the bindings after 3"),
        (goes_back(2), "went back to 1 of the items after 4"),
        (applied_and_not_served(BINDINGS, 3), "went back to 2 of the bindings after 3"),
        # ---- items
        (lose(4, STOCK), "acknowledged and lost"),
        (lose(3, STOCK), "acknowledged and lost"),
        (change_entry(4, STOCK, key="somebody else's"), "acknowledged and lost"),
        (lose(2, STOCK), "follows"),
        (change_entry(3, STOCK, state="0" * 32), "does not follow from its records"),
        (change_held(STOCK, records={"new": RECORDS[4]}), "the store's records"),
        (change_held(STOCK, state="0" * 32), "the store's digest"),
        (change_edit("s-3", outcome=REFUSED), "refused and done"),
        (change_edit("s-2", operations=OPERATIONS["s-2"][:1], told=("updated",)), "other edits of items"),
        (change_edit("s-1", operations=(Operation("put", "new", {"title": "lamp"}),)), "other edits of items"),
        (change_edit("s-2", told=("updated", "deleted", "deleted")), "told otherwise"),
        (change_edit("s-9", operations=OPERATIONS["s-3"], told=("deleted",)), "told otherwise"),
        (change_edit("s-2", outcome=UNKNOWN, numbers=(), operations=OPERATIONS["s-3"]), "other edits of items"),
        (change_answer(index="another"), "another index"),
        (change_answer(seq=9), "a seq that no feed holds"),
        (change_answer(seq=2), "a seq in the middle of a batch"),
        (change_answer(seq=4), "items that are not its seq's"),
        (change_answer(seq=1), "items that are not its seq's"),
        (change_answer(brought=("i050",)), "its seq's"),
        (show(MUG, ("new", "lamp", 1002.0, "s-1")), "items that are not its seq's"),
        (show(MUG, LAST, ("i003", "red mug", None, None)), "items that are not its seq's"),
        (show(MUG, ("i050", "blue mug", None, None)), "items that are not its seq's"),
        (show(dear=True), "not all the items that pass its filter"),
        (show(LAST, MUG, dear=True), "not all the items that pass its filter"),
        (applied_and_not_served(STOCK, 3), "went back to 1 of the items after 3"),
    ],
)
def test_an_untruth_is_named(plant: Callable[[History], object], named: str) -> None:
    history = true_history()
    plant(history)
    assert any(named in found for found in history.violations()), history.violations()


async def test_an_answer_that_is_given_while_the_store_is_remembered_is_judged_the_next_time() -> None:
    """Records are let go while no writer writes: it may show a seq that was not there yet when the store was read."""
    history = true_history()
    newer = replace(next(answer for answer in history.answers if answer.seq == 4), seq=5)
    kept = {"new": RECORDS[4]}
    entry = Entry(5, "trim", "f1", sum_of(kept), "", ())

    async def remember() -> None:
        history.answers[newer] += 1

    assert await history.judge(remember) == []
    assert dict(history.answers) == {newer: 1}, "the others were judged, and are forgotten"

    async def remember_all() -> None:
        history.remember(STOCK, [entry], Held("f1", 5, entry.state, kept))

    assert await history.judge(remember_all) == []
    history.answers[replace(newer, seq=6)] += 1
    assert ["a seq that no feed holds" in found for found in await history.judge(remember_all)] == [True]


def test_an_update_of_one_revision_is_not_torn_into_another() -> None:
    """The digest of active bindings knows nothing of items: an answer with the older items is torn all the same."""
    history = true_history()
    old, new = (next(a for a in history.answers if a.seq == seq) for seq in (1, 3))
    assert old.active == new.active
    history.answers[replace(new, brought=old.brought)] += 1
    assert len(history.violations()) == 1


def test_an_unknown_edit_may_be_there_or_not() -> None:
    history = true_history()
    for key in ("k3", "s-2"):
        history.edits[key] = replace(history.edits[key], outcome=UNKNOWN, number=0, numbers=())
    assert history.violations() == []
    history.edits["s-8"] = ItemEdit(key="s-8", operations=OPERATIONS["s-3"], doubtful=1)
    assert history.violations() == []
    assert history.lost() == []


def test_a_restore_brings_back_what_was_there_but_for_the_revision_stamps() -> None:
    history = true_history()
    ledger = history.ledgers[BINDINGS]
    before = ledger.checkpoints[3]
    again = {key: text.replace('"revision": 3', '"revision": 1003') for key, text in before.records.items()}
    entry = Entry(1003, "restore", "e2", state_of(again), "restore-e2", ())
    history.remember(BINDINGS, [entry], Held("e2", 1003, entry.state, again, before.slots, before.words))
    items = history.ledgers[STOCK].checkpoints[4]
    history.remember(
        STOCK, [Entry(1004, "restore", "f2", items.state, "", ())], replace(items, epoch="f2", number=1004)
    )
    assert history.violations() == []
    ledger.checkpoints[1003] = Held("e2", 1003, entry.state, {"b_f": again["b_f"]}, {"0-7": "b_f"}, {"fraxo": "b_f"})
    ledger.entries[1003] = replace(entry, state=state_of({"b_f": again["b_f"]}))
    assert [found for found in history.violations() if "brought back" in found]


def let_go(kept: dict[str, str]) -> History:
    """The true history, after which the store let all but these records go."""
    history = true_history()
    entry = Entry(5, "trim", "f1", sum_of(kept), "", ())
    history.remember(STOCK, [entry], Held("f1", 5, entry.state, kept))
    last = next(answer for answer in history.answers if answer.seq == 4)
    history.answers[replace(last, seq=5, index="next")] += 1
    return history


def test_records_that_an_index_holds_are_let_go_the_oldest_first_and_items_stay_what_they_are() -> None:
    history = let_go({"new": RECORDS[4]})
    assert [found for found in history.violations() if "another index" not in found] == []
    assert history.violations(), "nobody made that index"
    history.indexes.add("next")
    assert history.violations() == []
    history.answers[replace(next(a for a in history.answers if a.seq == 1), seq=5)] += 1
    assert any("items that are not its seq's" in found for found in history.violations())
    newest_first = let_go({"i003": RECORDS[3]})
    assert any("the state of 5 does not follow from its records" in found for found in newest_first.violations())


def test_equal_answers_are_counted_once_and_differing_ones_apart() -> None:
    history = true_history()
    assert len(history.answers) == 5
    answer = next(iter(history.answers))
    assert Answer.read(json.loads(json.dumps(asdict(answer)))) == answer
    assert sum(history.answers.values()) == 5
