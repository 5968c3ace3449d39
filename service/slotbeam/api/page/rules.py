"""Rules: what their form says, how it is filled, and the list of them."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.page.conditions import COMPARED, ROWS, rows_of_test, rows_of_weighed, test_of, weighed_of
from slotbeam.api.page.editing import Edited, View, filled_of_any, said_of_any
from slotbeam.api.page.forms import Form, Kinds, lines
from slotbeam.api.page.routes import Pages, show_list
from slotbeam.errors import FieldError

WEIGHED, TESTS, METADATA = ("boost", "bury"), ("filter", "when"), ("banner", "redirect")
"""Fields that rows say; and the metadata that has fields of its own. All of them can be said as JSON instead."""
LISTS = ("unless", "hide", "positions")
TEXTS = ("trigger", "replace", "alias")


def rule_list(pages: Pages) -> APIRouter:
    """Build the list of rules."""
    router = APIRouter(prefix="/ops/rules", include_in_schema=False)

    @router.get("")
    async def every(request: Request, q: str = "", state: str = "", after: str = "") -> Response:
        return await show_list(pages, request, pages.signed_in(request), "rules", q, state, after)

    return router


def rule_form(kinds: Kinds) -> Edited:
    """Build the form of a rule over the catalog's fields."""

    def offered() -> dict[str, object]:
        return {"kinds": kinds(), "compared": COMPARED, "most_rows": ROWS}

    return Edited("rules", "rule.html", lambda form, held: rule_body(form, held, kinds), filled, offered)


def rule_body(form: Form, held: View | None, kinds: Kinds) -> dict[str, Any]:
    """Return what a form says of a rule, as `/admin/rules` takes it. Raises `FieldError`: a field cannot be read."""
    body = said_of_any(form)
    body |= {name: lines(form.get(name, "")) for name in LISTS}
    body |= {name: form.get(name, "") for name in TEXTS}
    body |= {"trigger": body["trigger"] or "contains", "two_way": "two_way" in form}
    body |= {name: _either(form, name, weighed_of(form, name, kinds())) for name in WEIGHED}
    body |= {name: _either(form, name, test_of(form, name, kinds())) for name in TESTS}
    named = {name: text for name in METADATA if (text := form.get(f"metadata-{name}", "").strip())}
    body["metadata"] = _either(form, "metadata", named or None)
    if held is not None:
        return body
    return {"words": [], **{name: value for name, value in body.items() if value not in (None, "", [])}}


def filled(view: View) -> Form:
    """Return the form of a rule that is held: rows and fields where they can say it, else JSON."""
    form = filled_of_any(view)
    form |= {name: "\n".join(view.get(name) or ()) for name in LISTS}
    form |= {name: str(view.get(name) or "") for name in TEXTS}
    for name in (*WEIGHED, *TESTS):
        if view.get(name):
            rows = rows_of_weighed(name, view[name]) if name in WEIGHED else rows_of_test(name, view[name])
            form |= {name: _text(view[name])} if rows is None else rows
    metadata = view.get("metadata") or {}
    if metadata.keys() <= set(METADATA) and all(isinstance(value, str) for value in metadata.values()):
        form |= {f"metadata-{name}": value for name, value in metadata.items()}
    else:
        form["metadata"] = _text(metadata)
    return form | ({"two_way": "on"} if view.get("two_way") else {})


def _either(form: Form, name: str, said: Any) -> Any:
    """Return what the fields of `name` have `said`, or its field for JSON. Raises `FieldError`: both, or no JSON."""
    text = form.get(name, "").strip()
    if not text:
        return said
    if said:
        raise FieldError(name, "is said twice, in its fields and as JSON; empty one of them")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise FieldError(name, f"is not JSON: {error}") from None


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
