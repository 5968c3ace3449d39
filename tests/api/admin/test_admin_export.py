"""All bindings as a file: loaded into an empty store they are the same again, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io

import httpx

from support.clients import AppClient
from support.files import FILE, IMPORT, held, send

ODD_WORDS = ["=cmd|' /c calc'!a0", "@sum(1)", '+1 "quoted"', "-1,2;3", "a|b", "back\\slash", "'=x1", "tab\tword"]


async def test_an_export_loaded_into_an_empty_store_is_the_same_again(admin: httpx.AsyncClient) -> None:
    rows = [
        {
            "words": ODD_WORDS,
            "category": "brand",
            "items": ["i001", "=ID()", "\x1b[31m|\r\n\\", " ", "\u202ex"],
            "owner": "@toys",
            "reason": '=HYPERLINK("http://x","y")',
            "placement": "only",
            "near_miss": True,
            "starts_at": "2026-01-01T00:00:00Z",
            "ends_at": "2029-12-31T00:00:00.5+02:00",
            "slot": "1-6",
        },
        {"words": ["red"], "category": "color", "match": True},
        {"words": ["green", "thing"], "category": "color", "items": ["i001", "gone"], "match": "live"},
        {"words": ["later"], "category": "brand", "items": ["i002"], "draft": True},
    ]
    assert (await admin.post(IMPORT, json=rows)).status_code == 200
    before = await held(admin)
    exports = {form: await admin.get(f"/admin/slots.{form}") for form in ("csv", "json")}
    for form, answer in exports.items():
        for view in (await held(admin)).values():
            await admin.delete(f"/admin/slots/{view['id']}", headers={"if-match": view["etag"]})
        assert await held(admin) == {}
        sent = admin.post(IMPORT, json=answer.json()) if form == "json" else send(admin, answer.text)
        assert (await sent).status_code == 200
        after = await held(admin)
        fresh = {"id", "revision", "etag", "created_at", "changed_at"}
        assert [{k: v for k, v in view.items() if k not in fresh} for view in after.values()] == [
            {k: v for k, v in view.items() if k not in fresh} for view in before.values()
        ]


async def test_a_csv_export_is_a_file_to_keep_and_holds_no_formula_and_no_control(admin: httpx.AsyncClient) -> None:
    row = {"words": ODD_WORDS, "category": "brand", "items": ["i001", "=ID()", "\x1b[31m\u2028"], "owner": "=1+1"}
    assert (await admin.post(IMPORT, json=[row])).status_code == 200
    answer = await admin.get("/admin/slots.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="bindings.csv"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-bindings-revision"] == "1"
    assert all(line.isprintable() for line in answer.text.split("\r\n"))
    [_, record] = csv.reader(io.StringIO(answer.text, newline=""))
    assert not any(cell.startswith(("=", "+", "-", "@", "＝")) for cell in record)
    assert "'=1+1" in record


async def test_a_json_export_is_a_file_to_keep_with_a_member_a_line(admin: httpx.AsyncClient) -> None:
    row = {"words": ["拉布布"], "category": "brand", "items": ["i001", "=ID()"], "ends_at": "2029-12-31"}
    assert (await admin.post(IMPORT, json=[row])).status_code == 200
    answer = await admin.get("/admin/slots.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="bindings.json"'
    assert answer.headers["x-bindings-revision"] == "1"
    [view] = (await held(admin)).values()
    expected = f"""[
  {{
    "id": "{view["id"]}",
    "words": [
      "拉布布"
    ],
    "category": "brand",
    "items": [
      "=ID()",
      "i001"
    ],
    "placement": "top",
    "slot": "1-4",
    "state": "active",
    "near_miss": false,
    "match": false,
    "starts_at": null,
    "ends_at": "2030-01-01T00:00:00.000Z",
    "owner": "",
    "reason": "",
    "exact": false,
    "trigger": "contains",
    "unless": [],
    "when": null,
    "positions": [],
    "hide": [],
    "boost": null,
    "bury": null,
    "filter": null,
    "replace": "",
    "metadata": null,
    "alias": "",
    "two_way": false,
    "created_at": "{view["created_at"]}",
    "revision": 1
  }}
]
"""
    assert answer.text == expected


async def test_a_row_that_names_items_takes_exactly_these(admin: httpx.AsyncClient) -> None:
    await admin.post(IMPORT, json=[{"words": ["red"], "category": "color", "items": ["i001", "gone"], "match": True}])
    view = (await held(admin))["red"]
    assert (view["item_ids"], view["match"]) == (["gone", "i001"], True)


async def test_an_export_with_a_list_that_is_not_whole_is_refused(admin: AppClient) -> None:
    await send(admin, FILE)
    good = admin.plane.watcher.good
    good.items.pop(next(b.items for b in good.listing.bindings.values() if b.words[0] == "crocs"))
    for form in ("csv", "json"):
        answer = await admin.get(f"/admin/slots.{form}")
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "store-error")
        assert '"crocs"' in answer.json()["detail"]
