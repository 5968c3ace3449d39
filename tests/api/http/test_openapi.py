"""The served OpenAPI document is whole, and schemathesis finds no answer that it does not promise."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
import schemathesis
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis.config import SchemathesisConfig

from slotbeam.api.admin import create_admin_app
from slotbeam.api.admin.rows import COLUMNS, NEEDED
from slotbeam.api.retrieve.app import create_data_app
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.settings import Settings
from support.fuzzing import hold_to_the_document
from support.wire import HANG_S, served

PATHS = ("/retrieve", "/retrieve:batch", "/events", "/livez", "/readyz", "/info", "/metrics")


FURTHER = st.lists(st.sampled_from([name for name in COLUMNS if name not in NEEDED]), unique=True)
CELLS = st.sampled_from(["brand", "color", "i001|i002", "true", "1-4", "active", "2027-01-01T00:00:00Z"]) | st.text(
    st.characters(exclude_categories=["Cs"])
)


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    """Files that are CSV with a good header; what is in the cells may be anything."""
    columns = [*NEEDED, *draw(FURTHER)]
    file = io.StringIO()
    rows = st.lists(st.tuples(*(CELLS for _ in columns)), min_size=1, max_size=4)
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([columns, *draw(rows)])
    return file.getvalue().encode()


schemathesis.openapi.media_type("text/csv", csv_files())
EVENT = st.fixed_dictionaries(
    {"request_id": st.text(max_size=60), "type": st.sampled_from(["view", "click"]), "item_id": st.just("i001")}
)
schemathesis.openapi.media_type(
    "text/plain", st.lists(EVENT, min_size=1).map(lambda events: json.dumps({"events": events}).encode())
)


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


@pytest.mark.timeout(300)  # 13 s of a core; where others want it, too, that may take ten times as long
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_schemathesis_finds_no_answer_of_the_data_plane_that_breaks_the_document(
    bound_shop: Snapshot, tmp_path: Path
) -> None:
    app = create_data_app(Settings(data_dir=tmp_path), holder=Holder(bound_shop))
    hold_to_the_document(
        "data plane",
        lambda config: schemathesis.openapi.from_asgi("/openapi.json", app, config=config),
        share=0.4,
    )


@pytest.mark.timeout(300)  # 13 s of a core; where others want it, too, that may take ten times as long
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
async def test_schemathesis_finds_no_answer_of_the_control_plane_that_breaks_the_document(
    shop: Artifact, server: EmbeddedStore, raw: redis.Redis, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, redis_url=server.url, admin_token=SecretStr("t" * 32), admin_rate=0)
    token = {"Authorization": "Bearer " + "t" * 32}
    async with served(create_admin_app(settings, shop)) as plane:
        async with asyncio.timeout(HANG_S):
            while (await plane.ask(b"GET /readyz HTTP/1.1\r\nHost: t\r\n\r\n")).status != 200:
                await asyncio.sleep(0.005)
        url = f"http://127.0.0.1:{plane.port}"

        def schema(config: SchemathesisConfig) -> Any:
            return schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)

        def unbind_all() -> None:
            """So that the next round finds free slots."""
            with httpx.Client(verify=False, base_url=url, headers=token, timeout=60) as client:
                for view in client.get("/admin/slots").json()["slots"]:
                    if "etag" in view:
                        client.delete(f"/admin/slots/{view['id']}", headers={"If-Match": view["etag"]})

        await asyncio.to_thread(lambda: hold_to_the_document("control plane", schema, 0.6, token, unbind_all))
