"""From a request that changes something to its answer: dry run or commit, then who has it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.access.audit import Attempt, attempt_of
from slotbeam.access.auth import Principal
from slotbeam.api.admin.forms import PatchForm, PatchRuleForm
from slotbeam.api.admin.parameters import WriteQuery, idempotency_key_of
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.admin.preview import Preview
from slotbeam.api.admin.scopes import allowed
from slotbeam.api.admin.views import Spread, edit_view, is_complete, spread_of
from slotbeam.api.http.bodies import json_response
from slotbeam.bindings.binding import Binding, ItemLists
from slotbeam.bindings.edits.plan import Edit
from slotbeam.bindings.edits.wanted import (
    MakeChange,
    Resolved,
)
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.store.commit import Committed, confirmed
from slotbeam.suggestions.guess import Guesser
from slotbeam.suggestions.warnings import warnings_about


@dataclass(frozen=True)
class Write:
    """One request that changes a binding.

    Attributes:
        make: its change.
        resolved: the item list that it names.
        samples: queries for the dry run.
        created: whether success is 201.
        lists: item lists that it names and that no binding has now, for the dry run.
    """

    make: MakeChange
    resolved: Resolved | None = None
    samples: Sequence[str] = ()
    created: bool = False
    lists: ItemLists = field(default_factory=dict)


@dataclass(frozen=True)
class WriteRequest:
    """What a request that changes one binding says beside its body, read once.

    Attributes:
        who: sends it.
        attempt: that it is, for the audit.
        idempotency_key: of its header; None without.
        fingerprint: what makes another request the same one.
        dry_run: whether nothing is to be written.
        wait_s: how long to wait for the replicas.
        creates: whether it is a POST; any other edits what is there.
        lacks_condition: whether it edits what is there and came without If-Match.
    """

    who: Principal
    attempt: Attempt
    idempotency_key: str | None
    fingerprint: str
    dry_run: bool
    wait_s: float
    creates: bool
    lacks_condition: bool

    @classmethod
    def of(cls, request: Request, query: WriteQuery, who: Principal, form: BaseModel | None = None) -> WriteRequest:
        """Read what `request` says. Raises `InputError`: its `Idempotency-Key` is none."""
        key, creates = idempotency_key_of(request), request.method == "POST"
        lacks_condition = not creates and "if-match" not in request.headers
        mark, attempt = fingerprint_of(request, form), attempt_of(request)
        return cls(who, attempt, key, mark, query.dry_run, query.wait_s, creates, lacks_condition)


async def answered_before(plane: AdminPlane, asked: WriteRequest) -> Response | None:
    """Return the answer of the same request with the same `Idempotency-Key`, whatever has become of its binding since.

    Raises:
        IdempotencyReused: the key was used for another request.
    """
    if asked.dry_run or asked.idempotency_key is None or asked.lacks_condition:
        return None
    done = await plane.committed_before(asked.idempotency_key, asked.fingerprint)
    return None if done is None else await _acknowledge(plane, done, asked.wait_s, asked.creates)


async def carry_out(plane: AdminPlane, asked: WriteRequest, write: Write) -> Response:
    """Do the dry run, or commit and say who has it. Raises `Forbidden`: the token may not do all that it does."""
    write = replace(write, make=allowed(write.make, asked.who, asked.attempt))
    if asked.dry_run:
        return await _dry_run(plane, write)
    if asked.lacks_condition:
        write.make(await plane.listing())  # raises what is missing: no earlier request with its key may hide that
    items = {write.resolved.sha: write.resolved.data} if write.resolved else {}
    done = await plane.commit(write.make, items, asked.idempotency_key, asked.fingerprint)
    return await _acknowledge(plane, done, asked.wait_s, write.created)


async def _acknowledge(plane: AdminPlane, done: Committed, seconds: float, created: bool) -> Response:
    ids = [(edit.after or edit.before).id for edit in done.edits if edit.after or edit.before]  # type: ignore[union-attr]
    spread = await spread_of(plane.store, done.revision, ids, seconds)
    complete = plane.serves(done) and is_complete(spread, seconds)
    status = (201 if created else 200) if complete else 202
    warnings = await warnings_of(plane, done.edits[:1], plane.guesser)
    return json_response(*_answer(plane, done, spread, status, [text for found in warnings for text in found]))


async def answer_again(plane: AdminPlane, binding: Binding, listing: Listing) -> Response:
    """Answer for an edit that was made before: 200, the binding as it is now, and who has it."""
    done = await confirmed(plane.store, listing, binding)
    return json_response(
        *_answer(plane, done, await spread_of(plane.store, binding.revision, [binding.id], 0), 200, [])
    )


async def warnings_of(
    plane: AdminPlane, edits: Sequence[Edit], guesser: Callable[[], Guesser] | None = None
) -> list[list[str]]:
    """Return what each of the edits is warned of."""
    listing = plane.watcher.listing
    if listing is None:
        return [[] for _ in edits]
    return await plane.off_loop(lambda: [warnings_about(plane.artifact, listing, edit, guesser) for edit in edits])


def fingerprint_of(request: Request, form: BaseModel | Sequence[BaseModel] | None, said: str = "") -> str:
    """Return what makes two requests the same one: method, path, meaning of the body, and what else is `said`."""
    forms = [form] if isinstance(form, BaseModel) else form or ()
    body = said + "\n".join(json.dumps(_meaning(f), sort_keys=True, ensure_ascii=False) for f in forms)
    return hashlib.sha256(f"{request.method} {request.url.path}\n{body}".encode()).hexdigest()


def _meaning(form: BaseModel) -> dict[str, object]:
    """Return a form with its defaults; one of a PATCH without them, for there null and left out are two things."""
    return form.model_dump(mode="json", exclude_unset=isinstance(form, PatchForm | PatchRuleForm))


async def _dry_run(plane: AdminPlane, write: Write) -> Response:
    listing: Listing = await plane.listing()
    watcher = plane.watcher
    preview = Preview(
        snapshot=plane.holder.current,
        listing=listing,
        items={**(watcher.good.items if watcher.good else {}), **write.lists},
        previous=watcher.compiled.every if watcher.compiled else None,
        now_ms=plane.now_ms(),
        resolved=write.resolved,
        samples=write.samples,
        traffic=[one.query for one in (await plane.counts()).sample],
        guesser=plane.guesser,
    )
    run: Callable[[], dict[str, object]] = lambda: preview.run(write.make)  # noqa: E731
    return json_response(await plane.off_loop(run))


def _answer(
    plane: AdminPlane, done: Committed, spread: Spread, status: int, warnings: Sequence[str]
) -> tuple[dict[str, object], int, dict[str, str]]:
    edit = done.edits[0] if done.edits else None
    view = edit_view(plane.artifact, edit, plane.now_ms()) if edit else {}
    body, headers = outcome_of(plane, done, spread, complete=status != 202)
    if "etag" in view:
        headers["ETag"] = view["etag"]
        headers["Location"] = (
            f"/admin/slots/{view['slot'] or view['id']}" if "slot" in view else f"/admin/rules/{view['id']}"
        )
    return {**view, **body, "warnings": list(warnings)}, status, headers


def outcome_of(
    plane: AdminPlane, done: Committed, spread: Spread, complete: bool
) -> tuple[dict[str, object], dict[str, str]]:
    """Return what every answer to a commit says: the members of its body, and its headers."""
    headers = {"X-Bindings-Revision": str(done.revision)}
    if done.replayed:
        headers["Idempotency-Replayed"] = "true"
    body = {
        "epoch": plane.watcher.facts.epoch,
        "revision": done.revision,
        "replayed": done.replayed,
        "durability": done.durability,
        "propagation": spread,
        **({} if complete else {"look": "/admin/replicas"}),
    }
    return body, headers
