"""From a request that edits items to its answer: dry run or commit, then who has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.api.admin.models.items import BatchForm
from slotbeam.api.admin.parameters import WriteQuery, idempotency_key_of
from slotbeam.api.admin.plane import AdminPlane, refuse_on_hold
from slotbeam.api.admin.views import SEQ, is_complete, spread_of
from slotbeam.api.admin.writes import fingerprint_of
from slotbeam.api.http.bodies import json_response
from slotbeam.api.http.problems import document_of
from slotbeam.errors import InputError
from slotbeam.items.edits import Did, ItemOutcome, Operation, Verb
from slotbeam.items.replica.serving import is_held_by
from slotbeam.items.rows import base_row, check_id, needs_encoding
from slotbeam.items.store.commit import ItemsCommitted, ItemsRules, commit_items, plan_items


def operation_of(request: Request, verb: Verb, item_id: str, body: Mapping[str, Any] | None = None) -> Operation:
    """Return what a request for one item asks for. Raises `InputError`: its id is none."""
    tags = request.headers.getlist("if-match")
    return Operation(verb, check_id(item_id), body, ", ".join(tags) if tags else None)


def operations_of(form: BatchForm) -> list[Operation]:
    """Return what a batch asks for."""
    return [Operation(Verb(one.op), one.id, one.item, one.if_match) for one in form.operations]


async def answer_one(
    plane: AdminPlane, request: Request, query: WriteQuery, operation: Operation, actor: str
) -> Response:
    """Edit one item, or say what that would do. Raises why it is refused."""
    key = idempotency_key_of(request)
    if query.dry_run:
        seen, plan = await plan_items(plane.follower.store, [operation], rules_of(plane))
        told = _told(_done(plan.outcomes[0]))
        return json_response({**told, "dry_run": True, "seq": seen.head.seq})
    done = await _commit(plane, request, [operation], actor, key)
    outcome = _done(done.outcomes[0])
    body, status, headers = await _acknowledge(plane, done, query.wait_s)
    if status == 200 and outcome.did is Did.CREATED:
        status = 201
    if outcome.etag is not None:
        headers["ETag"] = outcome.etag
    return json_response({**_told(outcome), **body}, status, headers)


async def answer_batch(
    plane: AdminPlane,
    request: Request,
    query: WriteQuery,
    asked: Sequence[Operation],
    actor: str,
) -> Response:
    """Do the operations of a batch that are not refused, or say what each would do."""
    key = idempotency_key_of(request)
    if query.dry_run:
        seen, plan = await plan_items(plane.follower.store, asked, rules_of(plane))
        return json_response({**_report(plan.outcomes), "dry_run": True, "seq": seen.head.seq})
    done = await _commit(plane, request, asked, actor, key)
    body, status, headers = await _acknowledge(plane, done, query.wait_s)
    return json_response({**_report(done.outcomes), **body}, status, headers)


def rules_of(plane: AdminPlane) -> ItemsRules:
    """Return what edits of items are held to."""
    base, facts = partial(base_row, plane.base), plane.follower.facts
    kinds, held = plane.artifact.catalog.fields.kinds, facts.count - facts.delta
    is_held = partial(is_held_by, plane.base.watermark, facts.epoch)
    return ItemsRules(base, kinds, plane.settings.delta_limit, plane.feed_kept, held, is_held)


async def _commit(
    plane: AdminPlane, request: Request, operations: Sequence[Operation], actor: str, idempotency_key: str | None
) -> ItemsCommitted:
    """Commit, then wait until this replica serves it, so that a read that follows sees it."""
    follower = plane.follower
    refuse_on_hold(follower.facts.state, f"seq {follower.facts.seq}")
    done = await commit_items(
        follower.store,
        operations,
        rules_of(plane),
        actor=actor,
        at=plane.now_ms(),
        idempotency_key=idempotency_key,
        fingerprint=_fingerprint(request, operations),
    )
    await follower.reached(done.seq, plane.pace.own_s)
    return done


def _fingerprint(request: Request, operations: Sequence[Operation]) -> str:
    """Return what makes two requests the same one."""
    meant = [[one.verb, one.id, one.body, one.if_match] for one in operations]
    return fingerprint_of(request, None, orjson.dumps(meant, option=orjson.OPT_SORT_KEYS).decode())


def _done(outcome: ItemOutcome) -> ItemOutcome:
    """Return the outcome of an operation that was not refused; else raise why it was."""
    if outcome.error is not None:
        raise outcome.error
    return outcome


def _told(outcome: ItemOutcome) -> dict[str, object]:
    changed = list(outcome.changed)
    return {
        "id": outcome.id,
        "did": outcome.did,
        "edit_seq": outcome.seq,
        "etag": outcome.etag,
        "changed": changed,
        "encodes": needs_encoding(changed),
    }


def _report(outcomes: Sequence[ItemOutcome]) -> dict[str, object]:
    counts = Counter(outcome.did for outcome in outcomes)
    return {
        "operations": len(outcomes),
        **{did.value: counts[did] for did in Did},
        "results": [_told(outcome) if outcome.did is not Did.REFUSED else _refusal(outcome) for outcome in outcomes],
    }


def _refusal(outcome: ItemOutcome) -> dict[str, object]:
    why = outcome.error or InputError("it was refused when it was sent first; send it alone to be told why")
    return {"id": outcome.id, "did": outcome.did, "problem": document_of(why)}


async def _acknowledge(
    plane: AdminPlane, done: ItemsCommitted, seconds: float
) -> tuple[dict[str, object], int, dict[str, str]]:
    """Return what every answer to a commit of items says: the members of its body, its status, and its headers."""
    ids = [outcome.id for outcome in done.outcomes if outcome.did.wrote]
    spread = await spread_of(plane.store, done.seq, ids, seconds, SEQ)
    complete = plane.follower.facts.seq >= done.seq and is_complete(spread, seconds)
    headers = {"X-Items-Seq": str(done.seq)}
    if done.replayed:
        headers["Idempotency-Replayed"] = "true"
    body = {
        "epoch": done.epoch,
        "seq": done.seq,
        "replayed": done.replayed,
        "durability": done.durability,
        "propagation": spread,
        **({} if complete else {"look": "/admin/replicas"}),
    }
    return body, 200 if complete else 202, headers
