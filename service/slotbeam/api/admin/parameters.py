"""What the served OpenAPI document says of the control plane's parameters; `forms` and the routes read them."""

from __future__ import annotations

from typing import Any

from slotbeam.api.admin.forms import MAX_KEY, MAX_ZONE
from slotbeam.bindings.binding import LIFECYCLES

MAX_ENTRY = 2**64 - 1
"""Of the log: what the store takes as an id of its stream."""

_TEXT = {"type": "string"}


def _query(name: str, about: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": about, "schema": schema}


COUNT = _query("count", "How many at most", {"type": "integer", "minimum": 1, "maximum": 100})
STATE = _query("state", "One state only", {"type": "string", "enum": list(LIFECYCLES)})
POSITION = _query("position", "One position only", {"type": "integer", "minimum": 0, "maximum": 999})
SEARCH = _query("q", "Part of a word, an id, a slot, an owner or a reason", _TEXT)
ENTRIES = _query("count", "Entries, newest first", {"type": "integer", "minimum": 1, "maximum": 1000})
BEFORE = _query("before", "Only revisions before", {"type": "integer", "minimum": 1, "maximum": MAX_ENTRY})
DRY_RUN = _query("dry_run", "Say what it would do, and do nothing", {"type": "boolean", "default": False})
MODE = _query(
    "mode",
    "update: a row replaces the binding that it was exported from, or that holds one of its words",
    {"type": "string", "enum": ["create", "update"], "default": "create"},
)
ZONE = _query(
    "zone",
    "Time zone of times that name none, and of those that are shown; UTC otherwise",
    {"type": "string", "maxLength": MAX_ZONE, "examples": ["Europe/Berlin"]},
)
WAIT = _query("wait", "Wait for every live replica", {"type": "string", "enum": ["all", "none"], "default": "none"})
TIMEOUT = _query(
    "timeout",
    "How long, 0 to 60 s",
    {"type": "string", "pattern": r"^[0-9]{1,4}(\.[0-9]{1,3})?(ms|s)?$", "default": "5s"},
)
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same request, it answers again and changes nothing",
    "schema": {"type": "string", "pattern": f"^[!-~]{{1,{MAX_KEY}}}$"},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag that was read",
    "schema": _TEXT,
}
WRITE = (DRY_RUN, WAIT, TIMEOUT, KEY)
