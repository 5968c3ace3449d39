"""Probes and facts: `/livez`, `/readyz`, `/metrics`, `/info`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response

from slotbeam import __version__
from slotbeam.api.http.bodies import json_response
from slotbeam.api.http.models import Draining, Liveness, PlaneInfo, Readiness, Starting
from slotbeam.api.http.openapi import answers
from slotbeam.search.snapshot import Holder, ServingState, Snapshot


class Exposition(Protocol):
    """Metrics of a plane."""

    def render(self) -> bytes:
        """Return the text exposition format."""
        ...


def probes(holder: Holder, ready: Callable[[], bool], metrics: Exposition) -> APIRouter:
    """Build the routes that operators and machines read; none of them waits for anything."""
    router = APIRouter()

    @router.get("/livez", summary="The process answers; touches nothing", responses=answers(200, model=Liveness))
    async def livez() -> Response:
        return json_response({"status": "ok"})

    @router.get(
        "/readyz",
        summary="200 once a snapshot may be served, whatever the store does afterwards",
        responses=answers(200, model=Readiness) | answers(503, model=Starting | Draining),
    )
    async def readyz() -> Response:
        snapshot = holder.current
        if not ready():
            return json_response({"status": "starting", "bindings": snapshot.bindings()}, 503, {"Retry-After": "1"})
        status = "ready" if snapshot.state in (ServingState.LIVE, ServingState.NONE) else "degraded"
        return json_response({"status": status, "bindings": snapshot.bindings()})

    @router.get("/metrics", summary="Prometheus text format", response_class=PlainTextResponse)
    async def prometheus() -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

    @router.get("/info", summary="Model, codebook, sizes and revision", responses=answers(200, model=PlaneInfo))
    async def info() -> Response:
        return json_response(plane_info(holder.current))

    return router


def plane_info(snapshot: Snapshot) -> dict[str, object]:
    """Return what `/info` says."""
    artifact = snapshot.artifact
    codebook = artifact.kae.codebook
    return {
        "version": __version__,
        "model": artifact.name,
        "created": artifact.manifest.get("created"),
        "codebook_sha": artifact.codebook_sha,
        "positions": [
            {
                "position": position,
                "group": codebook.group_name(position),
                "categories": list(categories),
                "slots": codebook.sizes[position],
                "cluster": codebook.cluster_counts[position],
                "solo": codebook.solo_counts[position],
                "reserved": codebook.reserved_counts[position],
            }
            for position, categories in enumerate(codebook.groups)
        ],
        "dictionary": {"concepts": len(artifact.kae.dictionary), "surfaces": len(artifact.kae.dictionary.surfaces)},
        "catalog": {
            "items": len(artifact.catalog),
            "language": artifact.folding.language,
            **artifact.folding.made_by._asdict(),
            "fields": artifact.manifest.get("index", {}).get("fields", {}),
        },
        "trie": {"sids": artifact.trie.n_leaves, "depth": artifact.trie.depth},
        "search": artifact.manifest.get("search", {}),
        "examples": list(artifact.examples),
        "bindings": {**snapshot.bindings(), "pinned": len(snapshot.overlay.pinned)},
    }
