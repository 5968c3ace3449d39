"""Files of bindings, and what a control plane makes of them."""

from __future__ import annotations

from typing import Any

import httpx

CSV = {"content-type": "text/csv; charset=utf-8"}
FILE = "words,category,items\nlabubu|拉布布,brand,i001|i002\ncrocs,brand,i003\nteal,color,i004\n"
ROWS: list[dict[str, Any]] = [
    {"words": ["labubu", "拉布布"], "category": "brand", "items": ["i001", "i002"]},
    {"words": ["crocs"], "category": "brand", "items": ["i003"]},
    {"words": ["teal"], "category": "color", "items": ["i004"]},
]
IMPORT = "/admin/slots:import"


async def send(admin: httpx.AsyncClient, file: str, query: str = "", **headers: str) -> httpx.Response:
    return await admin.post(f"{IMPORT}?{query}", content=file.encode(), headers={**CSV, **headers})


async def held(admin: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """What is bound: first word → slot view with its items."""
    slots = (await admin.get("/admin/slots")).json()["slots"]
    return {
        view["words"][0]: (await admin.get(f"/admin/slots/{view['id']}")).json() for view in slots if "words" in view
    }


def lines_of(response: httpx.Response) -> dict[int, str]:
    """Line → `ok`, or the last part of its problem's type."""
    return {
        line["line"]: line["problem"]["type"].rpartition(":")[2] if line["status"] == "refused" else line["status"]
        for line in response.json()["lines"]
    }
