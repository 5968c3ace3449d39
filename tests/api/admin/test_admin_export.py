"""The CSV of all bindings: loaded into an empty store it is the same again, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io

import httpx

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
        {"words": ["later"], "category": "brand", "items": ["i002"], "draft": True},
    ]
    assert (await admin.post(IMPORT, json=rows)).status_code == 200
    before = await held(admin)
    answer = await admin.get("/admin/slots.csv")
    export = [{**view, "items": view["item_ids"]} for view in before.values()]
    for form in ("csv", "json"):
        for view in (await held(admin)).values():
            await admin.delete(f"/admin/slots/{view['id']}", headers={"if-match": view["etag"]})
        assert await held(admin) == {}
        fields = ("words", "category", "items", "match", "slot", "state", "placement", "near_miss", "starts_at")
        fields += ("ends_at", "owner", "reason", "id", "revision", "created_at")
        plain = [{name: row[name] for name in fields} for row in export]
        sent = admin.post(IMPORT, json=plain) if form == "json" else send(admin, answer.text)
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


async def test_a_row_that_names_items_takes_exactly_these(admin: httpx.AsyncClient) -> None:
    await admin.post(IMPORT, json=[{"words": ["red"], "category": "color", "items": ["i001", "gone"], "match": True}])
    view = (await held(admin))["red"]
    assert (view["item_ids"], view["match"]) == (["gone", "i001"], True)


async def test_an_export_with_a_list_that_is_not_whole_is_refused(admin: httpx.AsyncClient) -> None:
    await send(admin, FILE)
    good = admin.plane.watcher.good  # type: ignore[attr-defined]
    good.items.pop(next(b.items for b in good.listing.bindings.values() if b.words[0] == "crocs"))
    answer = await admin.get("/admin/slots.csv")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "store-error")
    assert '"crocs"' in answer.json()["detail"]
