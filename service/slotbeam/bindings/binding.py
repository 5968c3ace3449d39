"""A binding as the store holds it: canonical record bytes, digests, and its life by the clock.

Pure code: no store, no clock of its own. Times are unix milliseconds (`now_ms`).
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from operator import lt
from typing import Any

import orjson

from slotbeam.bindings.actions import check_actions
from slotbeam.bindings.spec import FIELDS, LATER, LIVE, BindingSpec, Kind
from slotbeam.bindings.times import FIRST_MS, LAST_MS
from slotbeam.errors import BindingError
from slotbeam.search.snapshot import PLACEMENTS
from slotbeam.types import Slot

SCHEMA = 1
MAX_WORDS = 32
MAX_WORD_LENGTH = 64
MAX_ITEMS = 50_000
MAX_NUMBER = 10**18 - 1
"""Of a revision, or of anything else that is counted; JSON and the ids of a stream hold it exactly."""
GRACE_MS = 120_000
"""How long an expired binding keeps its slot and its words."""

ItemLists = Mapping[str, tuple[str, ...]]
"""Item list hash → its ids, sorted."""

ID_PATTERN = "b_[a-z2-7]{4,32}"
"""Of the id of a binding or a rule."""

_ID = re.compile(ID_PATTERN, re.ASCII)
_SHA = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class Lifecycle(StrEnum):
    """Where a slot and its binding are: `free` is an empty slot, `failed` a binding that a replica could not build."""

    FREE = "free"
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    EXPIRED = "expired"
    FAILED = "failed"


LIFECYCLES = tuple(Lifecycle)


def is_id(text: str) -> bool:
    """Whether a text can be the id of a binding or a rule."""
    return _ID.fullmatch(text) is not None


def new_id() -> str:
    """Draw a binding id that no other binding has, e.g. `b_7kq2mzd4xa` (50 random bits)."""
    return "b_" + "".join(secrets.choice(_ALPHABET) for _ in range(10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding(BindingSpec):
    """Words + target items + lifecycle. It knows no codebook: its slot lives in `{sb}:slots:<codebook_sha>`.

    A rule needs no slot, and its item list is empty.

    `items` is the SHA-256 of the item list (`encode_items`), which names none of the items that a live match finds;
    `revision` is the one that wrote this record.
    """

    id: str
    items: str
    item_count: int
    created_at: int = 0
    revision: int = 0

    def __post_init__(self) -> None:
        if not is_id(self.id):
            raise BindingError(f"{self.id!r} is not a binding id")
        if self.placement not in PLACEMENTS:
            raise BindingError(f"placement {self.placement!r} of {self.id} is not one of {', '.join(PLACEMENTS)}")
        if self.match not in (False, True, LIVE):
            raise BindingError(f"match {self.match!r} of {self.id} is not false, true or {LIVE}")
        least = 0 if self.is_rule else 1
        if not least <= len(self.words) <= MAX_WORDS or len(set(self.words)) != len(self.words):
            needs = f"{least} to {MAX_WORDS} different words"
            raise BindingError(f"binding {self.id} needs {needs}, not {len(self.words)}")
        if any(not word or len(word) > MAX_WORD_LENGTH for word in self.words):
            raise BindingError(f"a word of binding {self.id} is empty or longer than {MAX_WORD_LENGTH} characters")
        if not _SHA.fullmatch(self.items):
            raise BindingError(f"binding {self.id} names no item list")
        if not (0 <= self.item_count <= MAX_NUMBER and 0 <= self.revision <= MAX_NUMBER):
            raise BindingError(f"a number of binding {self.id} is not 0 to {MAX_NUMBER}")
        if any(
            at is not None and not FIRST_MS <= at <= LAST_MS for at in (self.starts_at, self.ends_at, self.created_at)
        ):
            raise BindingError(f"a time of binding {self.id} is not in the years 1 to 9999")
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            raise BindingError(f"binding {self.id} ends before it starts")
        if self.is_rule and self.item_count:
            raise BindingError(f"binding {self.id} has items and no category; a rule has none")
        check_actions(self, self.id)

    @property
    def etag(self) -> str:
        """The strong entity tag of this record: it changes with every edit and with every owner of the slot."""
        return f'"{self.id}.{self.revision}"'

    def lifecycle(self, now_ms: int) -> Lifecycle:
        """Return which it is at `now_ms`: draft, scheduled, active or expired; the others are not a record's to say."""
        if self.draft:
            return Lifecycle.DRAFT
        if self.ends_at is not None and self.ends_at <= now_ms:
            return Lifecycle.EXPIRED
        if self.starts_at is not None and self.starts_at > now_ms:
            return Lifecycle.SCHEDULED
        return Lifecycle.ACTIVE

    @property
    def kept_until(self) -> int | None:
        """When its slot and words are free again by themselves, in unix ms; None for a draft and without an end."""
        return None if self.draft or self.ends_at is None else min(self.ends_at + GRACE_MS, LAST_MS)

    def record(self) -> bytes:
        """Return canonical bytes: UTF-8 JSON, keys sorted, no whitespace, integers only. Fixed by golden files."""
        return record_bytes(asdict(self))

    @classmethod
    def from_record(cls, record: bytes) -> Binding:
        """Read a record. Raises `BindingError` for anything that `record()` would not have written."""
        try:
            data: Any = json.loads(record)
        except (ValueError, RecursionError) as error:
            raise BindingError(f"a binding record is not JSON: {error}") from None
        if not isinstance(data, dict):
            raise BindingError("a binding record is no JSON object")
        for name in sorted(data.keys() - _TYPES.keys()):
            raise BindingError(
                f"a binding record has the field {name[:40]!r}, which this version of slotbeam does not know: it was "
                "written by a newer slotbeam; upgrade this process"
            )
        for name in sorted(_TYPES.keys() - LATER.keys() - data.keys()):
            raise BindingError(f"a binding record lacks the field {name!r}")
        for name, value in data.items():
            if not isinstance(value, _TYPES[name]) or (isinstance(value, bool) and bool not in _TYPES[name]):
                raise BindingError(f"field {name!r} of a binding record has the wrong type {type(value).__name__}")
        lists = {name: data[name] for name, kind in FIELDS.items() if kind is Kind.TEXTS and name in data}
        for name, texts in lists.items():
            if not all(isinstance(text, str) for text in texts):
                raise BindingError(f"field {name!r} of a binding record holds something that is not text")
        binding = cls(**{**data, **{name: tuple(texts) for name, texts in lists.items()}})
        if binding.record() != record:
            raise BindingError(f"the record of binding {binding.id} is not in canonical form")
        return binding


_JSON: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.TEXTS: (list,),
    Kind.FLAG: (bool,),
    Kind.RULE: (bool, str),
    Kind.MOMENT: (int, type(None)),
    Kind.JSON: (str,),
}
_TYPES: dict[str, tuple[type, ...]] = {
    **{name: _JSON[kind] for name, kind in FIELDS.items()},
    **dict.fromkeys(("id", "items"), (str,)),
    **dict.fromkeys(("item_count", "created_at", "revision"), (int,)),
}


def record_bytes(values: Mapping[str, Any]) -> bytes:
    """Write a record of these fields; one of `LATER` that holds its default is left out."""
    unsaid = {name for name, default in LATER.items() if canonical(values[name]) == canonical(default)}
    return canonical({name: value for name, value in values.items() if name not in unsaid})


def canonical(value: Any) -> bytes:
    """Write UTF-8 JSON with sorted keys and no whitespace; refuse floats and lone surrogates."""
    _refuse_floats(value)
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise BindingError(f"a record holds text that UTF-8 cannot say: {error.object[error.start]!r}") from None


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise BindingError(f"a record holds integers only, not {value!r}")
    if isinstance(value, dict):
        for inner in value.values():
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)


def encode_items(item_ids: Iterable[str]) -> tuple[str, bytes]:
    """Return `(sha, bytes)` of an item list: a set, so duplicates and order do not change its name."""
    data = canonical(sorted(set(item_ids)))
    return hashlib.sha256(data).hexdigest(), data


def decode_items(sha: str, data: bytes) -> tuple[str, ...]:
    """Read an item list back; `BindingError` when the bytes are not what `sha` names."""
    if hashlib.sha256(data).hexdigest() != sha:
        raise BindingError(f"item list {sha[:12]}… was changed in the store")
    with suppress(ValueError):
        # On the event loop of a data plane: `encode_items` would take six times as long to tell the same.
        ids = orjson.loads(data)
        listed = isinstance(ids, list) and set(map(type, ids)) <= {str}
        if listed and all(map(lt, ids, ids[1:])) and orjson.dumps(ids) == data:
            return tuple(ids)
    raise BindingError(f"item list {sha[:12]}… is not in canonical form")


def state_digest(records: Mapping[str, bytes]) -> str:
    """Return SHA-256 (hex) over `id\\nrecord\\n` in id order: what every replica of one revision must agree on."""
    digest = hashlib.sha256()
    for binding_id in sorted(records):
        digest.update(binding_id.encode() + b"\n" + records[binding_id] + b"\n")
    return digest.hexdigest()


EMPTY_STATE = state_digest({})


def active_digest(codebook_sha: str, active: Mapping[str, Slot | None]) -> str:
    """Return SHA-256 (hex) over the codebook and `id slot\\n` in id order: which bindings are active, and where.

    A rule, which has no slot, says `-`.
    """
    digest = hashlib.sha256(codebook_sha.encode() + b"\n")
    for binding_id in sorted(active):
        digest.update(f"{binding_id} {active[binding_id] or '-'}\n".encode())
    return digest.hexdigest()


def next_boundary(bindings: Iterable[Binding], now_ms: int) -> int | None:
    """Return the next `starts_at` or `ends_at` after `now_ms`, in unix milliseconds."""
    times = (at for b in bindings if not b.draft for at in (b.starts_at, b.ends_at) if at is not None and at > now_ms)
    return min(times, default=None)
