"""`/admin/indexes`: what can be served, what is, and how that is switched."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from slotbeam.bindings.store.store import Store
from slotbeam.search.artifact import Artifact
from slotbeam.settings import Settings
from support.clients import AppClient
from support.items import fold
from support.live import QUICK

ITEM = {"title": "zorblax lamp"}
ALL = {"wait": "all", "timeout": "60s"}


@pytest.fixture
def root(tiny_artifact: Path) -> Artifact:
    return Artifact.load(tiny_artifact)


@pytest.fixture
async def shopkeeper(plane: object, settings: Settings, root: Artifact) -> AsyncIterator[AppClient]:
    """A client of a control plane whose SLOTBEAM_ARTIFACT is `root`; its indexes are in the data directory."""
    given = settings.model_copy(update={"artifact": root.directory})
    async with plane(settings=given, artifact=None, pace=QUICK) as client:  # type: ignore[operator]
        yield client


async def folded(client: AppClient, store: Store, settings: Settings, root: Artifact, name: str) -> Path:
    return await fold(store, root.directory, settings.indexes / name)


async def test_an_index_is_listed_activated_and_rolled_back(
    shopkeeper: AppClient, store: Store, settings: Settings, root: Artifact
) -> None:
    admin = shopkeeper
    assert (await admin.put("/admin/items/n1", json=ITEM)).status_code == 201
    none = (await admin.get("/admin/indexes")).json()
    assert (none["switch"], none["active"]["name"], none["before"], none["delta"]) == (0, root.name, None, 1)
    await folded(admin, store, settings, root, "first")
    [listed] = (await admin.get("/admin/indexes")).json()["indexes"]
    assert (listed["name"], listed["seq"], listed["items"]) == ("first", 1, len(root.catalog) + 1)

    tried = await admin.post("/admin/indexes/first:activate", params={"dry_run": "true"})
    assert (tried.json()["did"], tried.json()["active"]["name"]) == ("activated", "first")
    assert (await admin.get("/admin/indexes")).json() == {**none, "indexes": [listed]}

    done = await admin.post("/admin/indexes/first:activate", params=ALL)
    assert done.status_code == 200
    told = done.json()
    assert (told["did"], told["switch"], told["before"]["name"]) == ("activated", 1, root.name)
    assert [(one["switch"], one["applied"]) for one in told["propagation"]["replicas"]] == [(1, True)]
    now = (await admin.get("/admin/indexes")).json()
    assert (now["active"]["name"], now["delta"], now["switched_by"]) == ("first", 0, "admin")
    replica = (await admin.get("/admin/replicas")).json()["replicas"][0]["items"]
    assert (replica["index"], replica["index_sha"], replica["index_error"]) == ("first", now["active"]["sha"], "")
    again = await admin.post("/admin/indexes/first:activate", params=ALL)
    assert (again.json()["did"], again.json()["switch"]) == ("unchanged", 1)

    assert (await admin.get("/admin/items/n1")).json()["item"]["title"] == "zorblax lamp"
    assert (await admin.put("/admin/items/n2", json=ITEM)).json()["seq"] == 2
    back = await admin.post("/admin/indexes/first:rollback", params=ALL)
    assert (back.status_code, back.json()["did"], back.json()["active"]["name"]) == (200, "rolled back", root.name)
    found = (await admin.get("/admin/items", params={"q": "zorblax lamp"})).json()
    assert {"n1", "n2"} <= {item["id"] for item in found["items"]}
    assert found["edited"] == 2


async def test_nothing_of_a_path_is_a_name(shopkeeper: AppClient) -> None:
    for name in (".", "..", "%2e%2e", "..%2Fdata", "a b", "x" * 65, "-rf", "%00", "ä"):
        for verb in ("activate", "rollback"):
            answer = await shopkeeper.post(f"/admin/indexes/{name}:{verb}")
            assert answer.status_code in (404, 422), (name, verb, answer.text)
            assert (await shopkeeper.get("/admin/indexes")).json()["switch"] == 0, (name, verb)


async def test_what_cannot_be_served_is_refused_before_anything_is_switched(
    shopkeeper: AppClient, store: Store, settings: Settings, root: Artifact
) -> None:
    admin = shopkeeper
    await admin.put("/admin/items/n1", json=ITEM)
    first = await folded(admin, store, settings, root, "first")

    async def refused(verb: str, name: str) -> tuple[int, str]:
        answer: httpx.Response = await admin.post(f"/admin/indexes/{name}:{verb}")
        return answer.status_code, answer.json()["detail"]

    assert await refused("activate", "second") == (
        404,
        f"there is no index second in {settings.indexes} (SLOTBEAM_INDEX_DIR)",
    )
    status, why = await refused("rollback", "first")
    assert (status, "none was activated" in why) == (409, True)
    for name, change in {"newer": {"watermark": {"epoch": "", "seq": 99}}, "other": None}.items():
        copy = shutil.copytree(first, settings.indexes / name)
        manifest = json.loads((copy / "manifest.json").read_bytes())
        if change:
            epoch = manifest["index"]["watermark"]["epoch"]
            manifest["index"]["watermark"] = {"epoch": epoch, "seq": 99}
        else:
            manifest["model"]["sha"] = "another"
        (copy / "manifest.json").write_text(json.dumps(manifest))
    (settings.indexes / "torn").mkdir()
    short = shutil.copytree(first, settings.indexes / "short")
    (short / "index" / "items" / "titles.npy").unlink()
    wanted = {
        "newer": "holds edits up to seq 99, the store is at 1",
        "other": "was made by another model",
        "torn": "holds no manifest.json",
        "short": "titles.npy is missing",
    }
    for name, told in wanted.items():
        status, why = await refused("activate", name)
        assert (status, told in why) == (409, True), why
    listed = {
        index["name"]: index.get("refused", "") for index in (await admin.get("/admin/indexes")).json()["indexes"]
    }
    assert listed.pop("first") == ""
    assert listed.keys() == {"newer", "other", "short"}
    assert all(wanted[name] in why for name, why in listed.items())


async def test_edits_that_the_index_holds_do_not_count_for_the_limit(
    plane: object, settings: Settings, root: Artifact, store: Store
) -> None:
    given = settings.model_copy(update={"artifact": root.directory, "delta_limit": 2})
    async with plane(settings=given, artifact=None, pace=QUICK) as admin:  # type: ignore[operator]
        for name in ("n1", "n2"):
            assert (await admin.put(f"/admin/items/{name}", json=ITEM)).status_code == 201
        full = await admin.put("/admin/items/n3", json=ITEM)
        assert (full.status_code, "slotbeam index --fold" in full.json()["detail"]) == (507, True)
        await fold(store, root.directory, settings.indexes / "first")
        assert (await admin.post("/admin/indexes/first:activate", params=ALL)).status_code == 200
        for name in ("n3", "n4"):
            assert (await admin.put(f"/admin/items/{name}", json=ITEM)).status_code == 201
        assert (await admin.put("/admin/items/n5", json=ITEM)).status_code == 507
        assert (await admin.put("/admin/items/n1", json={"title": "blue lamp"})).status_code == 507, "edited once more"
