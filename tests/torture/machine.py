"""The planes and the model side by side: what every state machine compares, whatever its rules are."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from . import strategies as some
from .driver import Driver, Write
from .model import UNNAMED, Expected, Model

KEYS = (f"key-{number}" for number in itertools.count())  # no example uses another's


@dataclass(frozen=True)
class World:
    """What every example shares: the running planes, and what the model must know of the artifact."""

    driver: Driver
    positions: Mapping[str, int]
    reserved: Mapping[int, range]
    catalog: frozenset[str]
    codebook_sha: str


class Planes(RuleBasedStateMachine):
    """Every request goes to the planes and to the model; both must answer the same."""

    world: World

    @initialize(stock=st.lists(some.good_bodies, min_size=3, max_size=6))
    def begin(self, stock: list[dict[str, Any]]) -> None:
        world = self.world
        self.driver = world.driver
        self.model = Model(world.positions, world.reserved, world.catalog, self.driver.empty())
        self.sent: list[Write] = []
        self.freed: list[str] = []
        for body in stock:
            self.write(Write("POST", body=body), keyed=True)

    # ---------------------------------------------------------------- after each step

    @invariant()
    def every_slot_is_as_in_the_model(self) -> None:
        listed, model = self.driver.read("/admin/slots"), self.model
        assert (listed["state"], listed["revision"]) == ("live", model.revision)
        assert listed["counts"] == model.counts()
        assert listed["active"] == self.active_digest
        assert [view["slot"] for view in listed["slots"] if view["slot"]] == model.shown_slots()
        bound = {view["id"]: view for view in listed["slots"] if view["state"] != "free"}
        assert set(bound) == set(model.bindings)
        for key, view in bound.items():
            assert self.shown(key).items() <= view.items()

    @invariant()
    def a_search_reads_exactly_this_revision(self) -> None:
        self.compare_search(" ".join([*list(self.model.words)[-2:], "mug"]))

    @invariant()
    def the_audit_holds_each_revision_once_with_its_state(self) -> None:
        entries = self.driver.read("/admin/audit?count=5")["entries"]
        revisions = [entry["revision"] for entry in entries]
        assert revisions == list(range(self.model.revision, self.model.revision - len(revisions), -1))
        for entry in entries[:1]:
            assert entry["state"] == self.model.state
            for change in entry["changes"]:
                assert change["after"] == told(self.model.records.get(change["id"]))

    # ---------------------------------------------------------------- what rules share

    def compare_search(self, query: str, states: Collection[str] = ("live",)) -> None:
        """Search, and compare what is bound, what it brings, and the revision that it is read from."""
        found, expected = self.driver.search(query), self.model.search(query)
        seen = found["bindings"]
        assert seen["state"] in states
        assert (seen["revision"], seen["active"]) == (self.model.revision, self.active_digest)
        assert found["applied_bindings"] == list(expected.applied)
        assert expected.fits(found["items"]), (expected, found["items"])

    @property
    def active_digest(self) -> str:
        return self.model.active_digest(self.world.codebook_sha)

    def target(self, number: int, tag: str) -> tuple[str, str | None]:
        """An address of some binding, its slot or its id, and an If-Match."""
        if not self.model.bindings:
            return "1-4", "*"
        key = list(self.model.bindings)[number // 2 % len(self.model.bindings)]
        right, stale = self.model.etag(key), f'"{key}.{self.model.revision + 1}"'
        given = {"right": right, "stale": stale, "missing": None, "any": "*", "list": f"{stale}, {right}"}
        return (self.model.placed.get(key, key) if number % 2 else key), given[tag]

    def write(self, write: Write, keyed: bool) -> None:
        if keyed and not write.dry_run:
            write = replace(write, key=next(KEYS))
            self.sent.append(write)
        self.check(write)

    def check(self, write: Write) -> None:
        """Send a request, and compare what is answered with what the model says."""
        held = list(self.model.words)
        expected = write.expect(self.model)
        self.freed += [word for word in held if word not in self.model.words]
        response = self.driver.send(write)
        self.learn(response)
        agree(response, self.named(expected))

    def learn(self, response: httpx.Response) -> None:
        """Tell the model what the server alone could choose."""
        if UNNAMED in self.model.bindings:
            assert response.status_code == 201, response.text
            body = response.json()
            self.model.made(body["id"], round(datetime.fromisoformat(body["created_at"]).timestamp() * 1000))

    def named(self, expected: Expected) -> Expected:
        """The same, with the name that the newest binding was given."""
        if expected.id != UNNAMED or not expected.etag:
            return expected
        key = next(reversed(self.model.bindings))
        return replace(expected, id=key, etag=self.model.etag(key))

    def shown(self, key: str) -> dict[str, Any]:
        """What a listing says of a binding."""
        record = self.model.bindings[key]
        same = (
            "id",
            "words",
            "category",
            "item_count",
            "match",
            "placement",
            "near_miss",
            "owner",
            "reason",
            "revision",
        )
        lifecycle, slot = self.model.lifecycle(key), self.model.placed.get(key)
        position = self.model.positions[record["category"]]
        facts = {"slot": slot, "position": position, "state": lifecycle, "etag": self.model.etag(key)}
        return {**{name: record[name] for name in same}, **facts}


def agree(response: httpx.Response, expected: Expected) -> None:
    """Compare an answer with what the model says."""
    body = response.json()
    problem = body["type"].removeprefix("urn:slotbeam:problem:") if "type" in body else ""
    assert (response.status_code, problem) == (expected.status, expected.problem), (response.text, expected)
    assert (response.headers.get("idempotency-replayed") == "true") == expected.replayed
    assert response.headers.get("etag", "") == expected.etag
    if expected.problem:
        return
    assert body["slot"] == expected.slot
    assert body.get("revision", expected.revision) == expected.revision
    if "propagation" in body:
        assert body["id"] == expected.id
        assert body["propagation"]["applied"] == body["propagation"]["expected"] == 2


def told(record: bytes | None) -> dict[str, Any] | None:
    """A record as the audit tells it: an object, its times as RFC 3339."""
    if record is None:
        return None
    found: dict[str, Any] = json.loads(record)
    for name in ("starts_at", "ends_at", "created_at"):
        if found[name] is not None:
            at = datetime.fromtimestamp(found[name] / 1000, UTC).isoformat(timespec="milliseconds")
            found[name] = at.replace("+00:00", "Z")
    return found
