"""What replicas say of themselves."""

from __future__ import annotations

from pydantic import Field

from slotbeam.api.http.models import Count, Said, with_examples


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
                }
            ],
        }
    ),
):
    """`GET /admin/replicas`."""

    revision: Count | None = Field(description="The store's; null while it holds nothing")
    replicas: list[ReplicaView]
