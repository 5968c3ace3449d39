"""`/admin/suggestions`: unknown words that queries suddenly ask for, merged over the replicas; accept or dismiss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.access.auth import Principal
from slotbeam.access.tokens import WRITE
from slotbeam.api.admin.forms import AcceptForm, BindForm
from slotbeam.api.admin.models.dryrun import DryRun
from slotbeam.api.admin.models.edits import BindingCommitted, Done
from slotbeam.api.admin.models.suggestions import SuggestionList, WordDismissed
from slotbeam.api.admin.parameters import KEY, SuggestionsQuery, WordPath, WriteQuery, idempotency_key_of
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.admin.scopes import EDITING
from slotbeam.api.admin.slotwrites import binding_write
from slotbeam.api.admin.writes import WriteRequest, answer_again, carry_out
from slotbeam.api.http.bodies import check_media_type, json_response, parse_json, read_bytes
from slotbeam.api.http.openapi import answers, asks
from slotbeam.api.http.validation import validate
from slotbeam.bindings.binding import Binding
from slotbeam.bindings.edits.plan import Change
from slotbeam.bindings.edits.wanted import MakeChange, resolve_items
from slotbeam.bindings.held import found_by, spelt
from slotbeam.bindings.listing import Listing, word_taken
from slotbeam.bindings.spec import LIVE
from slotbeam.bindings.words import canonical_words, read_again
from slotbeam.errors import InputError
from slotbeam.language.fold import Folding
from slotbeam.suggestions.bursts import Burst, bursts
from slotbeam.suggestions.guess import Guess

GUESSES = 3
BACKGROUND = 300


@dataclass(frozen=True)
class _Found:
    """The words that stand out and that nobody has decided on; how many queries were counted of late; some of them."""

    bursts: list[Burst]
    queries: float
    background: tuple[str, ...]


class _HeldAlready(Exception):
    """A binding of the listing that a commit is planned on holds the word: accepting it again changes nothing."""

    def __init__(self, listing: Listing, binding: Binding) -> None:
        super().__init__(binding.id)
        self.listing, self.binding = listing, binding


def suggestion_routes(plane: AdminPlane) -> APIRouter:
    """Build the routes: reading asks for `slots:read`, accepting for `slots:draft`, dismissing for `slots:write`."""
    router = APIRouter(prefix="/suggestions")
    reads, writes = Depends(plane.caller("slots:read")), Depends(plane.caller(*EDITING))
    decides = Depends(plane.caller(WRITE))

    def items_of(word: str) -> list[int]:
        return [int(row) for row in plane.artifact.catalog.match([word])]

    def guesses(word: str, item_rows: Sequence[int], examples: Sequence[str], unknown: _Found) -> list[Guess]:
        return plane.guesser().guess(word, item_rows, examples, unknown.background)[:GUESSES]

    @router.get(
        "",
        summary="Unknown words that stand out against their own past",
        responses=answers(200, model=SuggestionList),
        dependencies=[reads],
    )
    async def list_suggestions(query: Annotated[SuggestionsQuery, Query()]) -> Response:
        unknown = await _found(plane)

        def view(burst: Burst) -> dict[str, object]:
            item_rows = items_of(burst.word)
            return _view(burst, len(item_rows), guesses(burst.word, item_rows, burst.examples, unknown))

        shown = await plane.off_loop(lambda: [view(burst) for burst in unknown.bursts[: query.count]])
        return json_response({"queries": round(unknown.queries), "suggestions": shown})

    @router.post(
        "/{word}:accept",
        summary="Open a draft binding for the word",
        status_code=201,
        responses=answers(200, model=DryRun | BindingCommitted) | answers(201, 202, model=Done),
        openapi_extra=asks(KEY, body=AcceptForm, needed=False),
    )
    async def accept(
        word: WordPath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        idempotency_key_of(request)  # refused also where the answer needs no write
        raw = await read_bytes(request, plane.settings.admin_body_limit)
        if raw:
            check_media_type(request)
        given = validate(AcceptForm, parse_json(raw)) if raw else AcceptForm()
        asked = WriteRequest.of(request, query, who, given)
        [canonical] = canonical_words([word])
        if given.category is not None:
            plane.artifact.kae.codebook.position_of(given.category)
        try:
            category, why = given.category, "chosen by hand"
            if category is None:
                unknown = await _found(plane)
                examples = next((burst.examples for burst in unknown.bursts if burst.word == canonical), ())
                [best, *_] = await plane.off_loop(lambda: guesses(canonical, items_of(canonical), examples, unknown))
                category, why = best.category, best.why
            form = BindForm.model_validate(
                {
                    "words": [canonical],
                    "category": category,
                    "items": given.items,
                    "draft": True,
                    "owner": given.owner,
                    "reason": f"suggested by queries; {category}: {why}"[:256],
                }
            )
            try:
                write = await binding_write(plane, form, who.name)
            except InputError:  # no item's text holds the word: it may have been accepted with items by their ids
                refuse_second(plane.artifact.folding, await plane.listing(), canonical)
                raise
            return await carry_out(
                plane, asked, replace(write, make=_once(plane.artifact.folding, write.make, canonical))
            )
        except _HeldAlready as error:
            held = error
        await plane.off_loop(lambda: _check_same(plane, canonical, given, held))
        return await answer_again(plane, held.binding, held.listing)

    @router.post("/{word}:dismiss", summary="Never suggest the word again", responses=answers(200, model=WordDismissed))
    async def dismiss(word: WordPath, who: Principal = decides) -> Response:
        [canonical] = canonical_words([word])
        new = await plane.store.dismiss(canonical, {"actor": who.name, "at": plane.now_ms()})
        return json_response({"word": canonical, "dismissed": True, "new": new})

    return router


def refuse_second(folding: Folding, listing: Listing, word: str) -> None:
    """Raise `_HeldAlready` when a binding, drafts included, holds `word`; of several one that spells it so."""
    marks = spelt(folding, word)
    slots = (one for _, one in sorted(listing.bindings.items()) if not one.is_rule)
    found = [one for one in slots if not found_by(folding, [one]).isdisjoint(marks)]
    if found:
        raise _HeldAlready(listing, min(found, key=lambda binding: word not in read_again(binding.words)))


def _once(folding: Folding, make: MakeChange, word: str) -> MakeChange:
    """Make `make`'s change unless the listing it is planned on has the word: of two accepts at once, one commits."""

    def change(listing: Listing) -> Change:
        refuse_second(folding, listing, word)
        return make(listing)

    return change


def _check_same(plane: AdminPlane, word: str, given: AcceptForm, held: _HeldAlready) -> None:
    """Refuse a body that asks for another binding than the one that holds the word. Raises `WordTaken`."""
    binding, named = held.binding, given.model_fields_set
    other = given.category not in (None, binding.category) or ("owner" in named and given.owner != binding.owner)
    if "items" in named and not other:
        items = resolve_items(plane.artifact, [word], given.items.ids, given.items.match)
        other = items.sha != binding.items or (given.items.match == LIVE) != binding.is_live
    if other:
        raise word_taken(held.listing, word, binding.id, plane.now_ms())


async def _found(plane: AdminPlane) -> _Found:
    merged = await plane.counts()
    dismissed = await plane.store.dismissed()
    listing = plane.watcher.listing
    folding = plane.artifact.folding
    bound = found_by(folding, listing.bindings.values()) if listing else set()
    known = plane.artifact.kae.knows

    def test() -> _Found:
        open_words = {
            word: entry
            for word, entry in merged.words.items()
            if word not in dismissed and bound.isdisjoint(spelt(folding, word)) and not known(word)
        }
        queries = sorted({text for entry in merged.words.values() for text in entry.examples})
        every = max(1, len(queries) // BACKGROUND)
        found = bursts(merged.total, open_words, merged.bucket)
        return _Found(found, merged.total.since(0), tuple(queries[::every][:BACKGROUND]))

    return await plane.off_loop(test)


def _view(burst: Burst, items: int, guessed: Sequence[Guess]) -> dict[str, object]:
    return {
        "word": burst.word,
        "queries": burst.count,
        "hours": burst.buckets,
        "share": round(burst.share, 6),
        "past_share": round(burst.past_share, 6),
        "evidence": round(burst.evidence, 1),
        "examples": list(burst.examples),
        "category": guessed[0].category,
        "why": guessed[0].why,
        "categories": [{"category": one.category, "share": round(one.share, 3), "why": one.why} for one in guessed],
        "items": items,
    }
