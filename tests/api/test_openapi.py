"""The served OpenAPI document is whole, and schemathesis finds no answer that it does not promise."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import redis
import schemathesis
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from slotbeam.api.admin import create_admin_app
from slotbeam.api.admin.cells import write_csv
from slotbeam.api.admin.rows import COLUMNS, NEEDED
from slotbeam.api.retrieve import create_data_app
from slotbeam.bindings.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from support.wire import served

EXAMPLES = 20
CONFIG = {
    "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
    "checks": {
        # What normalisation leaves, and which fields a catalog has, no schema can say: 422 is an answer to both.
        # Slots, words and ETags of a store neither: 404, 409 and 412 are answers of the control plane.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "412", "422"]},
        "negative_data_rejection": {"expected-statuses": ["400", "404", "413", "415", "422", "428"]},
        "missing_required_header": {"expected-statuses": ["401", "404", "422", "428"]},
    },
}
CHECKS = {"not_a_server_error", "negative_data_rejection", "positive_data_acceptance", "unsupported_method"}
PATHS = ("/retrieve", "/retrieve:batch", "/events", "/livez", "/readyz", "/info", "/metrics")


NAMES = st.lists(st.sampled_from(COLUMNS), unique=True).map(lambda names: [*NEEDED, *(set(names) - set(NEEDED))])
CELLS = st.sampled_from(["brand", "color", "i001|i002", "true", "1-4", "active", "2027-01-01T00:00:00Z"]) | st.text(
    st.characters(exclude_categories=["Cs"])
)


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    """Files that are CSV with a good header; what is in the cells may be anything."""
    columns = draw(NAMES)
    rows = draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, CELLS)), min_size=1, max_size=4))
    return write_csv(columns, rows).encode()


schemathesis.openapi.media_type("text/csv", csv_files())


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


def hold_to_the_document(schema: Any) -> None:
    """Run every phase and every check of schemathesis; no failure, and no check that did not run."""
    found: list[str] = []
    checked: set[str] = set()
    cases = 0
    for event in from_schema(schema).execute():
        found += failures(event)
        if isinstance(event, events.ScenarioFinished):
            cases += len(event.recorder.cases)
            checked |= {check.name for checks in event.recorder.checks.values() for check in checks}
    assert found == [], "\n".join(found)
    assert cases > 5 * EXAMPLES
    assert checked >= CHECKS


def test_schemathesis_finds_no_answer_of_the_data_plane_that_breaks_the_document(
    bound_shop: Snapshot, tmp_path: Path
) -> None:
    app = create_data_app(Settings(data_dir=tmp_path), holder=Holder(bound_shop))
    config = SchemathesisConfig.from_dict(CONFIG)
    hold_to_the_document(schemathesis.openapi.from_asgi("/openapi.json", app, config=config))


async def test_schemathesis_finds_no_answer_of_the_control_plane_that_breaks_the_document(
    shop: Artifact, server: EmbeddedStore, raw: redis.Redis, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, redis_url=server.url, admin_token=SecretStr("t" * 32), admin_rate=10_000)
    config = SchemathesisConfig.from_dict({**CONFIG, "headers": {"Authorization": "Bearer " + "t" * 32}})
    async with served(create_admin_app(settings, shop)) as plane:
        while (await plane.ask(b"GET /readyz HTTP/1.1\r\nHost: t\r\n\r\n")).status != 200:
            await asyncio.sleep(0.005)
        url = f"http://127.0.0.1:{plane.port}/openapi.json"
        await asyncio.to_thread(lambda: hold_to_the_document(schemathesis.openapi.from_url(url, config=config)))
