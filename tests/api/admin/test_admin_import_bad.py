"""Files that are no files of bindings: each with its status and problem type, and nothing is written."""

from __future__ import annotations

import httpx
import pytest

CSV = {"content-type": "text/csv; charset=utf-8"}
JSON = {"content-type": "application/json"}
ROW = b"words,category,items\nlabubu,brand,i001\n"

BAD: list[tuple[str, bytes, dict[str, str], str, int, str]] = [
    ("empty", b"", CSV, "", 400, "malformed-body"),
    ("no rows", b"words,category\n", CSV, "", 422, "invalid-input"),
    ("1 001 rows", b"words,category\n" + b"a,brand\n" * 1001, CSV, "", 422, "invalid-input"),
    ("UTF-16", "words,category\na,brand".encode("utf-16"), CSV, "", 400, "malformed-body"),
    ("an open quote", b'words,category\n"a,brand', CSV, "", 400, "malformed-body"),
    ("blanks between cells", b"words category\na brand", CSV, "", 422, "invalid-input"),
    ("an unknown zone", ROW, CSV, "zone=Mars/Base", 422, "invalid-input"),
    ("another charset", ROW, {"content-type": "text/csv; charset=latin-1"}, "", 415, "unsupported-media-type"),
    ("gzip", ROW, {**CSV, "content-encoding": "gzip"}, "", 415, "unsupported-media-type"),
    ("no content type", ROW, {}, "", 415, "unsupported-media-type"),
    ("text", ROW, {"content-type": "text/plain"}, "", 415, "unsupported-media-type"),
    ("20 MB", b"words,category\n" + b" " * 20_000_000, CSV, "", 413, "too-large"),
    ("an unknown mode", ROW, CSV, "mode=replace", 422, "invalid-input"),
    ("an unknown wait", ROW, CSV, "wait=some", 422, "invalid-input"),
    ("a key of 65", ROW, {**CSV, "idempotency-key": "k" * 65}, "", 422, "invalid-input"),
    ("an object", b"{}", JSON, "", 422, "invalid-input"),
    ("null", b"null", JSON, "", 422, "invalid-input"),
    ("no JSON rows", b"[]", JSON, "", 422, "invalid-input"),
    ("rows that are none", b"[null, 1, []]", JSON, "", 422, "import-refused"),
    ("a byte order mark in JSON", b"\xef\xbb\xbf[]", JSON, "", 400, "malformed-body"),
    ("a key twice", b'[{"words": ["a"], "words": ["b"]}]', JSON, "", 400, "malformed-body"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers", "query", "status", "problem"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
async def test_a_bad_file_is_a_problem(
    unmoved: httpx.AsyncClient, body: bytes, headers: dict[str, str], query: str, status: int, problem: str
) -> None:
    response = await unmoved.post(f"/admin/slots:import?{query}", content=body, headers=headers)
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (status, problem)
    assert response.json()["detail"].isprintable()
    assert (await unmoved.get("/admin/replicas")).json()["revision"] == 0
