"""The judge of answers is checked: one that rules explain is true, and any other is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from torture.answers import NO_SLOT, Answer, Truth
from torture.digests import active_of, items_of
from torture.edits import ACKNOWLEDGED, RuleEdit
from torture.ledger import Entry, World

BASE: dict[str, dict[str, Any]] = {item: {"id": item, "title": "red mug"} for item in ("a", "b", "c", "d")}
TIMES = {"draft": False, "starts_at": None, "ends_at": None}


def rule(word: str, mark: str, hide: tuple[str, ...], positions: tuple[str, ...]) -> str:
    said = {"hide": hide, "positions": positions, "metadata": json.dumps({"mark": mark}), "category": ""}
    return json.dumps({"words": [word], "items": items_of(()), **TIMES, **said})


RECORDS = {
    "b_r": rule("grelp", "k1", ("a",), ("c", "gone")),
    "b_s": rule("tunsk", "k2", ("c",), ("a", "b")),
    "b_z": json.dumps({"words": ["zorb"], "items": items_of(("a", "b")), "category": "brand", **TIMES}),
}
SERVED = {"b_r": NO_SLOT, "b_s": NO_SLOT, "b_z": "1-4"}
TRUTH = Truth(
    codebook_sha="c0de",
    indexes={"tiny"},
    base=BASE,
    bindings={1: World(RECORDS, {"b_z": "1-4"})},
    items={0: World()},
    log={1: Entry(1, "bind", "e1", "", "", ())},
    feed={},
    lists={items_of(("a", "b")): ("a", "b"), items_of(()): ()},
)
HEAD: dict[str, Any] = {
    "bindings": {"state": "live", "epoch": "e1", "revision": 1, "active": active_of("c0de", SERVED)},
    "catalog": {"index": "tiny", "state": "live", "seq": 0},
    "applied_bindings": [{"id": "b_z", "slot": "1-4", "word": "zorb"}],
}


def answer(sources: dict[str, str], *rules: tuple[str, str, str]) -> Answer:
    applied = {"applied_rules": [{"id": key, "word": word} for key, word, _ in rules]}
    applied |= {"metadata": [{"mark": mark} for *_, mark in rules]}
    items = [{**BASE[item], "source": source} for item, source in sources.items()]
    return Answer.of("serve#1", {"query": "grelp zorb mug"}, {**HEAD, "items": items, **applied})


TRUE = answer({"c": "rule", "b": "binding", "d": "model"}, ("b_r", "grelp", "k1"))


def test_what_rules_explain_is_true_and_what_is_first_goes_before_what_is_bound() -> None:
    assert TRUTH.wrong(TRUE) == ""
    assert Answer.read(json.loads(json.dumps({name: getattr(TRUE, name) for name in Answer.__slots__}))) == TRUE
    both = answer({"b": "rule", "d": "model"}, ("b_s", "tunsk", "k2"), ("b_r", "grelp", "k1"))
    assert TRUTH.wrong(replace(both, query="tunsk grelp zorb mug")) == "", "each hides what the other puts first"


@pytest.mark.parametrize(
    ("untrue", "named"),
    [
        (answer({"c": "rule", "a": "binding", "b": "binding"}, ("b_r", "grelp", "k1")), "bound items that are not"),
        (answer({"c": "rule", "b": "binding", "a": "model"}, ("b_r", "grelp", "k1")), "hidden at its revision"),
        (answer({"c": "rule", "b": "binding"}), "rules applied"),
        (answer({"c": "rule", "b": "binding"}, ("b_s", "tunsk", "k2")), "rules applied"),
        (answer({"c": "rule", "b": "binding"}, ("b_r", "grelp", "k0")), "not as at its revision"),
        (answer({"b": "binding", "c": "model"}, ("b_r", "grelp", "k1")), "items first"),
        (answer({"c": "rule", "b": "rule"}, ("b_r", "grelp", "k1")), "items first"),
        (answer({"b": "binding", "c": "rule"}, ("b_r", "grelp", "k1")), "behind others"),
        (replace(TRUE, active=active_of("c0de", {"b_z": "1-4"})), "an active digest"),
        (replace(TRUE, state="none", applied=(), brought=(), leading=()), "without bindings shows some"),
    ],
)
def test_what_they_do_not_explain_is_named(untrue: Answer, named: str) -> None:
    assert named in TRUTH.wrong(untrue)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, ""),
        ({"hide": ("b",)}, "another rule"),
        ({"positions": ("gone", "c")}, "another rule"),
        ({"key": "k2"}, "another rule"),
        ({"op": "unbind"}, "unbound and still there"),
    ],
)
def test_a_rule_is_made_as_it_was_asked_for(fields: dict[str, Any], named: str) -> None:
    given = {"key": "k1", "op": "bind", "words": ("grelp",), "hide": ("a",), "positions": ("c", "gone"), **fields}
    edit = RuleEdit(outcome=ACKNOWLEDGED, **given)
    done = Entry(1, "bind", "e1", "", "k1", ({"id": "b_r", "after": RECORDS["b_r"], "slot": None},))
    assert edit.differs([done], World(), BASE) == named
