"""Items: found, shown as they are read, and edited by their fields, or whole as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.http.problems import document_of
from slotbeam.api.page.console import WAIT, Told, ask
from slotbeam.api.page.desk import sid_words
from slotbeam.api.page.forms import Form, Kinds, text_of, typed
from slotbeam.api.page.routes import Pages
from slotbeam.catalog.delta.fields import kind_of
from slotbeam.catalog.fields import FieldKind
from slotbeam.errors import BodyError, FieldError, InputError

Row = Mapping[str, Any]
"""An item in the documented schema, as `/admin/items` tells it."""
TEXTS = ("title", "description", "popularity")


def item_routes(pages: Pages, kinds: Kinds) -> APIRouter:
    """Build the views of items; `kinds` are those of the catalog's fields."""
    router = APIRouter(prefix="/ops/items", include_in_schema=False)

    @router.get("")
    async def found(request: Request, q: str = "") -> Response:
        session = pages.signed_in(request)
        told = await ask(request, session, "GET", "/items", params={"q": q})
        problem = None if told.ok else told.body
        return await pages.show(
            request, session, "items.html", "items", told.status, told=told.body, problem=problem, q=q
        )

    @router.get("/{item_id:path}")
    async def one(request: Request, item_id: str) -> Response:
        told = await ask(request, pages.signed_in(request), "GET", _path(item_id))
        return await _show(pages, request, told, kinds())

    @router.post("/{item_id:path}")
    async def edit(request: Request, item_id: str) -> Response:
        session, form = await pages.posted(request)
        held = await ask(request, session, "GET", _path(item_id))
        if not held.ok:
            return await _show(pages, request, held, kinds())
        verb, condition = form.get("verb", ""), {"if-match": form.get("etag", "")}
        try:
            method, body = _edit_of(verb, form, held.body["item"], kinds())
        except InputError as error:
            told = Told(422, document_of(error))
        else:
            told = await ask(request, session, method, _path(item_id), params=WAIT, headers=condition, body=body)
        if told.ok:
            return await pages.outcome(request, session, "items", told, "Deleted" if verb == "delete" else "Saved")
        return await _show(pages, request, held, kinds(), form, told)

    return router


def filled(row: Row, kinds: Mapping[str, FieldKind]) -> dict[str, str]:
    """Return the form of an item: its texts, a line for each of its attributes, and every field of the catalog."""
    fields, attributes = row.get("fields") or {}, row.get("attributes") or {}
    return {
        **{name: _text(row.get(name)) for name in TEXTS},
        "attributes": "\n".join(f"{category}: {_text(words)}" for category, words in attributes.items()),
        **{f"field-{name}": _text(fields.get(name)) for name in {**kinds, **fields}},
    }


def patch_of(form: Form, row: Row, kinds: Mapping[str, FieldKind]) -> dict[str, Any]:
    """Return the merge patch that makes `row` what the form says; of what it leaves as it is nothing is said.

    Raises:
        FieldError: a line of the attributes, or the popularity, cannot be read.
    """
    was = filled(row, kinds)
    patch: dict[str, Any] = {name: form[name].strip() or None for name in TEXTS if _changed(form, was, name)}
    if isinstance(popularity := patch.get("popularity"), str):
        patch["popularity"] = typed(popularity, FieldKind.NUMBER)
    fields = row.get("fields") or {}
    names = [name for name in {**kinds, **fields} if _changed(form, was, f"field-{name}")]
    if names:
        known = {name: kind_of(value) for name, value in fields.items() if value is not None} | dict(kinds)
        texts = {name: form[f"field-{name}"].strip() for name in names}
        patch["fields"] = {name: typed(text, known.get(name)) if text else None for name, text in texts.items()}
    if _changed(form, was, "attributes"):
        old, new = _attributes(was["attributes"]), _attributes(form["attributes"])
        gone = dict.fromkeys(old.keys() - new.keys())
        patch["attributes"] = gone | {name: words for name, words in new.items() if words != old.get(name)}
    return patch


def _edit_of(verb: str, form: Form, row: Row, kinds: Mapping[str, FieldKind]) -> tuple[str, Any]:
    """Return the method and the body that a form asks for. Raises `InputError`."""
    if verb == "delete":
        return "DELETE", None
    if verb != "whole":
        return "PATCH", patch_of(form, row, kinds)
    try:
        return "PUT", orjson.loads(form.get("item", ""))
    except orjson.JSONDecodeError as error:
        raise BodyError(f"the item is not JSON: {error}") from None


async def _show(
    pages: Pages,
    request: Request,
    held: Told,
    kinds: Mapping[str, FieldKind],
    form: Form | None = None,
    refused: Told | None = None,
) -> Response:
    """Show an item, and how its text is read: its SID as words. What was typed and refused stays."""
    session, snapshot = pages.signed_in(request), pages.desk.holder.current
    if not held.ok:
        return await pages.show(request, session, "refused.html", "items", held.status, problem=held.body)
    catalog, item = snapshot.artifact.catalog, held.body
    number = catalog.row_of(item["id"])
    said = {**filled(item["item"], kinds), "etag": item["etag"], **(form or {})}
    return await pages.show(
        request,
        session,
        "item.html",
        "items",
        refused.status if refused else 200,
        item=item,
        problem=refused.body if refused else None,
        fields=list({**kinds, **(item["item"].get("fields") or {})}),
        whole=said.get("item") or orjson.dumps(item["item"], option=orjson.OPT_INDENT_2).decode(),
        sid=None if number is None else sid_words(snapshot, catalog.sids[number].tolist()),
        form=said,
    )


def _changed(form: Form, was: Form, name: str) -> bool:
    return name in form and form[name].strip().replace("\r\n", "\n") != was.get(name, "").strip()


def _attributes(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        category, colon, words = line.partition(":")
        if not colon:
            raise FieldError("attributes", f"has a line without a colon: {line[:40]}; write a category: word, word")
        found[category.strip()] = [word for word in map(str.strip, words.split(",")) if word]
    return found


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else text_of(value)


def _path(item_id: str) -> str:
    return f"/items/{quote(item_id, safe='')}"
