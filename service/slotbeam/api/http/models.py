"""What answers hold, for the OpenAPI documents: the base of both planes' models, and what both planes answer.

No request passes through a model: answers are plain values, written by orjson. Tests hold every answer that they get to
the models that its route promises (`tests/support/promises.py`), so that no member is added, or left out, unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.config import JsonDict

T = TypeVar("T")

StateName = Literal[
    "none", "live", "degraded", "hold:NO_EPOCH", "hold:REGRESSED", "hold:DIVERGED", "hold:CRASHED", "hold:INDEX"
]
"""`ServingState`, as types have it."""
SlotKindName = Literal["empty", "cluster", "solo", "reserved"]
"""`SlotKind`, likewise."""
FieldKindName = Literal["keyword", "number", "bool"]
"""`FieldKind`, likewise."""
Count = Annotated[int, Field(ge=0)]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339."""
TextSpan = Annotated[list[Count], Field(min_length=2, max_length=2)]
"""Where a word begins in a canonical text, and where it has ended."""


class Said(BaseModel):
    """An object of an answer: these members, of exactly these types, and no other."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def sometimes(make: Callable[..., T], about: str) -> T:
    """Declare a member that may be left out; `make()` is what a model has in its place.

    Where that has to be None, for what is not known is no 0, the type says `SkipJsonSchema[None]`: no answer holds it.
    """
    field: T = Field(default_factory=make, description=about)
    return field


def with_examples(*examples: JsonDict) -> JsonDict:
    """Return `json_schema_extra` of a model: answers to learn from."""
    return {"examples": list(examples)}


SEEN: JsonDict = {"state": "live", "epoch": "9f3c51d07ab2e648", "revision": 42, "active": "c1a0b2"}
"""An example of `SeenBindings`."""


class SeenBindings(Said):
    """Which edits an answer has seen."""

    state: StateName
    epoch: str = Field(description='The life of the store; "" before any was seen')
    revision: Count
    active: str = Field(description="Digest of the codebook and the bindings active in it")


class SeenItems(Said):
    """Which items an answer is of: those of an index, and the edits of items up to `seq`."""

    index: str
    state: StateName = Field(description="Of the edits of items")
    seq: Count


class Liveness(Said, json_schema_extra=with_examples({"status": "ok"})):
    """`GET /livez`."""

    status: Literal["ok"]


class Readiness(Said, json_schema_extra=with_examples({"status": "ready", "bindings": SEEN})):
    """`GET /readyz`, 200: a snapshot is served; `degraded`, when its bindings are not followed at the moment."""

    status: Literal["ready", "degraded"]
    bindings: SeenBindings


class Starting(Said, json_schema_extra=with_examples({"status": "starting", "bindings": {**SEEN, "state": "none"}})):
    """`GET /readyz`, 503: bindings were neither listed nor read from the last-known-good file."""

    status: Literal["starting"]
    bindings: SeenBindings


class Draining(Said, json_schema_extra=with_examples({"status": "draining"})):
    """`GET /readyz`, 503: the process was asked to end."""

    status: Literal["draining"]


class PositionInfo(Said):
    """One position of the SID, and how many slots it has of each kind."""

    position: Count
    group: str
    categories: list[str]
    slots: Count
    cluster: Count
    solo: Count
    reserved: Count


class DictionaryInfo(Said):
    """How many words are known, and in how many spellings."""

    concepts: Count
    surfaces: Count


class CatalogInfo(Said):
    """How many items are served, their language, what read them, and what a filter may name."""

    items: Count
    language: str = Field(description="ISO 639-1, or `und` for none or many: which spellings are one word")
    normalizer: Count = Field(description="Version of the normaliser that read them")
    icu: str = Field(description="Version of ICU that read them")
    fields: dict[str, FieldKindName]


class TrieInfo(Said):
    """Different item SIDs, and their length."""

    sids: Count
    depth: Count


class PinnedBindings(SeenBindings):
    """Which edits are served."""

    pinned: Count = Field(description="Bindings active now")


class PlaneInfo(
    Said,
    json_schema_extra=with_examples(
        {
            "version": "0.1.0",
            "model": "demo-3",
            "created": "2026-11-20T20:02:26+00:00",
            "codebook_sha": "998fdd8270a3be4a89681b43eda037da40efc0925df72a6106ce8070fae871bd",
            "positions": [
                {
                    "position": 1,
                    "group": "brand",
                    "categories": ["brand"],
                    "slots": 2112,
                    "cluster": 8,
                    "solo": 2039,
                    "reserved": 64,
                }
            ],
            "dictionary": {"concepts": 5120, "surfaces": 5400},
            "catalog": {
                "items": 30000,
                "language": "en",
                "normalizer": 2,
                "icu": "78.3",
                "fields": {"brand": "keyword", "price": "number", "sale": "bool"},
            },
            "trie": {"sids": 21000, "depth": 6},
            "search": {"scan_budget": 2048},
            "examples": ["red mug"],
            "bindings": {**SEEN, "pinned": 7},
        }
    ),
):
    """`GET /info`."""

    version: str
    model: str = Field(description="The artifact's name")
    created: Moment | None
    codebook_sha: str
    positions: list[PositionInfo]
    dictionary: DictionaryInfo
    catalog: CatalogInfo
    trie: TrieInfo
    search: dict[str, JsonValue] = Field(description="The named configuration")
    examples: list[str] = Field(description="Queries that the artifact understands wholly")
    bindings: PinnedBindings
