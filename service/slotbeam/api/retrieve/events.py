"""`POST /events`: what users did with the items of answers, counted. Nothing is stored, nothing waits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.http.bodies import JSON, TEXT, json_response, read_model
from slotbeam.api.http.openapi import answers, asks, ref
from slotbeam.api.retrieve.activity import EVENTS, HITS, EventResult
from slotbeam.api.retrieve.metrics import NO_RANK, RANKS, Metrics
from slotbeam.api.retrieve.models import EventsAccepted
from slotbeam.api.retrieve.requestid import Issued, RequestIds, mark_of
from slotbeam.api.retrieve.schemas import Event, EventsBody
from slotbeam.errors import InputError, RequestIdExpired, UnknownRequestId
from slotbeam.search.snapshot import EMPTY_OVERLAY, Holder, Overlay, Pinned, Snapshot

REMEMBERED = 100_000


class EventCounter:
    """Counts each event once, as long as it is remembered; on the event loop only.

    Args:
        ids: knows which request ids this service issued.
        metrics: that are counted in.
        clicked: is told the mark of each query of which an item was taken.
        remembered: events of one type (and bindings they hit) that are known again at most; the oldest are forgotten
            first. Types are remembered apart: an answer has many views, and they push out no click.
    """

    def __init__(
        self,
        ids: RequestIds,
        metrics: Metrics,
        clicked: Callable[[bytes], None] = lambda mark: None,
        remembered: int = REMEMBERED,
    ) -> None:
        self._ids, self._metrics, self._clicked, self._remembered = ids, metrics, clicked, remembered
        self._seen: dict[str, OrderedDict[bytes, None]] = {kind: OrderedDict() for kind in EVENTS}
        self._overlay = EMPTY_OVERLAY
        self._marked: dict[bytes, Pinned] = {}

    def take(self, snapshot: Snapshot, events: Sequence[Event]) -> None:
        """Count `events`, all or none.

        Args:
            snapshot: says which items there are, and which a binding holds now.

        Raises:
            UnknownRequestId, RequestIdExpired, InputError: names the first event that is wrong.
        """
        try:
            answered = [self._answer(place, event) for place, event in enumerate(events)]
        except (UnknownRequestId, RequestIdExpired):
            self._metrics.events.labels(NO_RANK, EventResult.REFUSED).inc(len(events))
            raise
        for event, issued in zip(events, answered, strict=True):
            self._count(snapshot, event, issued)

    def _answer(self, place: int, event: Event) -> Issued:
        try:
            issued = self._ids.read(event.request_id)
        except (UnknownRequestId, RequestIdExpired) as error:
            field = f"events.{place}.request_id"
            named = [{"field": field, "message": str(error)}]
            raise type(error)(f"{field}: {error}", event=place, errors=named) from None
        if event.rank is not None and event.rank >= issued.k:
            field, message = (
                f"events.{place}.rank",
                f"must be below {issued.k}, the k of this request; ranks begin at 0",
            )
            given = str(event.rank)
            raise InputError(
                f"{field}: {message} (given {given})", errors=[{"field": field, "given": given, "message": message}]
            )
        return issued

    def _count(self, snapshot: Snapshot, event: Event, issued: Issued) -> None:
        count = self._metrics.events.labels
        bucket = rank_bucket(event.rank)
        if not self._first(event.type, f"{event.request_id} {event.item_id}"):
            count(bucket, EventResult.REPEATED).inc()
            return
        row = snapshot.artifact.catalog.row_of(event.item_id)
        if row is None:
            count(bucket, EventResult.UNKNOWN_ITEM).inc()
            return
        count(bucket, event.type).inc()
        if event.type in HITS and issued.query:
            self._clicked(issued.query)
        for pinned in self._live(snapshot.overlay, issued.marks) if event.type in HITS else ():
            # Once a request, as activations are: hits ÷ activations is a share, however many items are clicked.
            if (pinned.rows == row).any() and self._first(event.type, f"{event.request_id}#{pinned.id}"):
                self._metrics.bindings.hit(pinned.id, event.type)

    def _live(self, overlay: Overlay, marks: Sequence[bytes]) -> list[Pinned]:
        """Return those of the bindings that were applied to a request that are live still."""
        if marks and overlay is not self._overlay:
            self._overlay = overlay
            self._marked = {mark_of(pinned.id): pinned for pinned in overlay.pinned}
        return [self._marked[mark] for mark in marks if mark in self._marked]

    def _first(self, kind: str, name: str) -> bool:
        """Return whether `name` is not remembered among the events of one type; it is from now on."""
        seen, digest = self._seen[kind], blake2b(name.encode(), digest_size=16).digest()
        if digest in seen:
            return False
        seen[digest] = None
        if len(seen) > self._remembered:
            seen.popitem(last=False)
        return True


def rank_bucket(rank: int | None) -> str:
    """Return the first of `RANKS` that is above `rank` (0-based), as a label; `NO_RANK` without one."""
    return NO_RANK if rank is None else str(next(k for k in RANKS if rank < k))


_AS_TEXT = {"type": "string", "description": "The same JSON, as browsers send it without a preflight"}


def events_route(holder: Holder, counter: EventCounter, body_limit: int) -> APIRouter:
    """Build the route.

    Args:
        holder: of the snapshot that events are looked up in.
        body_limit: largest accepted body, bytes.
    """
    router = APIRouter()

    @router.post(
        "/events",
        status_code=202,
        summary="Report what users did with the items of answers",
        responses=answers(202, model=EventsAccepted),
        openapi_extra=asks(body={JSON: ref(EventsBody), TEXT: _AS_TEXT}),
    )
    async def take_events(request: Request) -> Response:
        body = await read_model(request, EventsBody, body_limit, (JSON, TEXT))
        counter.take(holder.current, body.events)
        return json_response({"accepted": len(body.events)}, status=202)

    return router
