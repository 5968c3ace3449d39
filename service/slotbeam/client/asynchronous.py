"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
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


class AsyncClient(Sender):
    """`Client` for asyncio."""

    sleep: Callable[[float], Awaitable[None]] = staticmethod(asyncio.sleep)

    def __init__(self, url: str, token: str | None = None, **options: Any) -> None:
        super().__init__(url, token, **options)
        self._http = httpx.AsyncClient(**self.options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """See `Client.call`."""
        built = self._http.build_request(method, path, **request)
        tried = 0
        while True:
            tried += 1
            try:
                answer = await self._http.send(built)
            except httpx.TransportError:
                pause = self.pause_s(built, tried, None)
                if pause is None:
                    raise
            else:
                pause = self.pause_s(built, tried, answer)
                if pause is None:
                    return accepted(answer)
            await self.sleep(pause)

    async def do(self, call: Call[M]) -> M:
        """See `Client.do`."""
        return call.read(await self.call(call.method, call.path, **call.request))

    async def retrieve(self, query: str, **fields: Unpack[SearchFields]) -> RetrieveAnswer:
        """See `Client.retrieve`."""
        return await self.do(calls.retrieve(query, fields))

    async def retrieve_batch(self, queries: Sequence[Fields]) -> BatchAnswer:
        """See `Client.retrieve_batch`."""
        return await self.do(calls.retrieve_batch(queries))

    async def report(self, events: Sequence[Fields]) -> EventsAccepted:
        """See `Client.report`."""
        return await self.do(calls.report(events))

    async def info(self) -> PlaneInfo:
        """See `Client.info`."""
        return await self.do(calls.info())

    async def slots(self, **query: Any) -> SlotList:
        """See `Client.slots`."""
        return await self.do(calls.slots(query))

    async def binding(self, slot: str) -> BindingDetail:
        """See `Client.binding`."""
        return await self.do(calls.binding(slot))

    async def preview(self, words: Sequence[str], category: str, **fields: Any) -> DryRun:
        """See `Client.preview`."""
        return await self.do(calls.preview({"words": list(words), "category": category, **fields}))

    async def bind(
        self, words: Sequence[str], category: str, *, wait: bool = True, key: str | None = None, **fields: Any
    ) -> BindingCommitted:
        """See `Client.bind`."""
        return await self.do(calls.bind({"words": list(words), "category": category, **fields}, wait, key))

    async def edit_binding(
        self, slot: str, etag: str, *, wait: bool = True, key: str | None = None, **fields: Any
    ) -> BindingCommitted:
        """See `Client.edit_binding`."""
        return await self.do(calls.edit_binding(slot, etag, fields, wait, key))

    async def unbind(self, slot: str, etag: str, *, wait: bool = True, key: str | None = None) -> BindingRemoved:
        """See `Client.unbind`."""
        return await self.do(calls.unbind(slot, etag, wait, key))

    async def rules(self, **query: Any) -> RuleList:
        """See `Client.rules`."""
        return await self.do(calls.rules(query))

    async def rule(self, rule_id: str) -> RuleDetail:
        """See `Client.rule`."""
        return await self.do(calls.rule(rule_id))

    async def add_rule(
        self, words: Sequence[str], *, wait: bool = True, key: str | None = None, **fields: Any
    ) -> RuleCommitted:
        """See `Client.add_rule`."""
        return await self.do(calls.add_rule({"words": list(words), **fields}, wait, key))

    async def edit_rule(
        self, rule_id: str, etag: str, *, wait: bool = True, key: str | None = None, **fields: Any
    ) -> RuleCommitted:
        """See `Client.edit_rule`."""
        return await self.do(calls.edit_rule(rule_id, etag, fields, wait, key))

    async def remove_rule(self, rule_id: str, etag: str, *, wait: bool = True, key: str | None = None) -> RuleRemoved:
        """See `Client.remove_rule`."""
        return await self.do(calls.remove_rule(rule_id, etag, wait, key))

    async def item(self, item_id: str) -> ItemView:
        """See `Client.item`."""
        return await self.do(calls.item(item_id))

    async def put_item(
        self, item_id: str, row: Fields, *, etag: str | None = None, wait: bool = True, key: str | None = None
    ) -> ItemCommitted:
        """See `Client.put_item`."""
        return await self.do(calls.edit_item("PUT", item_id, row, etag, wait, key))

    async def patch_item(
        self, item_id: str, row: Fields, *, etag: str | None = None, wait: bool = True, key: str | None = None
    ) -> ItemCommitted:
        """See `Client.patch_item`."""
        return await self.do(calls.edit_item("PATCH", item_id, row, etag, wait, key))

    async def delete_item(
        self, item_id: str, *, etag: str | None = None, wait: bool = True, key: str | None = None
    ) -> ItemCommitted:
        """See `Client.delete_item`."""
        return await self.do(calls.edit_item("DELETE", item_id, None, etag, wait, key))

    async def edit_items(
        self, operations: Sequence[Fields], *, wait: bool = True, key: str | None = None
    ) -> BatchCommitted:
        """See `Client.edit_items`."""
        return await self.do(calls.edit_items(operations, wait, key))

    async def audit(self, **query: Any) -> AuditPage:
        """See `Client.audit`."""
        return await self.do(calls.audit(query))

    async def replicas(self) -> ReplicaList:
        """See `Client.replicas`."""
        return await self.do(calls.replicas())
