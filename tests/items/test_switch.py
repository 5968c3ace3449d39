"""How one switch of the index follows from another, by cases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slotbeam.errors import Conflict, InputError
from slotbeam.items.record import Digest
from slotbeam.items.replica.trimming import last_held
from slotbeam.items.store.store import ItemsHead
from slotbeam.items.switch import Base, IndexMark, Switch, activation, rollback
from slotbeam.search.watermark import NO_EDITS, Watermark

ROOT = IndexMark("root", "sha-root", NO_EDITS)
FIRST, SECOND = (IndexMark(name, f"sha-{name}", Watermark("e", seq)) for name, seq in (("first", 10), ("second", 20)))
BASE = Base("e", 30, 0)
NOW = 1_800_000_000_000


def activate(now: Switch | None, mark: IndexMark, served: IndexMark = ROOT, base: Base = BASE) -> Switch | None:
    return activation(now, mark, served, base, "ci", NOW)


ONE = Switch(1, "sha-root", FIRST, ROOT, "ci", NOW)


def test_an_activation_names_what_it_took_the_place_of() -> None:
    assert activate(None, FIRST) == ONE
    assert activate(ONE, SECOND, FIRST) == Switch(2, "sha-root", SECOND, FIRST, "ci", NOW)


def test_what_is_active_is_not_activated_again() -> None:
    assert activate(ONE, FIRST, FIRST) is None
    assert activate(None, ROOT) is None


def test_a_control_plane_that_was_given_another_artifact_begins_anew() -> None:
    other = IndexMark("other", "sha-other", NO_EDITS)
    assert activate(ONE, FIRST, other) == Switch(2, "sha-other", FIRST, other, "ci", NOW)
    assert not ONE.concerns("sha-other")
    assert all(ONE.concerns(mark.sha) for mark in (ROOT, FIRST))


def test_a_rollback_goes_back_and_forth() -> None:
    back = rollback(ONE, "first", BASE, "ci", NOW)
    assert (back.number, back.active, back.before) == (2, ROOT, FIRST)
    assert rollback(back, "root", BASE, "ci", NOW) == replace(ONE, number=3)


@pytest.mark.parametrize(("now", "why"), [(None, "none was activated"), (ONE, "first is")])
def test_only_the_active_index_is_rolled_back_from(now: Switch | None, why: str) -> None:
    with pytest.raises(Conflict, match=why):
        rollback(now, "second", BASE, "ci", NOW)


def test_an_index_without_edits_whose_records_are_gone_is_refused() -> None:
    trimmed = replace(BASE, trimmed=11)
    with pytest.raises(Conflict, match="holds edits up to seq 10; records up to 11 were let go"):
        activate(None, FIRST, SECOND, trimmed)
    with pytest.raises(Conflict, match="root holds edits up to seq 0"):
        rollback(ONE, "first", trimmed, "ci", NOW)
    assert activate(None, SECOND, ROOT, trimmed) is not None


def test_an_index_that_knows_more_than_the_store_is_refused() -> None:
    with pytest.raises(Conflict, match="the store is at 9: it is of another store"):
        activate(None, FIRST, base=Base("e", 9, 0))
    assert activate(None, FIRST, base=Base("restored", 9, 0)) is not None, "every record is applied over it"


def test_a_switch_is_read_as_it_was_written() -> None:
    assert Switch.read(ONE.fields()) == ONE


@pytest.mark.parametrize("wrong", [{"number": "one"}, {"active_seq": ""}, {"root": None}])
def test_what_is_no_switch_is_refused(wrong: dict[str, str | None]) -> None:
    fields = {name: value for name, value in {**ONE.fields(), **wrong}.items() if value is not None}
    with pytest.raises(InputError, match="cannot be read"):
        Switch.read(fields)


HEAD = ItemsHead("e", 30, str(Digest()))
TWO = Switch(2, "sha-root", SECOND, FIRST, "ci", NOW)


@pytest.mark.parametrize(
    ("switch", "head", "served", "upto"),
    [
        (TWO, HEAD, ["sha-second", "sha-first", "sha-second"], 10),
        (TWO, HEAD, ["sha-second", "sha-root"], 0),
        (TWO, HEAD, ["sha-second", ""], 0),
        (ONE, HEAD, ["sha-first"], 0),
        (TWO, replace(HEAD, epoch="another"), ["sha-second"], 0),
    ],
)
def test_records_go_up_to_the_older_watermark_once_no_replica_serves_another_index(
    switch: Switch, head: ItemsHead, served: list[str], upto: int
) -> None:
    assert last_held(switch, head, served) == upto
