"""Every limit of the served documents holds: a request at the limit is taken, one beyond it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from slotbeam.bindings.binding import MAX_ITEMS
from support.live import NOW, Clock

from .conftest import Plane

Path = tuple[str | int, ...]
Limit = tuple[Path, str, int]

KEYWORDS = (
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
)
INVISIBLE = "\u200b"
IDS = ["i000", "i001"]
"""Of the two one is replaced: an edit needs an item that the catalog holds."""
BIND = {"words": ["labubu"], "category": "brand", "items": {"ids": IDS}}
WEIGHED = [{"test": {"price": {"gte": 0}}, "weight": 1}]
RULE: dict[str, Any] = {
    "words": ["rain"],
    "hide": IDS,
    "positions": ["i002", "i003"],
    "boost": WEIGHED,
    "bury": WEIGHED,
    "metadata": {"banner": "Sale"},
}
ACTIONS = {name: RULE[name] for name in ("hide", "positions", "boost", "bury")}
BODIES: dict[str, Any] = {
    "/retrieve": {"query": "mug"},
    "/retrieve:batch": {"queries": [{"query": "mug"}]},
    "/events": {"events": [{"type": "click", "item_id": "i001"}]},
    "/admin/slots": {**BIND, **ACTIONS},
    "/admin/slots/{slot}": {"items": {"ids": IDS}, **ACTIONS},
    "/admin/slots:import": [{**BIND, "items": IDS, **ACTIONS}],
    "/admin/rules": RULE,
    "/admin/rules/{rule}": RULE,
    "/admin/suggestions/{word}:accept": {"items": {"ids": IDS}},
    "/admin/items/{item_id}": {"title": "mug"},
    "/admin/items:batch": {"operations": [{"op": "delete", "id": "i001"}]},
}
AT_THE_LIMIT = {
    "maxProperties": "no catalog of a test has 16 fields; that they are unknown is another refusal",
    "zone": "no zone has a name of 64 characters",
    "position": "the codebook has three; the description says that fewer may be allowed",
    "slot": "the index is outside the codebook",
    "alias": "the dictionary knows no word of so many characters",
    "replace": "what is in a file of bindings is on a slot there, and this is for rules",
    **dict.fromkeys(("add", "remove"), "the bodies name all items"),
    "category": "no category has a name of 64 characters",
    "request_id": "only ids that were issued are taken",
    "cursor": "only cursors that were given are taken",
    **dict.fromkeys(
        ("fields", "facets", "collapse", "sort", "any"),
        "no catalog of a test has so many fields, nor one whose name is as long as a name may be",
    ),
}
"""What is not taken at its limit all the same, and why."""


def limits_of(schema: Any, schemas: dict[str, Any], path: Path = (), around: tuple[str, ...] = ()) -> Iterator[Limit]:
    """`(path in a value, keyword, limit)` of everything that `schema` bounds; a list's item is 0.

    What a schema holds of its own kind, as a filter does, is looked at once: `around` names those that this one is in.
    """
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in around:
            yield from limits_of(schemas[name], schemas, path, (*around, name))
        return
    yield from ((path, keyword, schema[keyword]) for keyword in KEYWORDS if keyword in schema)
    for name, inner in schema.get("properties", {}).items():
        yield from limits_of(inner, schemas, (*path, name), around)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from limits_of(schema["additionalProperties"], schemas, (*path, "price"), around)
    if "items" in schema:
        yield from limits_of(schema["items"], schemas, (*path, 0), around)
    for inner in schema.get("anyOf", ()):
        yield from limits_of(inner, schemas, path, around)


def placed(body: Any, path: Path, value: Any) -> Any:
    """`body` with `value` at `path`; what is on the way is made, or made anew when it is something else."""
    if not path:
        return value
    first, *rest = path
    if isinstance(first, int):
        inner = body[0] if isinstance(body, list) and body else None
        return [placed(inner, tuple(rest), value), *(body[1:] if isinstance(body, list) else ())]
    found = dict(body) if isinstance(body, dict) else {}
    found[first] = placed(found.get(first), tuple(rest), value)
    return found


def at(body: Any, path: Path) -> Any:
    for step in path:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def text_of(name: str | int, length: int) -> str:
    """A text of `length` characters that may stand in the field `name`."""
    if name in ("starts_at", "ends_at", "created_at", "since", "until"):
        return f"2028-01-01T00:00:00.{'0' * (length - 21)}Z"
    if name in ("category", "slot", "zone"):
        return ("brand" if name == "category" else "1-0000004" if name == "slot" else "UTC").ljust(length, "x")
    if name in ("ids", "items", "item_id", "hide", "positions", "owner", "reason", "id", "request_id"):
        return "x" * length
    return "mug"[:length] + INVISIBLE * (length - 3)


def value_of(body: Any, path: Path, keyword: str, size: int) -> Any:
    """A value of `size` for `keyword`: so long, so many or so large."""
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    if keyword.endswith("Length"):
        return text_of(name, size)
    if keyword.endswith("Properties"):
        return dict.fromkeys(["gte", *(f"f{number}" for number in range(1, size))][:size], 1)
    if not keyword.endswith("Items"):
        return size
    one = at(body, (*path, 0))
    if one is None:
        one = 1 if "price" in path else {"ids": "i001", "items": "i001"}.get(str(name), "mug")
    if name in ("words", "ids", "items", "sample_queries"):
        return [one, *(f"{name[0]}{number}" for number in range(size - 1))][:size]
    rows = [deepcopy(one) for _ in range(size)]
    for number, row in enumerate(rows):
        if isinstance(row, dict) and "words" in row:
            row.update(words=[f"w{number}"], draft=True)
    return rows


def both_sides(keyword: str, limit: int) -> tuple[int, int]:
    """The last size that is taken, the first that is not."""
    step = -1 if keyword.lower().find("min") >= 0 else 1
    return (limit - step, limit) if keyword.startswith("exclusive") else (limit, limit + step)


def refused(response: httpx.Response) -> bool:
    return response.status_code in (400, 422)


async def check_bodies(client: httpx.AsyncClient, only: str, rule: str = "") -> set[tuple[str, str, str]]:
    """Ask on both sides of every limit of every body of the document. Returns what was tried.

    Args:
        rule: id of the rule that there is.
    """
    document = (await client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    tried = set()
    for place, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None or not place.startswith(only):
                continue
            body = BODIES[place]
            if method == "put" and place == "/admin/slots/{slot}":
                body = BODIES["/admin/slots"]
            if place == "/events":
                issued = (await client.post("/retrieve", json={"query": "mug", "k": 1000})).json()["request_id"]
                body = {"events": [{**body["events"][0], "request_id": issued}]}
            url = (
                place.replace("{slot}", "1-4")
                .replace("{word}", "crocs")
                .replace("{item_id}", "i001")
                .replace("{index}", "spring")
                .replace("{rule}", rule)
            )
            asked = {"dry_run": "true"} if only else None
            for path, keyword, limit in sorted(set(limits_of(content["schema"], schemas)), key=str):
                within, beyond = both_sides(keyword, limit)
                said = f"{method} {place} {path} {keyword} {limit}"
                for size, wrong in ((within, False), (beyond, True)):
                    if size < 0 and keyword.endswith(("Length", "Items", "Properties")):
                        continue
                    if size == MAX_ITEMS and place != "/admin/slots":
                        continue  # so long a list takes a second; the form is the same in every body
                    sent = placed(body, path, value_of(body, path, keyword, size))
                    content_type = {"content-type": "application/json", "if-match": "*"}
                    answer = await client.request(
                        method.upper(), url, content=json.dumps(sent).encode(), headers=content_type, params=asked
                    )
                    exempt = not wrong and not AT_THE_LIMIT.keys().isdisjoint((keyword, *path))
                    assert exempt or refused(answer) == wrong, (said, size, answer.status_code, answer.text[:300])
                tried.add((f"{method} {place}", ".".join(map(str, path)), keyword))
    return tried


async def test_every_limit_of_a_body_of_the_data_plane_holds(data: httpx.AsyncClient) -> None:
    tried = await check_bodies(data, "")
    assert len(tried) > 40
    assert ("post /retrieve", "query", "maxLength") in tried
    assert ("post /retrieve:batch", "queries.0.filter.price", "maxItems") in tried


async def test_every_limit_of_a_body_of_the_control_plane_holds(plane: Plane) -> None:
    async with plane(clock=Clock(NOW)) as admin:
        assert (await admin.post("/admin/slots", json={**BIND, "words": ["crocs"]})).json()["slot"] == "1-4"
        rule = (await admin.post("/admin/rules", json={**RULE, "words": ["snow"]})).json()["id"]
        tried = await check_bodies(admin, "/admin", rule)
    assert len(tried) > 60
    assert {
        ("post /admin/rules", "boost.0.weight", "maximum"),
        ("put /admin/rules/{rule}", "hide", "maxItems"),
    } <= tried
    assert {method.split()[0] for method, _, _ in tried} == {"post", "put", "patch"}


async def test_every_limit_of_a_parameter_holds(admin: httpx.AsyncClient) -> None:
    tried = set()
    document = (await admin.get("/openapi.json")).json()
    for place, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                name, schema = parameter["name"], parameter["schema"]
                for _, keyword, limit in limits_of(schema, {}):
                    within, beyond = both_sides(keyword, limit)
                    for size, wrong in ((within, False), (beyond, True)):
                        value = str(size) if not keyword.endswith("Length") else text_of(name, max(size, 0))
                        url = place.replace("{slot}", "1-4")
                        for part, usual in (("word", "crocs"), ("item_id", "i001")):
                            url = url.replace(f"{{{part}}}", quote(value) if part == name else usual)
                        if not value and parameter["in"] == "path":
                            continue  # another path
                        query = {"dry_run": "true"} if place.endswith("accept") else {}
                        query |= {name: value} if parameter["in"] == "query" else {}
                        body: Any = {"items": {"ids": ["i001"]}}
                        if place.endswith(("import", "{item_id}", "batch")):
                            body = BODIES[place]
                        answer = await admin.request(
                            method.upper(), url, params=query, json=body if method != "get" else None
                        )
                        exempt = not wrong and name in AT_THE_LIMIT
                        said = (method, place, name, keyword, size, answer.status_code, answer.text[:300])
                        assert exempt or refused(answer) == wrong, said
                    tried.add((name, keyword))
    assert {("count", "maximum"), ("before", "maximum"), ("position", "minimum"), ("word", "maxLength")} <= tried


@pytest.mark.parametrize(
    ("query", "status"), [("x" * 256, 200), ("x" * 257, 422), ("x" + INVISIBLE * 8191, 200), ("ﷺ" * 15, 422)]
)
async def test_a_query_has_256_characters_after_normalisation_and_8192_before(
    data: httpx.AsyncClient, query: str, status: int
) -> None:
    assert (await data.post("/retrieve", json={"query": query})).status_code == status
    about = (await data.get("/openapi.json")).json()["components"]["schemas"]["RetrieveBody"]["properties"]["query"]
    assert "256 characters after normalisation" in about["description"]
    assert about["maxLength"] == 8192
