"""Rules: what their form says, how it is filled, and the list of them."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.page.editing import Edited, View, filled_of_any, said_of_any
from slotbeam.api.page.forms import Form, lines
from slotbeam.api.page.routes import Pages, show_list
from slotbeam.errors import FieldError

OBJECTS = {"boost": list, "bury": list, "filter": dict, "when": dict, "metadata": dict}
"""Fields that are said as JSON, and what each is."""
LISTS = ("unless", "hide", "positions")
TEXTS = ("trigger", "replace", "alias")


def rule_list(pages: Pages) -> APIRouter:
    """Build the list of rules."""
    router = APIRouter(prefix="/ops/rules", include_in_schema=False)

    @router.get("")
    async def every(request: Request, q: str = "", state: str = "", after: str = "") -> Response:
        return await show_list(pages, request, pages.signed_in(request), "rules", q, state, after)

    return router


def rule_body(form: Form, held: View | None = None) -> dict[str, Any]:
    """Return what a form says of a rule, as `/admin/rules` takes it. Raises `FieldError`: a field is no JSON."""
    body = said_of_any(form)
    body |= {name: lines(form.get(name, "")) for name in LISTS}
    body |= {name: form.get(name, "") for name in TEXTS}
    body |= {"trigger": body["trigger"] or "contains", "two_way": "two_way" in form}
    for name, kind in OBJECTS.items():
        text = form.get(name, "").strip()
        try:
            body[name] = orjson.loads(text) if text else ([] if kind is list else None)
        except orjson.JSONDecodeError as error:
            raise FieldError(name, f"is not JSON: {error}") from None
    if held is not None:
        return body
    return {"words": [], **{name: value for name, value in body.items() if value not in (None, "", [])}}


def _filled(view: View) -> Form:
    form = filled_of_any(view)
    form |= {name: "\n".join(view.get(name) or ()) for name in LISTS}
    form |= {name: str(view.get(name) or "") for name in TEXTS}
    form |= {name: orjson.dumps(view[name]).decode() for name in OBJECTS if view.get(name)}
    return form | ({"two_way": "on"} if view.get("two_way") else {})


RULES = Edited("rules", "rule.html", rule_body, _filled)
