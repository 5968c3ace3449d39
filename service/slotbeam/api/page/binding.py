"""Bindings: what their form says, and how it is filled."""

from __future__ import annotations

from typing import Any

from slotbeam.api.page.editing import Edited, View, filled_of_any, said_of_any
from slotbeam.api.page.forms import Form, lines


def binding_body(form: Form, held: View | None = None) -> dict[str, Any]:
    """Return what a form says of a binding, as `POST` and `PATCH /admin/slots` take it.

    Items that it leaves as they are held stay, and are not found anew.
    """
    match: bool | str = {"": False, "true": True}.get(form.get("match", ""), form.get("match", ""))
    items = {"ids": lines(form.get("items", "")), "match": match}
    body = {
        **said_of_any(form),
        "category": form.get("category", ""),
        "placement": form.get("placement", "top"),
        "near_miss": "near_miss" in form,
        "exact": "exact" in form,
    }
    is_held = held is not None and items == {"ids": held.get("item_ids"), "match": held.get("match")}
    return body if is_held else {**body, "items": items}


def _filled(view: View) -> Form:
    match = view.get("match")
    return {
        **filled_of_any(view),
        "items": "\n".join(view.get("item_ids", ())),
        "match": "true" if match is True else str(match or ""),
        **{name: str(view.get(name) or "") for name in ("category", "placement")},
        **{name: "on" for name in ("near_miss", "exact") if view.get(name)},
    }


BINDINGS = Edited("slots", "bind.html", binding_body, _filled)
