"""The checker is checked: a true history has no violations, and every planted untruth is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from torture.digests import active_of, items_of, state_of
from torture.history import ACKNOWLEDGED, REFUSED, UNKNOWN, Answer, Edit, Entry, Held, History

BOOK = "c0de"
ITEMS = ("i001", "i002")


def record(word: str, revision: int, items: tuple[str, ...] = ITEMS, **fields: Any) -> str:
    given = {"words": [word], "items": items_of(items), "draft": False, "starts_at": None, "ends_at": None}
    return json.dumps({**given, "revision": revision, **fields})


def entry(revision: int, records: dict[str, str], key: str, change: dict[str, Any], epoch: str = "e1") -> Entry:
    return Entry(revision, "bind", epoch, state_of(records), key, (change,))


def true_history() -> History:
    """Two words are bound, one of them is updated, and each revision is seen."""
    history = History(BOOK, [*ITEMS, "i003"])
    zorb, fraxo, other = record("zorb", 1), record("fraxo", 2), record("zorb", 3, ("i003",))
    worlds = [{}, {"b_z": zorb}, {"b_z": zorb, "b_f": fraxo}, {"b_z": other, "b_f": fraxo}]
    slots = {"b_z": "1-4", "b_f": "0-7"}
    for revision, (binding, word) in enumerate([("b_z", "zorb"), ("b_f", "fraxo"), ("b_z", "zorb")], 1):
        items = ("i003",) if revision == 3 else ITEMS
        text = worlds[revision][binding]
        change = {"id": binding, "slot": slots[binding], "before": worlds[revision - 1].get(binding), "after": text}
        history.remember([entry(revision, worlds[revision], f"k{revision}", change)], None)
        history.edits[f"k{revision}"] = Edit(
            f"k{revision}", "bind", (word,), items, binding, ACKNOWLEDGED, revision, slots[binding], 1
        )
    history.edits["k9"] = Edit("k9", "bind", ("snarv",), ITEMS, outcome=REFUSED)
    history.edits["k8"] = Edit("k8", "bind", ("snarv",), ITEMS, outcome=UNKNOWN, doubtful=1)
    history.remember([], Held("e1", 3, "", worlds[3], {"1-4": "b_z", "0-7": "b_f"}, {"zorb": "b_z", "fraxo": "b_f"}))
    for revision in (1, 2, 3):
        history.answered("serve#1", history.floor("serve#1"), "zorb mug", 200, shown(revision, worlds[revision], slots))
    return history


def shown(revision: int, records: dict[str, str], slots: dict[str, str], **bindings: Any) -> dict[str, Any]:
    active = active_of(BOOK, {key: slots[key] for key in records})
    brought = ["i003"] if revision == 3 else list(ITEMS)
    return {
        "bindings": {"state": "live", "epoch": "e1", "revision": revision, "active": active, **bindings},
        "applied_bindings": [{"id": "b_z", "slot": "1-4", "word": "zorb"}],
        "items": [*({"id": i, "source": "binding"} for i in brought), {"id": "i050", "source": "model"}],
    }


def test_a_true_history_has_no_violation() -> None:
    assert true_history().violations() == []


def change_answer(**fields: Any) -> Callable[[History], None]:
    def plant(history: History) -> None:
        last = max(history.answers, key=lambda answer: answer.revision)
        history.answers[replace(last, **fields)] += 1

    return plant


def change_entry(revision: int, **fields: Any) -> Callable[[History], None]:
    def plant(history: History) -> None:
        history.entries[revision] = replace(history.entries[revision], **fields)

    return plant


def change_held(**fields: Any) -> Callable[[History], None]:
    def plant(history: History) -> None:
        history.checkpoints[3] = replace(history.checkpoints[3], **fields)

    return plant


def change_edit(key: str, **fields: Any) -> Callable[[History], None]:
    def plant(history: History) -> None:
        history.edits[key] = replace(history.edits[key], **fields)

    return plant


def goes_back(history: History) -> None:
    floor = history.floor("serve#1")
    answer = next(answer for answer in history.answers if answer.revision == 2)
    document = {
        "bindings": {"state": "live", "epoch": "e1", "revision": 2, "active": answer.active},
        "applied_bindings": [{"id": "b_z", "slot": "1-4", "word": "zorb"}],
        "items": [{"id": item, "source": "binding"} for item in ITEMS],
    }
    history.answered("serve#1", floor, "zorb mug", 200, document)


def applied_and_not_served(history: History) -> None:
    history.lives = lambda: ["serve#1", "other#1"]
    history.applied("other", 3)
    answer = next(answer for answer in history.answers if answer.revision == 2)
    document = {"bindings": {"state": "live", "epoch": "e1", "revision": 2, "active": answer.active}}
    history.answered("other#1", history.floor("other#1"), "mug", 200, {**document, "applied_bindings": [], "items": []})


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (lambda h: h.entries.pop(3), "acknowledged and lost"),
        (change_entry(3, key="somebody else's"), "acknowledged and lost"),
        (lambda h: h.entries.pop(2), "follows"),
        (change_entry(2, epoch="e2"), "follows"),
        (change_entry(2, state="0" * 64), "does not follow from its records"),
        (lambda h: h.remember([replace(h.entries[2], key="another")], None), "committed twice"),
        (change_edit("k3", words=("other",)), "other words or items"),
        (change_edit("k3", items=("i001",)), "other words or items"),
        (change_edit("k3", slot="2-9"), "another slot"),
        (change_edit("k3", binding="b_other"), "another binding"),
        (change_edit("k2", op="unbind"), "unbound and still there"),
        (change_edit("k2", outcome=REFUSED), "refused and done"),
        (change_entry(2, key="k1"), "carried out 2 times"),
        (change_held(records={}), "the store holds"),
        (change_held(slots={}), "the store's slots"),
        (change_held(words={}), "the store's words"),
        (lambda h: h.checkpoints.update({9: h.checkpoints[3]}), "which its log does not hold"),
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
        (lambda h: h.answered("serve#1", 0, "mug", 503, {"title": "no"}), "with 503"),
        (goes_back, "went back to revision 2 after 3"),
        (applied_and_not_served, "went back to revision 2 after 3"),
    ],
)
def test_an_untruth_is_named(plant: Callable[[History], object], named: str) -> None:
    history = true_history()
    plant(history)
    assert any(named in found for found in history.violations()), history.violations()


def test_an_update_of_one_revision_is_not_torn_into_another() -> None:
    """The digest of active bindings knows nothing of items: an answer with the older items is torn all the same."""
    history = true_history()
    old, new = (next(a for a in history.answers if a.revision == revision) for revision in (2, 3))
    assert old.active == new.active
    history.answers[replace(new, brought=old.brought)] += 1
    assert len(history.violations()) == 1


def test_an_unknown_edit_may_be_there_or_not() -> None:
    history = true_history()
    history.edits["k3"].outcome = UNKNOWN
    assert history.violations() == []
    assert history.lost() == []


def test_a_restore_brings_back_what_was_there_but_for_the_revision_stamps() -> None:
    history = true_history()
    before = history.checkpoints[3]
    again = {key: text.replace('"revision": 3', '"revision": 1003') for key, text in before.records.items()}
    entry = Entry(1003, "restore", "e2", state_of(again), "restore-e2", ())
    history.remember([entry], Held("e2", 1003, entry.state, again, before.slots, before.words))
    assert history.violations() == []
    history.checkpoints[1003] = Held("e2", 1003, entry.state, {"b_f": again["b_f"]}, {"0-7": "b_f"}, {"fraxo": "b_f"})
    history.entries[1003] = replace(entry, state=state_of({"b_f": again["b_f"]}))
    assert [found for found in history.violations() if "brought back" in found]


def test_equal_answers_are_counted_once_and_differing_ones_apart() -> None:
    history = true_history()
    assert len(history.answers) == 3
    answer = next(iter(history.answers))
    assert isinstance(answer, Answer)
    assert sum(history.answers.values()) == 3
