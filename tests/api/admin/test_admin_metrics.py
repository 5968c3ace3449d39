"""What alerts, dashboard and documentation ask of the two planes is what the two planes export, all of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from slotbeam.api.retrieve.app import create_data_app
from slotbeam.bindings.replica.serving import Verdict
from slotbeam.bindings.replica.status import REASONS, STATES
from slotbeam.embedded.record import PARTS, restarts_of_up
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import HOLDS, Holder, ServingState, Snapshot
from slotbeam.settings import Settings
from support.clients import client_of

ROOT = Path(__file__).parent.parent.parent.parent
ALERTS = ROOT / "deploy" / "prometheus" / "slotbeam-alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "slotbeam.json"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(slotbeam_\w+)` \| ([a-z]+)[^|]* \| *([^|]*?) *\| ([^|]*) \|$", re.MULTILINE)
METRIC = re.compile(r"\bslotbeam_(?!train\b|lab\b)\w")
FROM_PROMETHEUS = {"instance", "job", "le"}
PROCESS = {"process"}
"""Of gauges of several processes behind one port."""
_MATCHERS = re.compile(r'\b([a-z]\w+)\{((?:\w+(?:=|!=|=~|!~)"[^"]*",?)*)\}')
_MATCHER = re.compile(r'(\w+)(=~?|!=|!~)"([^"]*)"')
_GROUPED = re.compile(r"\b(?:by|on|ignoring|group_left|without) \(([\w, ]*)\)")


def expressions() -> Iterator[tuple[str, str]]:
    """Every PromQL expression of the repository with where it stands."""
    for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]:
        yield from ((rule["alert"], rule["expr"]) for rule in group["rules"])
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for block in re.findall(r"^```\w*\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            if METRIC.search(block):
                yield str(page.relative_to(ROOT)), block


def exported(text: str) -> dict[str, Metric]:
    """Family by the name that the documentation gives it: a counter's ends in _total."""
    families = text_string_to_metric_families(text)
    found = {family.name + ("_total" if family.type == "counter" else ""): family for family in families}
    return {name: family for name, family in found.items() if not name.endswith("_created")}


def samples(families: dict[str, Metric]) -> Iterator[tuple[str, dict[str, str]]]:
    for family in families.values():
        yield from ((sample.name, sample.labels) for sample in family.samples)


@pytest.fixture
async def planes(admin: httpx.AsyncClient, shop: Artifact, settings: Settings) -> AsyncIterator[dict[str, Any]]:
    """Plane → what it exports, after a query that a binding took part in."""
    body = {"words": ["labubu"], "category": "brand", "items": {"ids": ["i001"]}}
    data = create_data_app(settings.model_copy(update={"replica_id": "the-data"}), shop)
    async with client_of(data) as client:
        assert (await admin.post("/admin/slots?wait=all&timeout=20s", json=body)).status_code == 201
        assert (await client.post("/retrieve", json={"query": "labubu", "k": 2})).json()["applied_bindings"]
        yield {
            "data": exported((await client.get("/metrics")).text),
            "control": exported((await admin.get("/metrics")).text),
        }


async def test_every_metric_is_documented_with_its_type_labels_and_planes(planes: dict[str, Any]) -> None:
    documented = {
        name: (kind, set(re.findall(r"`(\w+)`", labels)), set(where.split(", ")))
        for name, kind, labels, where in ROW.findall(OPERATIONS)
    }
    found: dict[str, tuple[str, set[str], set[str]]] = {}
    for plane, families in planes.items():
        for name, family in families.items():
            if name.startswith("slotbeam_"):
                labels = {label for sample in family.samples for label in sample.labels} - FROM_PROMETHEUS
                _, before, where = found.get(name, (family.type, set(), set()))
                found[name] = (family.type, before | labels, where | {plane})
    assert found == documented


async def test_every_metric_label_and_value_that_is_asked_for_is_exported(planes: dict[str, Any]) -> None:
    every = [sample for families in planes.values() for sample in samples(families)]
    every += [("slotbeam_restarts_total", {"part": part}) for part in PARTS]
    every += [("up", {"job": "slotbeam-serve", "instance": "x"})]
    for where, expression in expressions():
        names = set(re.findall(r"\b(?:slotbeam|process)_\w+|\bup\b", expression))
        assert names, where
        assert names <= {name for name, _ in every}, where
        labels = {label for name, found in every if name in names for label in found} | FROM_PROMETHEUS | PROCESS
        for group in _GROUPED.findall(expression):
            assert set(re.findall(r"\w+", group)) <= labels, where
        matched = _MATCHERS.findall(expression)
        assert len(matched) == expression.count("{"), where
        for name, matchers in matched:
            for label, operator, value in _MATCHER.findall(matchers):
                if label not in FROM_PROMETHEUS:
                    values = {found[label] for sample, found in every if sample == name and label in found}
                    wanted = value.split("|") if operator.endswith("~") else [value]
                    assert all(any(re.fullmatch(one, held) for held in values) for one in wanted), (where, name, value)


def test_every_alert_says_what_happened_what_to_do_and_how_urgent_it_is() -> None:
    for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
            assert rule["annotations"]["summary"], rule["alert"]
            assert rule["annotations"]["description"], rule["alert"]
    alerts = ALERTS.read_text(encoding="utf-8")
    for what in ("up{", 'state=~"hold:.*"', "slotbeam_admin_audit_failures_total", "slotbeam_restarts_total"):
        assert what in alerts


async def test_alerts_on_a_counter_find_it_at_0_before_anything_happened(
    shop: Artifact, settings: Settings, admin: httpx.AsyncClient
) -> None:
    """`increase()` sees the step from 0 to 1 only when the 0 was there."""
    async with client_of(create_data_app(settings, shop)) as client:
        planes = [exported((await one.get("/metrics")).text) for one in (client, admin)]
    fresh = [sample for families in planes for sample in samples(families)]
    for reason in REASONS:
        assert fresh.count(("slotbeam_bindings_reload_failures_total", {"reason": reason})) == 2
    for where, expression in expressions():
        if not where.startswith("Slotbeam"):
            continue
        bare = set(re.findall(r"\bslotbeam_\w+_total\b(?!\{)", expression)) - {"slotbeam_restarts_total"}
        for name, matchers in [*_MATCHERS.findall(expression), *((name, "") for name in bare)]:
            wanted = {label: value for label, operator, value in _MATCHER.findall(matchers) if operator == "="}
            there = any(found == name and wanted.items() <= labels.items() for found, labels in fresh)
            assert there or name in ("up", "process_start_time_seconds"), (where, name, wanted)


def test_every_hold_is_a_state_that_is_exported() -> None:
    holds = {str(verdict) for verdict in Verdict if verdict.startswith("hold:")}
    assert holds == set(HOLDS) == {state for state in STATES if state.startswith("hold:")}
    assert {verdict.hold for verdict in Verdict} == {*HOLDS, None}


@pytest.mark.parametrize("state", STATES)
async def test_exactly_one_state_is_1(bound_shop: Snapshot, tmp_path: Path, state: ServingState) -> None:
    app = create_data_app(Settings(data_dir=tmp_path), holder=Holder(replace(bound_shop, state=state)))
    async with client_of(app) as client:
        family = exported((await client.get("/metrics")).text)["slotbeam_bindings_state"]
    assert {sample.labels["state"]: sample.value for sample in family.samples} == {
        name: float(name == state) for name in STATES
    }


async def test_both_planes_say_what_runs_and_what_it_uses(planes: dict[str, Any], shop: Artifact) -> None:
    for plane, families in planes.items():
        [build] = families["slotbeam_build_info"].samples
        assert (build.labels["plane"], build.labels["model"], build.value) == (plane, shop.name, 1)
        assert shop.codebook_sha.startswith(build.labels["codebook"])
        assert {"process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds"} <= set(families)
        assert "python_info" in families


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"pid": os.getppid(), "restarts": {"serve": 2, "store": 1}}, {"store": 1, "serve": 2, "admin": 0}),
        ({"pid": os.getpid(), "restarts": {"serve": 2}}, {}),  # of another `up`, or a plane that runs alone
        ({"pid": os.getppid()}, {}),
        ([], {}),
    ],
)
async def test_restarts_are_those_of_the_up_that_started_this_process(
    bound_shop: Snapshot, tmp_path: Path, record: Any, expected: dict[str, int]
) -> None:
    assert restarts_of_up(tmp_path) == {}
    (tmp_path / "up.json").write_text(json.dumps(record))
    async with client_of(create_data_app(Settings(data_dir=tmp_path), holder=Holder(bound_shop))) as client:
        family = exported((await client.get("/metrics")).text)["slotbeam_restarts_total"]
    assert {sample.labels["part"]: sample.value for sample in family.samples} == expected


async def test_a_position_without_a_free_slot_says_so(admin: httpx.AsyncClient, shop: Artifact) -> None:
    reserved = shop.kae.codebook.reserved_counts[1]
    for number in range(reserved):
        body = {"words": [f"word{number}"], "category": "brand", "items": {"ids": ["i001"]}}
        assert (await admin.post("/admin/slots", json=body)).status_code == 201
    lines = (await admin.get("/metrics")).text.splitlines()
    assert 'slotbeam_slots{position="1",state="free"} 0.0' in lines
    assert f'slotbeam_slots{{position="1",state="active"}} {float(reserved)}' in lines
