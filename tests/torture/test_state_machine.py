"""Any sequence of edits, searches and kills does to the real planes what it does to the model.

`SLOTBEAM_TORTURE=1` in the environment plays many more of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from support.processes import Up

from . import strategies as some
from .driver import Driver, Write
from .machine import KEYS, Planes, World, agree

LONG = 50 if os.environ.get("SLOTBEAM_TORTURE") else 1


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Iterator[World]:
    with Up(tmp_path_factory.mktemp("torture") / "data", tiny_artifact, admin_rate=0) as up:
        driver = Driver(up)
        driver.settle()  # a replica that starts before the store has its epoch is ready, too
        info = driver.data.get("/info").json()
        positions = {c: p["position"] for p in info["positions"] for c in p["categories"]}
        reserved = {p["position"]: range(p["slots"] - p["reserved"], p["slots"]) for p in info["positions"]}
        catalog = frozenset(f"i{number:03d}" for number in range(info["catalog"]["items"]))
        yield World(driver, positions, reserved, catalog, info["codebook_sha"])
        driver.close()


class Edits(Planes):
    """Edits and reads, right and wrong."""

    # ---------------------------------------------------------------- edits

    @rule(body=some.bodies, keyed=st.booleans(), dry_run=some.dry)
    def bind(self, body: dict[str, Any], keyed: bool, dry_run: bool) -> None:
        self.write(Write("POST", body=body, dry_run=dry_run), keyed)

    @rule(word=st.sampled_from(some.FRESH), slot=st.none() | some.slots)
    def bind_one_word(self, word: str, slot: str | None) -> None:
        self.write(one_word(word, slot), keyed=True)

    @precondition(lambda self: self.freed)
    @rule()
    def bind_a_word_that_was_given_up(self) -> None:
        self.write(one_word(self.freed.pop()), keyed=True)

    @precondition(lambda self: self.model.bindings)
    @rule(number=some.numbers, tag=some.tags, body=some.bodies, keyed=st.booleans(), dry_run=some.dry)
    def put(self, number: int, tag: str, body: dict[str, Any], keyed: bool, dry_run: bool) -> None:
        address, etag = self.target(number, tag)
        if number % 8:
            body = {name: value for name, value in body.items() if name != "slot"}
        self.write(Write("PUT", address, body, etag, dry_run=dry_run), keyed)

    @precondition(lambda self: self.model.bindings)
    @rule(number=some.numbers, tag=some.tags, body=some.changes, keyed=st.booleans(), dry_run=some.dry)
    def patch(self, number: int, tag: str, body: dict[str, Any], keyed: bool, dry_run: bool) -> None:
        address, etag = self.target(number, tag)
        self.write(Write("PATCH", address, body, etag, dry_run=dry_run), keyed)

    @precondition(lambda self: any(record["draft"] for record in self.model.bindings.values()))
    @rule(number=some.numbers)
    def publish(self, number: int) -> None:
        drafts = [key for key, record in self.model.bindings.items() if record["draft"]]
        key = drafts[number % len(drafts)]
        self.write(Write("PATCH", key, {"draft": False}, self.model.etag(key)), keyed=True)

    @precondition(lambda self: len(self.model.bindings) > 2)
    @rule(number=some.numbers, tag=some.tags, keyed=st.booleans(), dry_run=some.dry)
    def delete(self, number: int, tag: str, keyed: bool, dry_run: bool) -> None:
        address, etag = self.target(number, tag)
        self.write(Write("DELETE", address, None, etag, dry_run=dry_run), keyed)

    @rule(address=some.addresses, body=some.changes, method=st.sampled_from(["PATCH", "DELETE"]))
    def edit_what_may_not_be_there(self, address: str, body: dict[str, Any], method: str) -> None:
        self.write(Write(method, address, body if method == "PATCH" else None, "*"), keyed=False)

    @precondition(lambda self: self.sent)
    @rule(number=some.numbers)
    def send_again(self, number: int) -> None:
        self.check(self.sent[number % len(self.sent)])

    @precondition(lambda self: self.sent)
    @rule(number=some.numbers, change=st.sampled_from([{"reason": "another"}, {"starts_at": None, "ends_at": None}]))
    def use_a_key_for_another_request(self, number: int, change: dict[str, Any]) -> None:
        earlier = self.sent[number % len(self.sent)]
        if earlier.body is None:
            self.check(replace(earlier, address="1-6"))
        else:
            self.check(replace(earlier, body={**earlier.body, **change}))

    # ---------------------------------------------------------------- reads

    @rule(query=some.queries)
    def search(self, query: str) -> None:
        self.compare_search(query)

    @rule(query=some.queries)
    def search_the_base(self, query: str) -> None:
        found = self.driver.search(query, use_bindings=False)
        assert found["applied_bindings"] == []
        assert {item["source"] for item in found["items"]} <= {"model"}, "of a query that is not understood none"

    @rule(address=some.addresses | some.numbers)
    def read_one(self, address: str | int) -> None:
        if isinstance(address, int):
            address, _ = self.target(address, "missing")
        expected, response = self.model.read(address), self.driver.admin.get(f"/admin/slots/{address}")
        agree(response, expected)
        if expected.etag:
            view = response.json()
            assert self.shown(expected.id).items() <= view.items()
            assert view["item_ids"] == list(self.model.targets[expected.id])


class Killed(Planes):
    """Fewer kinds of edits, while processes are killed: what was acknowledged is there when they are back."""

    @initialize(victims=st.permutations(["store", "serve", "admin"]))
    def aim(self, victims: list[str]) -> None:
        self.victims = victims

    @rule(body=some.good_bodies)
    def bind(self, body: dict[str, Any]) -> None:
        self.write(Write("POST", body=body), keyed=True)

    @precondition(lambda self: self.model.bindings)
    @rule(number=some.numbers, body=some.good_changes)
    def patch(self, number: int, body: dict[str, Any]) -> None:
        address, etag = self.target(number, "right")
        self.write(Write("PATCH", address, body, etag), keyed=True)

    @rule(number=some.numbers)
    def send_again(self, number: int) -> None:
        self.check(self.sent[number % len(self.sent)])

    @rule(query=some.queries)
    def search(self, query: str) -> None:
        self.compare_search(query)

    @precondition(lambda self: self.victims)
    @rule()
    def kill(self) -> None:
        name = self.victims.pop()
        self.driver.kill(name)
        if name != "serve":  # searches go on, on the same revision
            self.compare_search(" ".join(list(self.model.words)[:3]) or "mug", ("live", "degraded"))
        self.driver.recover(name)

    @precondition(lambda self: self.victims)
    @rule(body=some.good_bodies)
    def kill_amid_a_bind(self, body: dict[str, Any]) -> None:
        self.settle(Write("POST", body=body, key=next(KEYS)))

    @precondition(lambda self: self.victims and self.model.bindings)
    @rule(number=some.numbers, body=st.none() | some.good_changes)
    def kill_amid_an_edit(self, number: int, body: dict[str, Any] | None) -> None:
        address, etag = self.target(number, "right")
        self.settle(Write("PATCH" if body is not None else "DELETE", address, body, etag, next(KEYS)))

    def settle(self, write: Write) -> None:
        """A lost answer, or "unknown", is settled by the same request with the same key: it is done once."""
        name = self.victims.pop()
        expected = write.expect(self.model)
        first = self.driver.send_amid(write, name)
        self.driver.recover(name)
        again = self.driver.send(write)
        self.learn(again)
        expected, replayed = self.named(expected), again.headers.get("idempotency-replayed") == "true"
        agree(again, replace(expected, replayed=replayed))
        if first is not None and first.status_code != 503:
            assert expected.problem or replayed
            if first.status_code != 202:  # acknowledged, but a replica was not back in time
                agree(first, expected)


def one_word(word: str, slot: str | None = None) -> Write:
    return Write("POST", body={"words": [word], "category": "brand", "items": {"ids": ["i003"]}, "slot": slot})


def play(machine: type[Planes], world: World, examples: int, steps: int) -> None:
    machine.world = world
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples * LONG,
            stateful_step_count=steps,
            derandomize=LONG == 1,
            database=None,
            phases=[Phase.generate],  # a real service does not shrink in a test's time; the steps are printed
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )


@pytest.mark.timeout(120 * LONG)
def test_the_planes_do_what_the_model_does(world: World) -> None:
    play(Edits, world, examples=6, steps=80)


@pytest.mark.timeout(120 * LONG)
def test_kill_9_of_any_process_loses_nothing_that_was_acknowledged(world: World) -> None:
    play(Killed, world, examples=2, steps=30)
