"""`/admin/suggestions`: unknown words that queries suddenly ask for, merged over the replicas; accept or dismiss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.admin.forms import AcceptForm, BindForm, count_of
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.admin.writes import binding_write, carry_out
from slotbeam.api.bodies import check_media_type, parse_json, read_bytes
from slotbeam.api.probes import json_response
from slotbeam.api.problems import validate
from slotbeam.bindings.bursts import Burst, bursts, merge, read_counts
from slotbeam.bindings.trends import BUCKET_S
from slotbeam.bindings.words import canonical_words
from slotbeam.kae.encode import Kae
from slotbeam.kae.normalize import normalize

SHOWN = 20


def suggestion_routes(plane: AdminPlane) -> APIRouter:
    """Build the three routes; reading asks for `slots:read`, deciding for `slots:write`."""
    router = APIRouter(prefix="/suggestions")

    @router.get("", summary="Unknown words that stand out against their own past (count)")
    async def list_suggestions(request: Request) -> Response:
        plane.tokens.principal(request, "slots:read")
        count = count_of(request, "count", SHOWN, 100)
        found, queries = await _found(plane)
        shown = await plane.off_loop(lambda: [_view(plane, burst) for burst in found[:count]])
        return json_response({"queries": round(queries), "suggestions": shown})

    @router.post("/{word}:accept", summary="Open a draft binding for the word")
    async def accept(word: str, request: Request) -> Response:
        actor = plane.tokens.principal(request, "slots:write").name
        raw = await read_bytes(request, plane.settings.admin_body_limit)
        if raw:
            check_media_type(request)
        given = validate(AcceptForm, parse_json(raw)) if raw else AcceptForm()
        [canonical] = canonical_words([word])
        category, why = given.category, "chosen by hand"
        if category is None:
            burst = next((burst for burst in (await _found(plane))[0] if burst.word == canonical), None)
            category, why = guess_category(plane.artifact.kae, canonical, burst.examples if burst else ())
        form = BindForm(
            words=[canonical],
            category=category,
            items=given.items,
            draft=True,
            owner=given.owner,
            reason=f"suggested by queries; {category}: {why}"[:256],
        )
        return await carry_out(plane, request, await binding_write(plane, form, actor), given)

    @router.post("/{word}:dismiss", summary="Never suggest the word again")
    async def dismiss(word: str, request: Request) -> Response:
        actor = plane.tokens.principal(request, "slots:write").name
        [canonical] = canonical_words([word])
        new = await plane.store.dismiss(canonical, {"actor": actor, "at": plane.now_ms()})
        return json_response({"word": canonical, "dismissed": True, "new": new})

    return router


def guess_category(kae: Kae, word: str, examples: Sequence[str]) -> tuple[str, str]:
    """Guess what a word is from the queries that hold it: the first of brand and entity that most of them lack.

    Returns:
        The category and why, in words. Only a first proposal: an operator confirms or changes it.
    """
    named = []
    for text in examples:
        encoded = kae.encode(normalize(text))
        named.append({kae.dictionary[match.concept].category for match in encoded.matches if match.surface != word})
    alone = sum(not categories for categories in named)
    if not named or alone == len(named):
        return "brand", "no query says anything beside it; most new words are brands"
    for category in ("brand", "entity"):
        missing = sum(category not in categories for categories in named)
        if 2 * missing > len(named):
            return category, f"{missing} of {len(named)} example queries name no other {category}"
    return "series", "most example queries name both a brand and an entity beside it"


async def _found(plane: AdminPlane) -> tuple[list[Burst], float]:
    """The words that stand out and that nobody has decided on, and how many queries of late they were found in."""
    published = [counts for document in await plane.store.stats() if (counts := read_counts(document)) is not None]
    dismissed = await plane.store.dismissed()
    listing = plane.watcher.listing
    bound = {word for binding in listing.bindings.values() for word in binding.words} if listing else set()
    known = plane.artifact.kae.knows

    def test() -> tuple[list[Burst], float]:
        merged = merge(published, plane.now_ms() // 1000 // BUCKET_S)
        open_words = {
            word: entry
            for word, entry in merged.words.items()
            if word not in dismissed and word not in bound and not known(word)
        }
        return bursts(merged.total, open_words, merged.bucket), merged.total.since(0)

    return await plane.off_loop(test)


def _view(plane: AdminPlane, burst: Burst) -> dict[str, Any]:
    category, why = guess_category(plane.artifact.kae, burst.word, burst.examples)
    return {
        "word": burst.word,
        "queries": burst.count,
        "hours": burst.buckets,
        "share": round(burst.share, 6),
        "past_share": round(burst.past_share, 6),
        "evidence": round(burst.evidence, 1),
        "examples": list(burst.examples),
        "category": category,
        "why": why,
        "items": len(plane.artifact.catalog.match([burst.word])),
    }
