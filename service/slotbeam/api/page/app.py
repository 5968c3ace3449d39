"""The page as a whole: every route of it, none of which is in the OpenAPI document."""

from __future__ import annotations

from fastapi import APIRouter

from slotbeam.api.page.binding import BINDINGS
from slotbeam.api.page.desk import Desk
from slotbeam.api.page.editing import editing_routes
from slotbeam.api.page.items import item_routes
from slotbeam.api.page.looking import looking_routes
from slotbeam.api.page.routes import Pages, base_routes
from slotbeam.api.page.rules import rule_form, rule_list
from slotbeam.api.page.sessions import Sessions
from slotbeam.catalog.fields import FieldKind


def page_routes(desk: Desk) -> list[APIRouter]:
    """Build the control plane's root and all views of the page.

    Args:
        desk: what is read of it beside `/admin`.
    """
    pages = Pages(desk, Sessions(desk.clock))

    def kinds() -> dict[str, FieldKind]:
        return desk.holder.current.artifact.catalog.fields.kinds

    views = [routes(pages) for routes in (base_routes, rule_list, looking_routes)]
    return [*views, item_routes(pages, kinds), *(editing_routes(pages, one) for one in (BINDINGS, rule_form(kinds)))]
