"""What the requests of one data plane share, and how they are answered: all of a request on one snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from slotbeam.api.retrieve.admission import Admission
from slotbeam.api.retrieve.answers import document
from slotbeam.api.retrieve.metrics import Metrics
from slotbeam.api.retrieve.requestid import RequestIds
from slotbeam.api.retrieve.schemas import RetrieveBody
from slotbeam.errors import FieldError
from slotbeam.search.request import Answer, SearchRequest
from slotbeam.search.snapshot import Holder, Snapshot
from slotbeam.search.unknown import WordResult, split_words, understood, words_that
from slotbeam.settings import Settings
from slotbeam.suggestions.reporting import TrendReporter
from slotbeam.types import QueryStage, Timings

Search = Callable[[Snapshot, SearchRequest, Timings], Answer]
ASKER = 128
"""Characters of `X-Asker` that are looked at."""


@dataclass(slots=True)
class DataPlane:
    """What the requests of one data plane share; `app.state.plane`."""

    settings: Settings
    holder: Holder
    metrics: Metrics
    admission: Admission
    ids: RequestIds
    search: Search
    trends: TrendReporter | None = None

    async def answer(
        self, http: Request, bodies: list[RetrieveBody], batch: bool = False
    ) -> tuple[Snapshot, list[tuple[dict[str, object], Timings]]]:
        """Answer every query on one snapshot, read here and nowhere else.

        Args:
            http: the request that `bodies` came in, read to its end.
            batch: whether they came as a list: an error says in which one it is.

        Returns:
            The snapshot, and for each query its document and the seconds of its stages.

        Raises:
            Overloaded, QueueTimeout, ClientGone: as `Admission.run`. Anything `search` raises.
        """

        async def left() -> None:
            while (await http.receive())["type"] != "http.disconnect":
                pass

        snapshot = self.holder.current
        asker = asker_of(http)
        jobs = [self._job(snapshot, body, f"queries.{i}" if batch else "", *asker) for i, body in enumerate(bodies)]
        return snapshot, await self.admission.run(jobs, left)

    def _job(
        self, snapshot: Snapshot, body: RetrieveBody, place: str, named: str, caller: str
    ) -> Callable[[float], tuple[dict[str, object], Timings]]:
        def job(waited_s: float) -> tuple[dict[str, object], Timings]:
            started = time.perf_counter()
            timings = Timings()
            try:
                cursor = body.read_cursor()
                request = body.request(self.settings.beam_width, self.settings.max_bindings_per_query, cursor)
                answer = self.search(snapshot, request, timings)
            except FieldError as error:
                raise error.inside(place) if place else error from None
            timings.add(QueryStage.QUEUE, waited_s)
            self.metrics.record(timings, len(answer.hits), waited_s + time.perf_counter() - started)
            applied_ids = [applied.id for applied in answer.applied]
            self.metrics.bindings.activated(applied_ids)
            # Counted is what was typed, whatever it was taken for.
            reading, typed, words = answer.reading, answer.encoded, answer.words.words
            if reading.corrected:
                typed = snapshot.artifact.kae.encode(reading.shape.text)
                words = split_words(typed, [reading.uncorrected(each.match) for each in reading.bound])
            for word in words:
                self.metrics.words.labels(word.result).inc()
            self.metrics.understood.labels(understood(words)).inc()
            mark = self.ids.mark_of_query(reading.typed)
            if self.trends is not None and not (cursor and cursor.shown.items):  # a further page is no query more
                self.trends.note(typed.text, words_that(words, WordResult.UNKNOWN), named)
                if len(answer.hits):
                    self.trends.note_answered(mark, reading.typed, caller)
                else:
                    self.trends.note_unanswered(reading.typed, caller)
            return document(self.ids.issue(request.k, applied_ids, mark), snapshot, answer, cursor), timings

        return job


def asker_of(http: Request) -> tuple[str, str]:
    """Return who asks: as the header `X-Asker` says, "" where it does not; and as it says, else by the address."""
    named = http.headers.get("x-asker", "").strip()[:ASKER]
    return named, named or f"from {http.client.host if http.client else ''}"
