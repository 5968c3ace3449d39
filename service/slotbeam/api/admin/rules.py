"""`/admin/rules`: what is done to queries and answers without a slot."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from slotbeam.access.auth import Principal
from slotbeam.api.admin.forms import PatchRuleForm, RuleForm, said
from slotbeam.api.admin.models.dryrun import DryRun
from slotbeam.api.admin.models.rules import RuleDetail, RuleDone, RuleGone, RuleList
from slotbeam.api.admin.parameters import IF_MATCH, KEY, MAX_SEARCH, RulePath, RulesQuery, WriteQuery
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.admin.scopes import EDITING
from slotbeam.api.admin.views import rule_view
from slotbeam.api.admin.writes import Write, WriteRequest, answered_before, carry_out
from slotbeam.api.http.bodies import json_response, read_model
from slotbeam.api.http.openapi import answers, asks
from slotbeam.bindings.actions import actions_of
from slotbeam.bindings.binding import Binding, Lifecycle
from slotbeam.bindings.edits.rules import (
    add_rule,
    as_rule,
    find_rule,
    no_items,
    patched,
    remove_rule,
    update_rule,
)
from slotbeam.bindings.edits.wanted import MakeChange, Wanted
from slotbeam.errors import StoreUnavailable
from slotbeam.language.normalize import normalize


def rule_routes(plane: AdminPlane) -> APIRouter:
    """Build the routes, without the prefix; reading asks for `slots:read`, changing for what it changes."""
    router = APIRouter(prefix="/rules")
    reads, writes = Depends(plane.caller("slots:read")), Depends(plane.caller(*EDITING))

    @router.get(
        "", summary="Every rule, newest change first", responses=answers(200, model=RuleList), dependencies=[reads]
    )
    async def list_rules(query: Annotated[RulesQuery, Query()]) -> Response:
        listing, facts, now = plane.watcher.listing, plane.watcher.facts, plane.now_ms()
        rules = sorted(listing.rules.values(), key=_order) if listing else []
        failed = facts.failed
        every = [(rule, Lifecycle.FAILED if rule.id in failed else rule.lifecycle(now)) for rule in rules]
        behind = None if query.after is None else _place(query.after)
        text = normalize(query.q[:MAX_SEARCH]) if query.q else None
        chosen = [
            rule
            for rule, state in every
            if query.state in (None, state)
            and (query.action is None or query.action in actions_of(rule))
            and (text is None or any(text in field for field in _searchable(rule)))
            and (behind is None or _order(rule) > behind)
        ]
        page = [rule_view(rule, now, failed.get(rule.id)) for rule in chosen[: query.limit]]
        await plane.authors.sign(page, facts.epoch)
        head = {"state": facts.state, "epoch": facts.epoch, "revision": facts.revision, "active": facts.active}
        return json_response(
            {
                **head,
                "counts": dict(Counter(str(state) for _, state in every)),
                "rules": page,
                "next": page[-1]["etag"].strip('"') if len(page) < len(chosen) else None,
            },
            headers={"X-Bindings-Revision": str(facts.revision)},
        )

    @router.get("/{rule}", summary="One rule", responses=answers(200, model=RuleDetail), dependencies=[reads])
    async def get_rule(rule: RulePath) -> Response:
        listing, facts = plane.watcher.listing, plane.watcher.facts
        if listing is None:
            raise StoreUnavailable("no rules are known yet; try again in a moment")
        found = find_rule(listing, rule)
        view = rule_view(found, plane.now_ms(), facts.failed.get(found.id))
        await plane.authors.sign([view], facts.epoch)
        _, missing = plane.artifact.catalog.rows_of(_named(found))
        headers = {"X-Bindings-Revision": str(facts.revision), "ETag": found.etag}
        return json_response({**view, "missing": list(missing)}, headers=headers)

    @router.post(
        "",
        summary="Make a rule",
        status_code=201,
        responses=answers(200, model=DryRun) | answers(201, 202, model=RuleDone),
        openapi_extra=asks(KEY, body=RuleForm),
    )
    async def post_rule(request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes) -> Response:
        form = await read_model(request, RuleForm, plane.settings.admin_body_limit)
        asked = WriteRequest.of(request, query, who, form)
        if (again := await answered_before(plane, asked)) is not None:
            return again
        wanted = as_rule(said(form))
        make = await plane.off_loop(lambda: add_rule(plane.artifact, wanted, who.name, plane.now_ms()))
        return await carry_out(plane, asked, replace(_write(plane, make, wanted, form), created=True))

    @router.put(
        "/{rule}",
        summary="Replace a rule (If-Match)",
        responses=answers(200, model=DryRun | RuleDone) | answers(202, model=RuleDone),
        openapi_extra=asks(IF_MATCH, KEY, body=RuleForm),
    )
    async def put_rule(
        rule: RulePath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        form = await read_model(request, RuleForm, plane.settings.admin_body_limit)
        return await _update(plane, rule, request, query, form, who)

    @router.patch(
        "/{rule}",
        summary="Change parts of a rule (If-Match)",
        responses=answers(200, model=DryRun | RuleDone) | answers(202, model=RuleDone),
        openapi_extra=asks(IF_MATCH, KEY, body=PatchRuleForm),
    )
    async def patch_rule(
        rule: RulePath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        form = await read_model(request, PatchRuleForm, plane.settings.admin_body_limit)
        return await _update(plane, rule, request, query, form, who)

    @router.delete(
        "/{rule}",
        summary="Remove a rule (If-Match)",
        responses=answers(200, model=DryRun | RuleGone) | answers(202, model=RuleGone),
        openapi_extra=asks(IF_MATCH, KEY),
    )
    async def delete_rule(
        rule: RulePath, request: Request, query: Annotated[WriteQuery, Query()], who: Principal = writes
    ) -> Response:
        make = remove_rule(rule, request.headers.get("if-match"), who.name, plane.now_ms())
        return await carry_out(plane, WriteRequest.of(request, query, who), Write(make))

    return router


async def _update(
    plane: AdminPlane,
    rule: str,
    request: Request,
    query: WriteQuery,
    form: RuleForm | PatchRuleForm,
    who: Principal,
) -> Response:
    """Carry out a PUT or a PATCH."""
    asked = WriteRequest.of(request, query, who, form)
    if (again := await answered_before(plane, asked)) is not None:
        return again
    given, whole = said(form), isinstance(form, RuleForm)

    def wanted(before: Binding) -> Wanted:
        return as_rule(given) if whole else patched(before, given)

    make = update_rule(plane.artifact, rule, request.headers.get("if-match"), wanted, who.name, plane.now_ms())
    now = wanted(find_rule(await plane.listing(), rule))
    return await carry_out(plane, asked, _write(plane, make, now, form))


def _write(plane: AdminPlane, make: MakeChange, wanted: Wanted, form: RuleForm | PatchRuleForm) -> Write:
    """Return the write of a rule: its list of items is empty, but the ids that it names are looked up."""
    return Write(make, no_items(plane.artifact, _named(wanted)), form.sample_queries)


def _place(mark: str) -> tuple[int, str]:
    """Return where the list has what `id.revision` names, whatever has become of it since."""
    rule_id, _, revision = mark.partition(".")
    return -int(revision), rule_id


def _order(rule: Binding) -> tuple[int, str]:
    return -rule.revision, rule.id


def _named(rule: Binding | Wanted) -> list[str]:
    """Return the ids that a rule names."""
    return list(dict.fromkeys((*rule.positions, *rule.hide)))


def _searchable(rule: Binding) -> list[str]:
    named = (*_named(rule), rule.id, rule.owner, rule.reason)
    return [*rule.words, rule.alias, *(text.casefold() for text in named)]
