"""The served OpenAPI document is whole, and schemathesis finds no answer that it does not promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from slotbeam.api.retrieve import create_data_app
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings

EXAMPLES = 40
CONFIG = {
    "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
    "checks": {
        # What normalisation leaves, and which fields a catalog has, no schema can say: 422 is an answer to both.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "422"]},
        "negative_data_rejection": {"expected-statuses": ["400", "413", "415", "422"]},
    },
}
CHECKS = {"not_a_server_error", "negative_data_rejection", "positive_data_acceptance", "unsupported_method"}
PATHS = ("/retrieve", "/retrieve:batch", "/livez", "/readyz", "/info", "/metrics")


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


async def test_every_reference_of_the_document_leads_somewhere(data: httpx.AsyncClient) -> None:
    document = (await data.get("/openapi.json")).json()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known
    assert set(document["paths"]) == set(PATHS)


def failures(event: Any) -> list[str]:
    """What the engine reports as wrong: a failed check with the request that shows it, or an error of its own."""
    if isinstance(event, events.NonFatalError | events.FatalError):
        return [repr(event)]
    if not isinstance(event, events.ScenarioFinished):
        return []
    return [
        f"{event.label} {check.name}: {check.failure_info and check.failure_info.failure.message}"
        for checks in event.recorder.checks.values()
        for check in checks
        if check.status is not Status.SUCCESS
    ]


def test_schemathesis_finds_no_answer_that_breaks_the_document(bound_shop: Snapshot, tmp_path: Path) -> None:
    app = create_data_app(Settings(data_dir=tmp_path), holder=Holder(bound_shop))
    config = SchemathesisConfig.from_dict(CONFIG)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    found, checked = [], set()
    cases = 0
    for event in from_schema(schema).execute():
        found += failures(event)
        if isinstance(event, events.ScenarioFinished):
            cases += len(event.recorder.cases)
            checked |= {check.name for checks in event.recorder.checks.values() for check in checks}
    assert found == []
    assert cases > 5 * EXAMPLES
    assert {
        "not_a_server_error",
        "negative_data_rejection",
        "positive_data_acceptance",
        "unsupported_method",
    } <= checked
