"""Edits of rules: what has no slot. Pure code.

Two rules of one word and one trigger may not do the same thing at the same time; rules of every query may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from slotbeam.bindings.actions import actions_of
from slotbeam.bindings.binding import Binding, encode_items, new_id
from slotbeam.bindings.edits.checks import check_match, check_said, check_times
from slotbeam.bindings.edits.plan import Change, Edit
from slotbeam.bindings.edits.wanted import ItemList, MakeChange, Resolved, Wanted, record_of
from slotbeam.bindings.held import Held, HeldWords, Likeness, taken
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.spec import BindingSpec
from slotbeam.bindings.times import LAST_MS
from slotbeam.bindings.words import read_again
from slotbeam.errors import NotFound
from slotbeam.language.fold import Folding
from slotbeam.search.artifact import Artifact

_SHA, _DATA = encode_items(())
NO_LIST = ItemList(_SHA, 0)
"""What the record of a rule says of its items."""


def no_items(artifact: Artifact, named: Sequence[str]) -> Resolved:
    """Return the item list of a rule, which is empty, and which of the ids that it `named` the catalog lacks."""
    _, missing = artifact.catalog.rows_of(named)
    return Resolved((), tuple(missing), None, len(named), _SHA, _DATA)


def add_rule(artifact: Artifact, wanted: Wanted, actor: str, now_ms: int) -> MakeChange:
    """Make a new rule."""
    check_times(wanted.starts_at, wanted.ends_at, now_ms)
    check_said(artifact, wanted)
    rule = record_of(wanted, new_id(), now_ms)

    def change(listing: Listing) -> Change:
        refuse_rival(artifact.folding, listing, wanted, None, now_ms)
        return Change("add", (Edit(None, rule),), actor, now_ms)

    return change


def update_rule(
    artifact: Artifact, rule_id: str, if_match: str | None, wanted: Callable[[Binding], Wanted], actor: str, now_ms: int
) -> MakeChange:
    """Replace a rule by what `wanted` makes of it; it keeps its id."""

    def change(listing: Listing) -> Change:
        before = find_rule(listing, rule_id)
        check_match(before, if_match)
        want = wanted(before)
        old_end = want.ends_at == before.ends_at  # it may stay
        check_times(want.starts_at, None if old_end else want.ends_at, now_ms)
        check_said(artifact, want)
        refuse_rival(artifact.folding, listing, want, before.id, now_ms)
        return Change("update", (Edit(before, record_of(want, before.id, before.created_at)),), actor, now_ms)

    return change


def remove_rule(rule_id: str, if_match: str | None, actor: str, now_ms: int) -> MakeChange:
    """Remove a rule."""

    def change(listing: Listing) -> Change:
        before = find_rule(listing, rule_id)
        check_match(before, if_match)
        return Change("remove", (Edit(before, None),), actor, now_ms)

    return change


def find_rule(listing: Listing, rule_id: str) -> Binding:
    """Find a rule by its id. Raises `NotFound`."""
    if rule_id in listing.rules:
        return listing.rules[rule_id]
    if rule_id in listing.bindings:
        raise NotFound(f"{rule_id} is a binding on a slot, and no rule; it is at /admin/slots/{rule_id}")
    raise NotFound(f"there is no rule {rule_id[:40]}; GET /admin/rules lists them")


def refuse_rival(folding: Folding, listing: Listing, wanted: BindingSpec, own: str | None, now_ms: int) -> None:
    """Refuse a rule where another one of the store does the same for one of its words. Raises `WordTaken`."""
    found = rival(folding, listing.rules.values(), wanted, own, now_ms)
    if found is not None:
        raise taken(listing, *found, now_ms)


def rival(
    folding: Folding, rules: Iterable[Binding], wanted: BindingSpec, own: str | None, now_ms: int
) -> tuple[str, Held, Likeness] | None:
    """Return the first word of `wanted` for which one of `rules`, other than `own`, does the same: who, and why."""
    words, does = read_again(wanted.words), set(actions_of(wanted))
    if wanted.draft or not words:
        return None
    held = HeldWords(folding, asked=words)
    for rule in rules:
        same = rule.id != own and not rule.draft and rule.trigger == wanted.trigger
        if same and does.intersection(actions_of(rule)) and meet(rule, wanted, now_ms):
            held.add(rule.words, rule.id, exact=False)
    hits = ((word, held.find(word, own, exact=False)) for word in words)
    return next(((word, *hit) for word, hit in hits if hit is not None), None)


def meet(one: BindingSpec, other: BindingSpec, now_ms: int) -> bool:
    """Return whether there is a moment from now on at which both are active."""
    start = max(now_ms, one.starts_at or now_ms, other.starts_at or now_ms)
    return start < min(one.ends_at or LAST_MS, other.ends_at or LAST_MS)


def as_rule(said: dict[str, object]) -> Wanted:
    """Return the rule of which an operator says this."""
    return Wanted(**{"words": (), **said, "category": "", "items": NO_LIST})  # type: ignore[arg-type]


def patched(before: Binding, named: dict[str, object]) -> Wanted:
    """Return what a rule becomes that is to be otherwise in what is `named`."""
    return replace(Wanted(**before.values(), items=NO_LIST), **named)  # type: ignore[arg-type]
