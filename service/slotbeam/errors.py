"""The exception tree.

SlotbeamError
├── InputError (ValueError)        the caller's mistake: 422
│   ├── TextError                  text that cannot be normalised
│   ├── FieldError                 a field that the catalog does not have
│   │   ├── FilterError            a filter on a field or value that does not exist
│   │   └── CursorError            a cursor that was changed, or is of another request
│   ├── BindingError               a binding that could not be compiled
│   ├── ImportRefused              a file of bindings with at least one bad row
│   ├── UnknownRequestId           an event for an id that this service did not issue
│   ├── RequestIdExpired           … that it issued too long ago
│   └── BodyError                  400: a body that is not plain JSON
├── RequestError                   400: not HTTP, or HTTP that could be read in two ways
├── NotFound                       404
├── MethodNotAllowed               405
├── RequestTimeout                 408: a body that arrived too slowly
├── Conflict                       409
│   ├── SlotTaken
│   ├── WordTaken
│   ├── NoFreeSlot
│   └── IdempotencyReused
├── Stale                          412
├── PreconditionRequired           428
├── DeltaFull                      507: more items were edited than an index may be behind
├── Unauthorized                   401
├── Forbidden                      403
├── RateLimited                    429: a token was used too often
├── TooLarge                       413
├── UnsupportedMedia               415
├── HeadTooLarge                   431
├── Overloaded                     503: the queue is full
├── QueueTimeout                   503: it waited too long in the queue
├── ShuttingDown                   503: the process ended before the answer
├── StoreError                     the bindings store
│   ├── StoreUnavailable           503: nothing was written
│   └── OutcomeUnknown             503: it may have been written
├── ArtifactError                  an artifact that is damaged or of another format
└── SetupError                     a command that cannot start, with what to do
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SlotbeamError(Exception):
    """Base of every error slotbeam raises on purpose.

    `type` is the stable slug of the problem document; `details` are extra members of it (JSON values only).
    """

    type = "internal"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class InputError(SlotbeamError, ValueError):
    type = "invalid-input"


class TextError(InputError):
    type = "invalid-text"


class FieldError(InputError):
    """`field` is where in the body something is wrong, e.g. `sort.0.field`; `message` goes on from it."""

    type = "invalid-field"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}", errors=[{"field": field, "message": message}])
        self.field, self.message = field, message

    def inside(self, place: str) -> FieldError:
        """Return the same error of a body that is at `place` of a larger one."""
        return type(self)(f"{place}.{self.field}", self.message)


class FilterError(FieldError):
    """Of a part of a filter, e.g. `filter.price.gte`."""

    type = "invalid-filter"


class CursorError(FieldError):
    """Of a cursor that no answer gave, or not to this request."""

    type = "invalid-cursor"


class BindingError(InputError):
    type = "invalid-binding"


class ImportRefused(InputError):
    """`refused` is line → what is wrong with it."""

    type = "import-refused"

    def __init__(self, message: str, refused: Mapping[int, SlotbeamError], **details: Any) -> None:
        super().__init__(message, **details)
        self.refused = refused


class UnknownRequestId(InputError):
    type = "unknown-request-id"


class RequestIdExpired(InputError):
    type = "request-id-expired"


class BodyError(InputError):
    type = "malformed-body"


class RequestError(SlotbeamError):
    type = "malformed-request"


class NotFound(SlotbeamError):
    type = "not-found"


class MethodNotAllowed(SlotbeamError):
    type = "method-not-allowed"


class RequestTimeout(SlotbeamError):
    type = "request-timeout"


class Conflict(SlotbeamError):
    type = "conflict"


class SlotTaken(Conflict):
    type = "slot-taken"


class WordTaken(Conflict):
    type = "word-taken"


class NoFreeSlot(Conflict):
    type = "no-free-slot"


class IdempotencyReused(Conflict):
    type = "idempotency-key-reused"


class Stale(SlotbeamError):
    type = "stale-revision"


class PreconditionRequired(SlotbeamError):
    type = "precondition-required"


class DeltaFull(SlotbeamError):
    type = "delta-full"


class Unauthorized(SlotbeamError):
    type = "unauthorized"


class Forbidden(SlotbeamError):
    type = "forbidden"


class RateLimited(SlotbeamError):
    type = "rate-limited"


class TooLarge(SlotbeamError):
    type = "too-large"


class UnsupportedMedia(SlotbeamError):
    type = "unsupported-media-type"


class HeadTooLarge(SlotbeamError):
    type = "headers-too-large"


class Overloaded(SlotbeamError):
    type = "overloaded"


class QueueTimeout(SlotbeamError):
    type = "queue-timeout"


class ShuttingDown(SlotbeamError):
    type = "shutting-down"


class StoreError(SlotbeamError):
    type = "store-error"


class StoreUnavailable(StoreError):
    type = "store-unavailable"


class OutcomeUnknown(StoreError):
    type = "outcome-unknown"


class ArtifactError(SlotbeamError):
    type = "artifact-invalid"


class SetupError(SlotbeamError):
    type = "setup"
