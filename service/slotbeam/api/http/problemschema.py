"""The JSON schema of a problem document: the members of RFC 9457, and every further one that an error brings."""

from __future__ import annotations

from collections.abc import Mapping

from slotbeam.api.http.problems import TYPE_PREFIX

_TEXT = {"type": "string"}
_TIME = {"type": ["string", "null"], "format": "date-time"}
_COUNT = {"type": "integer", "minimum": 0}


def _object(about: str, required: tuple[str, ...], **properties: Mapping[str, object]) -> dict[str, object]:
    return {"type": "object", "description": about, "properties": properties, "required": list(required)}


def _list(about: str, items: Mapping[str, object]) -> dict[str, object]:
    return {"type": "array", "description": about, "items": items}


MEMBERS: dict[str, dict[str, object]] = {
    "errors": _list(
        "What is wrong, place by place",
        _object("One place", ("field", "message"), field=_TEXT, given=_TEXT, message=_TEXT),
    ),
    "event": {**_COUNT, "description": "Place of the first event that is wrong, from 0"},
    "lines": _list(
        "Every line of a file that was refused",
        _object(
            "One line",
            ("line", "status"),
            line=_COUNT,
            status={"type": "string", "enum": ["ok", "refused"]},
            problem={"$ref": "#/components/schemas/Problem"},
        ),
    ),
    "item": {**_TEXT, "description": "Id of the item whose field is of another kind than the catalog's"},
    "rows": {**_COUNT, "description": "Rows of the file"},
    "refused": {**_COUNT, "description": "Rows that are refused"},
    "holder": _object(
        "Who holds the word or the slot: a binding, or another line of the same file",
        (),
        binding=_TEXT,
        slot={"type": ["string", "null"]},
        words={"type": "array", "items": _TEXT},
        word={**_TEXT, "description": "The word that it holds, where that is another spelling or only looks alike"},
        revision=_COUNT,
        state=_TEXT,
        ends_at=_TIME,
        kept_until={**_TIME, "description": "When it frees its slot and its words by itself"},
        line=_COUNT,
    ),
    "reclaim": _list(
        "Three bindings that may be unbound first",
        _object(
            "A binding",
            ("slot", "binding", "words", "revision"),
            slot=_TEXT,
            binding=_TEXT,
            words={"type": "array", "items": _TEXT},
            ends_at_ms={"type": ["integer", "null"]},
            kept_until=_TIME,
            revision=_COUNT,
        ),
    ),
    "reserved": {**_COUNT, "description": "Reserved slots of the position"},
    "word": {**_TEXT, "description": "The word that is refused"},
    "words": {
        "description": "The words that a row leaves out; or how many are to be matched",
        "anyOf": [{"type": "array", "items": _TEXT}, _COUNT],
    },
    "slot": {**_TEXT, "description": "The slot that is refused"},
    "items": {**_COUNT, "description": "Items that a file names"},
    "count": {**_COUNT, "description": "Items that would be bound"},
    "allowed": {"description": "What is: the most, or the slots from and to", "type": ["integer", "string"]},
    "missing": _list("Item ids that the catalog does not hold, the first of them", _TEXT),
    "etag": {**_TEXT, "description": "The binding's ETag now"},
    "revision": {**_COUNT, "description": "The revision that is, or was made"},
    "seq": {**_COUNT, "description": "Of the edit of an item that is, or was made"},
    "scope": {**_TEXT, "description": "The scope that is needed"},
    "state": {**_TEXT, "description": "Of the replica's bindings, as in `bindings.state`"},
    "durability": {**_TEXT, "description": "How the store keeps a commit"},
    "outcome": {**_TEXT, "enum": ["unknown"], "description": "It may have been written"},
    "idempotency_key": {**_TEXT, "description": "Send the same request with it to find out"},
    "retry_after_s": {"type": "integer", "minimum": 1, "description": "As `Retry-After`"},
    "limit_bytes": {**_COUNT, "description": "The largest body that is taken"},
}
"""Name → schema of what errors add (`SlotbeamError.details`); docs/http.md says which type brings which."""

PROBLEM: dict[str, object] = {
    "type": "object",
    "description": "RFC 9457; `type` is stable, docs/http.md lists every one.",
    "properties": {
        "type": {"type": "string", "pattern": f"^{TYPE_PREFIX}[a-z-]+$"},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": _TEXT,
        **MEMBERS,
    },
    "required": ["type", "title", "status", "detail"],
}
