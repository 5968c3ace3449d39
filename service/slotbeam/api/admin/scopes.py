"""Who may say what bindings and rules are, and who may say that they count: two scopes, asked for edit by edit."""

from __future__ import annotations

from dataclasses import replace

from slotbeam.access.audit import Attempt
from slotbeam.access.auth import Principal
from slotbeam.access.tokens import DRAFT, PUBLISH, WRITE
from slotbeam.bindings.edits.plan import Change, Edit
from slotbeam.bindings.edits.wanted import MakeChange
from slotbeam.bindings.listing import Listing
from slotbeam.errors import Forbidden

EDITING = (WRITE, DRAFT, PUBLISH)
"""Scopes of which a route that edits asks for one; the edit itself then says which it needs."""

_WHY = {
    PUBLISH: "this changes what is served, or is scheduled to; leave it a draft",
    DRAFT: "this changes more than whether it is a draft",
}


def allowed(make: MakeChange, who: Principal, attempt: Attempt) -> MakeChange:
    """Make `make`'s change where `who` may: it is asked of the listing that the commit starts from.

    The change raises `Forbidden`, naming the scope; the audit is told by `attempt`.
    """

    def change(listing: Listing) -> Change:
        made = make(listing)
        for edit in made.edits:
            for scope in needed(edit) - who.scopes:
                attempt.scope, attempt.why = scope, "scope"
                raise Forbidden(
                    f"this token may {', '.join(sorted(who.scopes))}; {scope} is needed: {_WHY[scope]}", scope=scope
                )
        return made

    return change


def needed(edit: Edit) -> frozenset[str]:
    """Return the scopes of an edit: publishing for what counts before or after, drafting for what is said otherwise."""
    before, after = edit.before, edit.after
    counts = any(one is not None and not one.draft for one in (before, after))
    is_said_anew = (
        before is None or after is None or replace(before, draft=after.draft, revision=after.revision) != after
    )
    return frozenset(scope for scope, asked in ((PUBLISH, counts), (DRAFT, is_said_anew)) if asked)
