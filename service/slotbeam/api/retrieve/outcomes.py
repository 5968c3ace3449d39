"""What became of a request that brought no answer, counted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from starlette.responses import Response

from slotbeam.api.http import problems
from slotbeam.api.retrieve.admission import ClientGone
from slotbeam.api.retrieve.metrics import Metrics, QueryOutcome
from slotbeam.errors import Overloaded, QueueTimeout, SlotbeamError

GONE = 499
"""Status of an answer that nobody reads: its client left."""


async def counted(metrics: Metrics, answering: Awaitable[Response]) -> Response:
    """Count a request that brought no answer by its outcome; answered queries are counted where they run."""
    try:
        return await answering
    except Overloaded:
        metrics.requests.labels(QueryOutcome.OVERLOADED).inc()
        raise
    except QueueTimeout:
        metrics.requests.labels(QueryOutcome.LATE).inc()
        raise
    except ClientGone:
        metrics.requests.labels(QueryOutcome.GONE).inc()
        return Response(status_code=GONE)
    except SlotbeamError as error:
        refused = problems.status_of(error) < 500
        metrics.requests.labels(QueryOutcome.INVALID if refused else QueryOutcome.ERROR).inc()
        raise
    except asyncio.CancelledError:
        raise
    except Exception:
        metrics.requests.labels(QueryOutcome.ERROR).inc()
        raise
