"""What replicas say of themselves."""

from __future__ import annotations

from pydantic import Field

from slotbeam.api.http.models import Count, Said, sometimes, with_examples


class ReplicaItems(Said):
    """What a live replica says of the items that it serves."""

    epoch: str
    seq: Count
    digest: str
    count: Count
    state: str
    error: str | None
    applied_ms: float | None
    failed: dict[str, str] = Field(description="Id of an item that could not be served there → why")
    switch: int = sometimes(int, "Number of the newest switch of the index that is served there; 0: none")
    index: str = sometimes(str, "Name of the index that is served there")
    index_sha: str = sometimes(str, "Hash of its manifest")
    index_seq: int = sometimes(int, "Of the newest edit in it")
    index_error: str = sometimes(str, "Why the active index is not served there; empty where it is")


class ReplicaView(Said):
    """What a live replica says of itself; null is what it did not say."""

    id: str
    role: str | None
    model: str | None
    codebook: str | None
    state: str | None
    epoch: str | None
    revision: Count
    active: str | None
    applied_ms: float | None
    build_ms: float | None
    error: str | None
    failed: dict[str, str] = Field(description="Id of a binding that could not be built there → why")
    cut: dict[str, Count] = Field(
        description="Id of a binding whose live match finds more items than it may have → how many it leaves out there"
    )
    items: ReplicaItems | None = Field(description="What it says of items; null of an older version")


class ReplicaList(
    Said,
    json_schema_extra=with_examples(
        {
            "revision": 42,
            "replicas": [
                {
                    "id": "serve-1",
                    "role": "data",
                    "model": "demo-3",
                    "codebook": "998fdd8270a3",
                    "state": "live",
                    "epoch": "9f3c51d07ab2e648",
                    "revision": 42,
                    "active": "c1a0b2",
                    "applied_ms": 31,
                    "build_ms": 2.5,
                    "error": None,
                    "failed": {},
                    "cut": {},
                    "items": {
                        "epoch": "4be1c02f6f0d9a77",
                        "seq": 42,
                        "digest": "9f3c51d07ab2e6489f3c51d07ab2e648",
                        "count": 7,
                        "state": "live",
                        "error": None,
                        "applied_ms": 31,
                        "failed": {},
                        "switch": 3,
                        "index": "spring-1042",
                        "index_sha": "5f0c9d77e2",
                        "index_seq": 1042,
                        "index_error": "",
                    },
                }
            ],
        }
    ),
):
    """`GET /admin/replicas`."""

    revision: Count | None = Field(description="The store's; null while it holds nothing")
    replicas: list[ReplicaView]
