"""Request ids: text by which every replica that shares the key knows that this service answered the request.

An id is the unpadded base64url of a payload and the first 16 bytes of its HMAC-SHA256. The payload holds what `/events`
has to know of the answer, big-endian, so that no replica needs to remember one:

    version (1) · issued, unix seconds (8) · nonce (8) · k (2) · mark of the query (5)
    · of each applied binding: the mark of its id (5)

An answer that no binding took part in has an id of 54 characters; each binding adds about 7.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b

import structlog

from slotbeam.access.secret import set_or_kept
from slotbeam.errors import RequestIdExpired, SetupError, UnknownRequestId
from slotbeam.settings import Settings

VERSION = 3
LIFE_S = 86_400
MAC_BYTES = 16
MARK_BYTES = 5

_HEAD = struct.Struct(">BQ8sH5s")
_HEAD_BEFORE = struct.Struct(">BQ8sH")
_UNMARKED, _NAMED_SLOTS = 2, 1
"""Versions before: the one knows no query, the other tells of slots, which may hold other bindings by now."""
_PURPOSE = b"slotbeam request id"

log = structlog.get_logger("slotbeam.api")


@dataclass(frozen=True, slots=True)
class Issued:
    """What an id says of its answer: when (unix seconds), how many items were asked for, marks of applied bindings.

    `query` is the mark of what was asked; of an older id it is empty.
    """

    at: int
    k: int
    marks: tuple[bytes, ...]
    query: bytes = b""


def mark_of(binding: str) -> bytes:
    """Return the 5 bytes that stand for a binding in request ids; of 10 000 bindings two share one 1 time in 20 000."""
    return blake2b(binding.encode(), digest_size=MARK_BYTES).digest()


class RequestIds:
    """Issues ids and reads them again.

    Args:
        secret: at least 16 characters; every replica has the same.
        clock: unix seconds.
    """

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        # Derived for this one purpose: the secret, if it serves another, does not sign ids there.
        self._key = hmac.digest(secret.encode("utf-8", "surrogateescape"), _PURPOSE, "sha256")
        self.clock = clock

    def mark_of_query(self, query: str) -> bytes:
        """Return the 5 bytes that stand for a query in ids: who has no key cannot tell which query it was."""
        return blake2b(query.encode("utf-8", "surrogatepass"), digest_size=MARK_BYTES, key=self._key).digest()

    def issue(self, k: int, bindings: Iterable[str] = (), query: bytes = bytes(MARK_BYTES)) -> str:
        """Return a new id for an answer of at most `k` items.

        Args:
            k: of the request.
            bindings: the ids of those applied.
            query: the mark of the query.
        """
        payload = _HEAD.pack(VERSION, max(0, int(self.clock())), os.urandom(8), k, query)
        payload += b"".join(map(mark_of, bindings))
        return self._signed(payload).decode("ascii")

    def read(self, text: str) -> Issued:
        """Return what the id `text` says.

        Raises:
            UnknownRequestId: it was not issued with this key, or was changed: the same answer for all.
            RequestIdExpired: it was, more than 24 hours ago.
        """
        try:
            payload = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[:-MAC_BYTES]
        except ValueError:
            payload = b""
        # Texts are compared, not bytes: base64 has several texts for the same bytes, and only one was issued.
        genuine = hmac.compare_digest(self._signed(payload), text.encode("utf-8", "surrogatepass"))
        if not genuine or payload[0] not in (VERSION, _UNMARKED, _NAMED_SLOTS):
            raise UnknownRequestId("this service did not issue it; send the request_id of an answer, unchanged")
        head = _HEAD if payload[0] == VERSION else _HEAD_BEFORE
        _, at, _, k, *query = head.unpack_from(payload)
        if self.clock() - at > LIFE_S:
            raise RequestIdExpired(f"it was issued more than {LIFE_S // 3600} hours ago; send events sooner")
        told = b"" if payload[0] == _NAMED_SLOTS else payload[head.size :]
        marks = tuple(told[i : i + MARK_BYTES] for i in range(0, len(told), MARK_BYTES))
        return Issued(at, k, marks, *query)

    def _signed(self, payload: bytes) -> bytes:
        mac = hmac.digest(self._key, payload, "sha256")[:MAC_BYTES]
        return base64.urlsafe_b64encode(payload + mac).rstrip(b"=")


def events_key(settings: Settings) -> str:
    """Return the secret that ids are signed with: the setting, else DATA_DIR/events.key, made on first use.

    Where no file can be kept the secret lives as long as this process, and the log says so: a search needs no event.

    Raises:
        SetupError: SLOTBEAM_EVENTS_KEY is too short.
    """
    path = settings.data_dir / "events.key"
    try:
        return set_or_kept(settings.events_key, "SLOTBEAM_EVENTS_KEY", path, lambda: secrets.token_hex(32))
    except SetupError as error:
        if settings.events_key is not None:
            raise
        log.warning("events are taken for this process's own answers only", error=str(error))
        return secrets.token_hex(32)
