"""The client that waits for each answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self, Unpack

import httpx

from slotbeam.client import calls
from slotbeam.client.calls import Call, Fields, M
from slotbeam.client.fields import SearchFields
from slotbeam.client.sending import Sender, accepted

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


class Client(Sender):
    """Calls one plane; use it as a context manager, from one thread or several. Arguments: see `Sender`.

    Every call raises `ServiceError` when the service refuses and `httpx.TransportError` when no answer comes.

    Edits take `wait`: whether they return when every live replica has told that it serves them, or at once; and `key`,
    the idempotency key, which is a new one unless it is given: sent again with it, an edit is done once. `etag` is the
    one of what the caller has seen; `*` takes whatever is there.
    """

    sleep: Callable[[float], None] = staticmethod(time.sleep)

    def __init__(self, url: str, token: str | None = None, **options: Any) -> None:
        super().__init__(url, token, **options)
        self._http = httpx.Client(**self.options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send one request; `request` as `httpx.Client.request` takes it."""
        built = self._http.build_request(method, path, **request)
        tried = 0
        while True:
            tried += 1
            try:
                answer = self._http.send(built)
            except httpx.TransportError:
                pause = self.pause_s(built, tried, None)
                if pause is None:
                    raise
            else:
                pause = self.pause_s(built, tried, answer)
                if pause is None:
                    return accepted(answer)
            self.sleep(pause)

    def do(self, call: Call[M]) -> M:
        """Send a request that knows the model of its answer."""
        return call.read(self.call(call.method, call.path, **call.request))

    def retrieve(self, query: str, **fields: Unpack[SearchFields]) -> RetrieveAnswer:
        """Answer one query; `fields` are further ones of `POST /retrieve`."""
        return self.do(calls.retrieve(query, fields))

    def retrieve_batch(self, queries: Sequence[Fields]) -> BatchAnswer:
        """Answer up to 64 queries, each a body of `POST /retrieve`, on one snapshot."""
        return self.do(calls.retrieve_batch(queries))

    def report(self, events: Sequence[Fields]) -> EventsAccepted:
        """Tell of up to 64 events, each as `POST /events` takes it."""
        return self.do(calls.report(events))

    def info(self) -> PlaneInfo:
        """Return what the plane serves."""
        return self.do(calls.info())

    def slots(self, **query: Any) -> SlotList:
        """Return a page of slots; `query` as `GET /admin/slots` takes it."""
        return self.do(calls.slots(query))

    def binding(self, slot: str) -> BindingDetail:
        """Return what a slot holds, with the `etag` that an edit of it takes; a binding's id will do, too."""
        return self.do(calls.binding(slot))

    def preview(self, words: Sequence[str], category: str, **fields: Any) -> DryRun:
        """Tell what `bind` would do, and do nothing."""
        return self.do(calls.preview({"words": list(words), "category": category, **fields}))

    def bind(
        self, words: Sequence[str], category: str, *, wait: bool = True, key: str | None = None, **fields: Any
    ) -> BindingCommitted:
        """Bind words; `fields` are further ones of `POST /admin/slots`, such as `items`."""
        return self.do(calls.bind({"words": list(words), "category": category, **fields}, wait, key))

    def edit_binding(
        self, slot: str, etag: str, *, wait: bool = True, key: str | None = None, **fields: Any
    ) -> BindingCommitted:
        """Change what `fields` name of a binding."""
        return self.do(calls.edit_binding(slot, etag, fields, wait, key))

    def unbind(self, slot: str, etag: str, *, wait: bool = True, key: str | None = None) -> BindingRemoved:
        """Free a slot."""
        return self.do(calls.unbind(slot, etag, wait, key))

    def rules(self, **query: Any) -> RuleList:
        """Return rules; `query` as `GET /admin/rules` takes it."""
        return self.do(calls.rules(query))

    def rule(self, rule_id: str) -> RuleDetail:
        """Return a rule, with the `etag` that an edit of it takes."""
        return self.do(calls.rule(rule_id))

    def add_rule(
        self, words: Sequence[str], *, wait: bool = True, key: str | None = None, **fields: Any
    ) -> RuleCommitted:
        """Make a rule; `fields` are its actions and further ones of `POST /admin/rules`."""
        return self.do(calls.add_rule({"words": list(words), **fields}, wait, key))

    def edit_rule(
        self, rule_id: str, etag: str, *, wait: bool = True, key: str | None = None, **fields: Any
    ) -> RuleCommitted:
        """Change what `fields` name of a rule."""
        return self.do(calls.edit_rule(rule_id, etag, fields, wait, key))

    def remove_rule(self, rule_id: str, etag: str, *, wait: bool = True, key: str | None = None) -> RuleRemoved:
        """Remove a rule."""
        return self.do(calls.remove_rule(rule_id, etag, wait, key))

    def item(self, item_id: str) -> ItemView:
        """Return an item as it is now."""
        return self.do(calls.item(item_id))

    def put_item(
        self, item_id: str, row: Fields, *, etag: str | None = None, wait: bool = True, key: str | None = None
    ) -> ItemCommitted:
        """Make an item what `row` says."""
        return self.do(calls.edit_item("PUT", item_id, row, etag, wait, key))

    def patch_item(
        self, item_id: str, row: Fields, *, etag: str | None = None, wait: bool = True, key: str | None = None
    ) -> ItemCommitted:
        """Change what `row` names of an item."""
        return self.do(calls.edit_item("PATCH", item_id, row, etag, wait, key))

    def delete_item(
        self, item_id: str, *, etag: str | None = None, wait: bool = True, key: str | None = None
    ) -> ItemCommitted:
        """Take an item out of the catalog."""
        return self.do(calls.edit_item("DELETE", item_id, None, etag, wait, key))

    def edit_items(self, operations: Sequence[Fields], *, wait: bool = True, key: str | None = None) -> BatchCommitted:
        """Do up to 1 000 operations on items, each as `POST /admin/items:batch` takes it."""
        return self.do(calls.edit_items(operations, wait, key))

    def audit(self, **query: Any) -> AuditPage:
        """Tell who changed what; `query` as `GET /admin/audit` takes it."""
        return self.do(calls.audit(query))

    def replicas(self) -> ReplicaList:
        """Return every replica, and what it has applied."""
        return self.do(calls.replicas())
