"""docs/http.md names every error and every metric, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from slotbeam.api.problems import STATUS

DOCS = (Path(__file__).parent.parent.parent / "docs" / "http.md").read_text(encoding="utf-8")


def test_every_error_is_documented_with_its_status() -> None:
    rows = {(slug, int(status)) for slug, status in re.findall(r"^\| `([a-z-]+)` \| ([45]\d\d) \|", DOCS, re.MULTILINE)}
    assert rows == {(kind.type, status) for kind, status in STATUS.items()}


async def test_every_metric_is_documented(data: httpx.AsyncClient) -> None:
    await data.post("/retrieve", json={"query": "blue labubu"})
    exposed = set(re.findall(r"^# TYPE (slotbeam_\w+)", (await data.get("/metrics")).text, re.MULTILINE))
    documented = set(re.findall(r"^\| `(slotbeam_\w+)` \|", DOCS, re.MULTILINE))
    created = {name for name in exposed if name.endswith("_created")}
    of_a_store = {"slotbeam_bindings_staleness_seconds", "slotbeam_bindings_reload_failures_total"}
    assert exposed - created == documented - of_a_store


def test_alerts_and_dashboard_ask_for_metrics_that_exist() -> None:
    deploy = Path(__file__).parent.parent.parent / "deploy"
    documented = set(re.findall(r"^\| `(slotbeam_\w+)` \|", DOCS, re.MULTILINE))
    for path in (deploy / "prometheus" / "slotbeam-alerts.yml", deploy / "grafana" / "slotbeam.json"):
        asked = {name.removesuffix("_bucket") for name in re.findall(r"slotbeam_\w+", path.read_text(encoding="utf-8"))}
        assert asked
        assert asked <= documented, path
