"""The requests that a client makes by name, each with the model of its answer.

The models stand on numpy, which takes longer to load than most commands run: each is imported when it is first wanted.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from slotbeam.client.fields import SearchFields

if TYPE_CHECKING:
    from slotbeam.api.admin.models.audit import AuditPage
    from slotbeam.api.admin.models.dryrun import DryRun
    from slotbeam.api.admin.models.edits import BindingCommitted, BindingRemoved
    from slotbeam.api.admin.models.items import BatchCommitted, ItemCommitted, ItemView
    from slotbeam.api.admin.models.replicas import ReplicaList
    from slotbeam.api.admin.models.rules import RuleCommitted, RuleDetail, RuleList, RuleRemoved
    from slotbeam.api.admin.models.slots import BindingDetail, SlotList
    from slotbeam.api.http.models import PlaneInfo
    from slotbeam.api.retrieve.models import BatchAnswer, EventsAccepted, RetrieveAnswer

M = TypeVar("M", bound=BaseModel)
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Call(Generic[M]):
    """One request; `request` is what `httpx.Client.request` takes beside method and URL."""

    model: type[M]
    method: str
    path: str
    request: Mapping[str, Any]

    def read(self, response: httpx.Response) -> M:
        """Return the answer as its model."""
        return self.model.model_validate_json(response.content, extra="ignore")


# ---------------------------------------------------------------- the data plane


def retrieve(query: str, fields: SearchFields) -> Call[RetrieveAnswer]:
    from slotbeam.api.retrieve.models import RetrieveAnswer

    return Call(RetrieveAnswer, "POST", "/retrieve", {"json": {"query": query, **fields}})


def retrieve_batch(queries: Sequence[Fields]) -> Call[BatchAnswer]:
    from slotbeam.api.retrieve.models import BatchAnswer

    return Call(BatchAnswer, "POST", "/retrieve:batch", {"json": {"queries": list(queries)}})


def report(events: Sequence[Fields]) -> Call[EventsAccepted]:
    from slotbeam.api.retrieve.models import EventsAccepted

    return Call(EventsAccepted, "POST", "/events", {"json": {"events": list(events)}})


def info() -> Call[PlaneInfo]:
    from slotbeam.api.http.models import PlaneInfo

    return Call(PlaneInfo, "GET", "/info", {})


# ---------------------------------------------------------------- slots


def slots(query: Fields) -> Call[SlotList]:
    from slotbeam.api.admin.models.slots import SlotList

    return Call(SlotList, "GET", "/admin/slots", {"params": dict(query)})


def binding(slot: str) -> Call[BindingDetail]:
    from slotbeam.api.admin.models.slots import BindingDetail

    return Call(BindingDetail, "GET", _at("slots", slot), {})


def preview(body: Fields) -> Call[DryRun]:
    from slotbeam.api.admin.models.dryrun import DryRun

    return Call(DryRun, "POST", "/admin/slots", {"json": body, "params": {"dry_run": "true"}})


def bind(body: Fields, wait: bool, key: str | None) -> Call[BindingCommitted]:
    from slotbeam.api.admin.models.edits import BindingCommitted

    return Call(BindingCommitted, "POST", "/admin/slots", _edit(wait, key, body=body))


def edit_binding(slot: str, etag: str, body: Fields, wait: bool, key: str | None) -> Call[BindingCommitted]:
    from slotbeam.api.admin.models.edits import BindingCommitted

    return Call(BindingCommitted, "PATCH", _at("slots", slot), _edit(wait, key, etag, body))


def unbind(slot: str, etag: str, wait: bool, key: str | None) -> Call[BindingRemoved]:
    from slotbeam.api.admin.models.edits import BindingRemoved

    return Call(BindingRemoved, "DELETE", _at("slots", slot), _edit(wait, key, etag))


# ---------------------------------------------------------------- rules


def rules(query: Fields) -> Call[RuleList]:
    from slotbeam.api.admin.models.rules import RuleList

    return Call(RuleList, "GET", "/admin/rules", {"params": dict(query)})


def rule(rule_id: str) -> Call[RuleDetail]:
    from slotbeam.api.admin.models.rules import RuleDetail

    return Call(RuleDetail, "GET", _at("rules", rule_id), {})


def add_rule(body: Fields, wait: bool, key: str | None) -> Call[RuleCommitted]:
    from slotbeam.api.admin.models.rules import RuleCommitted

    return Call(RuleCommitted, "POST", "/admin/rules", _edit(wait, key, body=body))


def edit_rule(rule_id: str, etag: str, body: Fields, wait: bool, key: str | None) -> Call[RuleCommitted]:
    from slotbeam.api.admin.models.rules import RuleCommitted

    return Call(RuleCommitted, "PATCH", _at("rules", rule_id), _edit(wait, key, etag, body))


def remove_rule(rule_id: str, etag: str, wait: bool, key: str | None) -> Call[RuleRemoved]:
    from slotbeam.api.admin.models.rules import RuleRemoved

    return Call(RuleRemoved, "DELETE", _at("rules", rule_id), _edit(wait, key, etag))


# ---------------------------------------------------------------- items


def item(item_id: str) -> Call[ItemView]:
    from slotbeam.api.admin.models.items import ItemView

    return Call(ItemView, "GET", _at("items", item_id), {})


def edit_item(
    method: str, item_id: str, body: Fields | None, etag: str | None, wait: bool, key: str | None
) -> Call[ItemCommitted]:
    from slotbeam.api.admin.models.items import ItemCommitted

    return Call(ItemCommitted, method, _at("items", item_id), _edit(wait, key, etag, body))


def edit_items(operations: Sequence[Fields], wait: bool, key: str | None) -> Call[BatchCommitted]:
    from slotbeam.api.admin.models.items import BatchCommitted

    body = {"operations": list(operations)}
    return Call(BatchCommitted, "POST", "/admin/items:batch", _edit(wait, key, body=body))


# ---------------------------------------------------------------- what was done, and who serves it


def audit(query: Fields) -> Call[AuditPage]:
    from slotbeam.api.admin.models.audit import AuditPage

    return Call(AuditPage, "GET", "/admin/audit", {"params": dict(query)})


def replicas() -> Call[ReplicaList]:
    from slotbeam.api.admin.models.replicas import ReplicaList

    return Call(ReplicaList, "GET", "/admin/replicas", {})


def _at(collection: str, name: str) -> str:
    return f"/admin/{collection}/{quote(name, safe='')}"


def _edit(wait: bool, key: str | None, etag: str | None = None, body: Fields | None = None) -> dict[str, Any]:
    """Return what every edit sends; with a key of its own it may be sent again, and is done once."""
    headers = {"Idempotency-Key": key or uuid.uuid4().hex, **({} if etag is None else {"If-Match": etag})}
    return {
        "headers": headers,
        "params": {"wait": "all" if wait else "none"},
        **({} if body is None else {"json": body}),
    }
