"""Debian's Prometheus reads deploy/prometheus and scrapes `slotbeam up`: every panel shows data, every alert can fire.

What an alert compares is asked for with PromQL's `bool`, which says 0 where a comparison alone says nothing: an alert
whose series do not exist is as silent as one that has no reason to fire.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from support.pointers import ROOT
from support.processes import HANG_S, Up, wait_for

SHIPPED = ROOT / "deploy/prometheus"
ALERTS = {
    rule["alert"]: rule["expr"]
    for group in yaml.safe_load((SHIPPED / "slotbeam-alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
PANELS = {
    f"{panel['title']} {number}": target["expr"]
    for panel in json.loads((ROOT / "deploy/grafana/slotbeam.json").read_text(encoding="utf-8"))["panels"]
    for number, target in enumerate(panel["targets"])
}
COMPARISON = re.compile(r" (==|!=|>=|<=|>|<) ")
PLANES = {"slotbeam-serve": "data", "slotbeam-admin": "admin"}
"""Jobs of the shipped configuration → what they scrape here."""
LIVE = {"wait": "all", "timeout": f"{HANG_S:.0f}s"}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("watched") / "data", tiny_artifact) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(prometheus_path: str, up: Up, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The API of one that scraped both planes before and after traffic of every kind."""
    directory = tmp_path_factory.mktemp("prometheus")
    options = {
        "config.file": configured(directory, {job: up.record[plane] for job, plane in PLANES.items()}),
        "storage.tsdb.path": directory / "tsdb",
        "web.listen-address": "127.0.0.1:0",
    }
    argv = [prometheus_path, *(f"--{name}={value}" for name, value in options.items())]
    log = directory / "log"
    with log.open("w") as errors, subprocess.Popen(argv, stderr=errors) as process:
        try:
            said = wait_for(lambda: process.poll() or re.search('"Listening on" address=(.+)', log.read_text()))
            assert isinstance(said, re.Match), log.read_text()
            with httpx.Client(base_url=f"http://{said[1]}", timeout=HANG_S) as client:
                feed(up, client)
                yield client
        finally:
            process.kill()


def configured(directory: Path, urls: dict[str, str]) -> Path:
    """Write what is shipped into `directory`, other targets and shorter intervals alone."""
    config = yaml.safe_load((SHIPPED / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    assert [job["job_name"] for job in config["scrape_configs"]] == list(urls)
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": [urls[job["job_name"]].removeprefix("http://")]}]
    for name in config["rule_files"]:
        shutil.copy(SHIPPED / name, directory)
    path = directory / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    return path


def feed(up: Up, prometheus: httpx.Client) -> None:
    """Edit, search and click, each once Prometheus holds the series that it moves: a rate needs where they began."""
    wait_for(lambda: values(prometheus, "sum(slotbeam_build_info) == 2"))
    binding = {"words": ["zorblax"], "category": "brand", "items": {"ids": ["i001", "i002"]}}
    with httpx.Client(
        base_url=up.record["admin"], headers={"Authorization": f"Bearer {up.token}"}, params=LIVE, timeout=HANG_S
    ) as admin:
        done(admin.put("/admin/items/i003", json={"title": "red mug"}))
        folded = up.cli("index", "--fold", "--name", "next")
        assert folded.returncode == 0, folded.stderr
        done(admin.post("/admin/indexes/next:activate"))
        done(admin.put("/admin/items/i004", json={"title": "blue lamp"}))
        done(admin.post("/admin/slots", json=binding))
    wait_for(lambda: values(prometheus, "slotbeam_binding_activations_total == 0"))
    for query in ("zorblax", "red mug"):
        found = up.retrieve(query, k=10)
        click = {"request_id": found["request_id"], "type": "click", "item_id": found["items"][0]["id"], "rank": 0}
        done(httpx.post(f"{up.record['data']}/events", json={"events": [click]}, timeout=HANG_S))
    wait_for(lambda: values(prometheus, "sum(rate(slotbeam_events_total[1m])) > 0"))


def done(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, answer.text
    return answer


def asked(prometheus: httpx.Client, path: str, **parameters: str) -> Any:
    return done(prometheus.get(f"/api/v1/{path}", params=parameters)).json()["data"]


def values(prometheus: httpx.Client, expression: str) -> list[float]:
    """The values that an expression has now; what is no number is no data."""
    found = asked(prometheus, "query", query=expression)["result"]
    return [value for sample in found if math.isfinite(value := float(sample["value"][1]))]


@pytest.mark.parametrize("panel", PANELS)
def test_every_query_of_a_panel_returns_data(prometheus: httpx.Client, panel: str) -> None:
    wait_for(lambda: values(prometheus, PANELS[panel]))


@pytest.mark.parametrize("alert", ALERTS)
def test_what_an_alert_compares_is_there(prometheus: httpx.Client, alert: str) -> None:
    for side in ALERTS[alert].split(" or "):
        compared, comparisons = COMPARISON.subn(r" \1 bool ", side)
        assert comparisons == 1, side
        assert wait_for(partial(values, prometheus, compared))


def test_every_rule_is_evaluated_without_an_error_and_none_fires_while_all_is_well(prometheus: httpx.Client) -> None:
    def evaluated() -> list[dict[str, Any]] | None:
        rules = [rule for group in asked(prometheus, "rules")["groups"] for rule in group["rules"]]
        return None if any(rule["health"] == "unknown" for rule in rules) else rules

    rules = wait_for(evaluated)
    assert [rule["name"] for rule in rules] == list(ALERTS)
    assert [rule["lastError"] for rule in rules if rule["health"] != "ok"] == []
    assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []


def test_the_panels_show_what_was_done(prometheus: httpx.Client) -> None:
    assert wait_for(lambda: values(prometheus, "min(slotbeam_index_switch) == 1"))
    assert wait_for(lambda: values(prometheus, "max(slotbeam_items_edited) == 1"))
    assert wait_for(lambda: values(prometheus, "min(slotbeam_bindings_applied_revision) == 1"))
    assert wait_for(lambda: values(prometheus, 'sum(slotbeam_binding_hits_total{event="click"}) == 1'))
