"""Bind, edit, unbind: from what an operator wants to a `Change`, with every check that needs no store. Pure code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from slotbeam.bindings.binding import MAX_ITEMS, Binding, encode_items, new_id
from slotbeam.bindings.edits.checks import SHOWN, check_match, check_said, check_slot, check_times
from slotbeam.bindings.edits.plan import Change, Edit
from slotbeam.bindings.held import as_stored, refuse_twins
from slotbeam.bindings.listing import Listing, first_free, unreadable
from slotbeam.bindings.spec import LIVE, BindingSpec, MatchRule
from slotbeam.errors import BindingError, NotFound
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot

MakeChange = Callable[[Listing], Change]


@dataclass(frozen=True)
class Resolved:
    """An item list, resolved against the catalog.

    Attributes:
        ids: asked for and, but of a live match, matched, sorted, each once; ids the catalog does not hold stay
            (another model may).
        missing: the ids the catalog does not hold.
        matched: how many the words matched, None when no match was asked for.
        count: asked for or matched, each once.
        sha, data: the list as the store keeps it.
    """

    ids: tuple[str, ...]
    missing: tuple[str, ...]
    matched: int | None
    count: int
    sha: str
    data: bytes

    @property
    def list(self) -> ItemList:
        return ItemList(self.sha, len(self.ids))


@dataclass(frozen=True)
class ItemList:
    """What a binding's record says of its items: the list's hash, and its length."""

    sha: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Wanted(BindingSpec):
    """A binding as an operator describes it: its items, and the slot that it is to take; None takes any."""

    items: ItemList
    slot: Slot | None = None


def resolve_items(
    artifact: Artifact, words: Sequence[str], ids: Sequence[str], match: MatchRule, exact: bool = False
) -> Resolved:
    """Look the ids up; when `match`, add every item whose text holds one of `words`, as it is spelt if `exact`.

    Those that a live match finds are counted and not listed: each replica finds them, and it may find none yet.

    Raises `BindingError`: nothing was found, or more than 50 000 were (with the count).
    """
    catalog = artifact.catalog
    found, missing = catalog.rows_of(dict.fromkeys(ids))
    hits = set(catalog.match(list(words), exact).tolist()) if match else set()
    item_rows = {*found, *hits}
    count = len(item_rows) + len(missing)
    if count > MAX_ITEMS:
        raise BindingError(
            f"{count} items would be bound; a binding takes at most {MAX_ITEMS}: choose narrower words", count=count
        )
    if not item_rows and match != LIVE:
        if ids:
            raise BindingError(
                f"none of the {len(missing)} item ids is in the catalog of model {artifact.name}, "
                f'for example "{missing[0][:64]}"; put those items first, or name one more that it holds',
                missing=missing[:SHOWN],
            )
        asked = " or ".join(f'"{word}"' for word in words[:4])
        named = f"no item's text holds {asked}; name items" if match else "no item was named; name some"
        raise BindingError(f"{named} by their ids{'' if match else ', or match words'}")
    listed = sorted({*(catalog.ids[row] for row in (found if match == LIVE else item_rows)), *missing})
    sha, data = encode_items(listed)
    return Resolved(tuple(listed), tuple(missing), len(hits) if match else None, count, sha, data)


def bind(artifact: Artifact, wanted: Wanted, actor: str, now_ms: int) -> MakeChange:
    """Make a new binding on the named slot, else on the first free one of its category's position; a draft on none."""
    codebook = artifact.kae.codebook
    position = codebook.position_of(wanted.category)
    if wanted.slot is not None:
        check_slot(artifact, wanted.slot, wanted.category)
    check_times(wanted.starts_at, wanted.ends_at, now_ms)
    check_said(artifact, wanted)
    binding = record_of(wanted, new_id(), now_ms)

    def change(listing: Listing) -> Change:
        slot = None
        if not wanted.draft:
            refuse_twins(artifact.folding, listing, wanted, None, now_ms)
            slot = wanted.slot or first_free(
                listing, position, codebook.bindable(position), codebook.group_name(position)
            )
        return Change("bind", (Edit(None, binding, slot),), actor, now_ms)

    return change


def update(
    artifact: Artifact, address: str, if_match: str | None, wanted: Callable[[Binding], Wanted], actor: str, now_ms: int
) -> MakeChange:
    """Replace the binding at `address` by what `wanted` makes of it; it keeps its id and its slot."""
    codebook = artifact.kae.codebook

    def change(listing: Listing) -> Change:
        before = find(artifact, listing, address)
        check_match(before, if_match)
        want = wanted(before)
        want = replace(want, words=as_stored(listing, want.words, before))
        check_times(
            want.starts_at, want.ends_at if want.ends_at != before.ends_at else None, now_ms
        )  # an old end may stay
        check_said(artifact, want)
        slot = listing.placed.get(before.id)
        position = codebook.position_of(want.category)
        if slot is not None and slot.position != position:
            raise BindingError(
                f"{want.category} is in position {position}, slot {slot} is in position {slot.position}; "
                "unbind it and bind it again to change its position"
            )
        if want.draft:
            slot = None
        else:
            refuse_twins(artifact.folding, listing, want, before, now_ms)
            slot = slot or first_free(listing, position, codebook.bindable(position), codebook.group_name(position))
        after = record_of(want, before.id, before.created_at)
        return Change("update", (Edit(before, after, slot),), actor, now_ms)

    return change


def unbind(artifact: Artifact, address: str, if_match: str | None, actor: str, now_ms: int) -> MakeChange:
    """Remove the binding at `address`; its slot and words are free again."""

    def change(listing: Listing) -> Change:
        before = find(artifact, listing, address)
        check_match(before, if_match)
        return Change("unbind", (Edit(before, None, listing.placed.get(before.id)),), actor, now_ms)

    return change


def expire(actor: str, now_ms: int) -> MakeChange:
    """Free the slots of the bindings whose grace is over. The change raises `NotFound` without any."""

    def change(listing: Listing) -> Change:
        edits = tuple(
            Edit(b, None, listing.placed.get(b.id))
            for b in listing.bindings.values()
            if b.kept_until is not None and b.kept_until <= now_ms
        )
        if not edits:
            raise NotFound("no binding has expired")
        return Change("expire", edits, actor, now_ms)

    return change


def find(artifact: Artifact, listing: Listing, address: str) -> Binding:
    """Find the binding on a slot (`1-2049`), or with an id (`b_…`).

    Raises:
        NotFound: there is none.
        InputError: no such slot.
        Conflict: its record cannot be read.
    """
    if address in listing.malformed:
        raise unreadable(listing, address)
    if address.startswith("b_"):
        binding = listing.bindings.get(address)
        if binding is None:
            raise NotFound(f"there is no binding {address[:40]}; GET /admin/slots lists them")
        if binding.is_rule:
            raise NotFound(f"{address} is a rule, which has no slot; it is at /admin/rules/{address}")
        return binding
    slot = Slot.parse(address)
    check_slot(artifact, slot)
    holder = listing.holders.get(slot)
    if holder is None:
        raise NotFound(f"slot {slot} is free; POST /admin/slots binds it")
    return find(artifact, listing, holder)


def wanted_of(binding: Binding) -> Wanted:
    """Return what an operator would have to want to get `binding` again."""
    return Wanted(**binding.values(), items=ItemList(binding.items, binding.item_count))


def record_of(wanted: Wanted, binding_id: str, created_at: int) -> Binding:
    """Return the binding that `wanted` describes, under the id `binding_id`."""
    items = wanted.items
    return Binding(**wanted.values(), id=binding_id, items=items.sha, item_count=items.count, created_at=created_at)
