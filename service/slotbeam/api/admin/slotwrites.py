"""What requests that change a binding on a slot are to do, from what their bodies say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slotbeam.api.admin.fields import ItemsForm, PatchedItemsForm
from slotbeam.api.admin.forms import BindForm, PatchForm, said
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.admin.writes import Write
from slotbeam.bindings.binding import Binding
from slotbeam.bindings.edits.checks import check_known
from slotbeam.bindings.edits.wanted import Resolved, Wanted, bind, resolve_items, update, wanted_of
from slotbeam.bindings.spec import LIVE
from slotbeam.bindings.words import read_again
from slotbeam.errors import Stale, StoreError
from slotbeam.types import Slot


async def binding_write(plane: AdminPlane, form: BindForm, actor: str) -> Write:
    """Make the write of `POST /admin/slots`."""
    slot = None if form.slot is None else Slot.parse(form.slot)
    wanted, resolved = await _wanted(plane, form)
    make = bind(plane.artifact, replace(wanted, slot=slot), actor, plane.now_ms())
    return Write(make, resolved, form.sample_queries, created=True)


async def replacing_write(plane: AdminPlane, address: str, form: BindForm, if_match: str | None, actor: str) -> Write:
    """Make the write of `PUT /admin/slots/{slot}`: everything anew, but id and slot."""
    wanted, resolved = await _wanted(plane, form)
    make = update(plane.artifact, address, if_match, lambda before: wanted, actor, plane.now_ms())
    return Write(make, resolved, form.sample_queries)


async def patching_write(
    plane: AdminPlane, address: str, form: PatchForm, before: Binding, if_match: str | None, actor: str
) -> Write:
    """Make the write of `PATCH /admin/slots/{slot}`: what `form` names changes; its items are matched for `before`."""
    named = said(form)
    words, exact = named.get("words", read_again(before.words)), named.get("exact", before.exact)
    resolved: Resolved | None = None
    if form.items is not None and form.items.moves:
        resolved = await _moved(plane, words, form.items, before, exact)
        named |= {"items": resolved.list}
    elif form.items is not None:
        resolved = await _resolve(plane, words, form.items, exact)
        named |= {"items": resolved.list, "match": form.items.match}
    elif before.is_live and named.keys() & {"words", "exact"}:
        resolved = await _found_anew(plane, words, before, exact)
    plane.artifact.kae.codebook.position_of(form.category or before.category)

    def wanted(current: Binding) -> Wanted:
        found_by = (current.words, current.exact) == (before.words, before.exact)
        if form.items is not None and not (found_by and (current.items == before.items or not form.items.moves)):
            raise Stale(f"{current.id} was changed meanwhile; read it again and repeat the edit", etag=current.etag)
        return replace(wanted_of(current), **named)

    make = update(plane.artifact, address, if_match, wanted, actor, plane.now_ms())
    return Write(make, resolved, form.sample_queries)


async def _wanted(plane: AdminPlane, form: BindForm) -> tuple[Wanted, Resolved]:
    plane.artifact.kae.codebook.position_of(form.category)
    given = said(form)
    resolved = await _resolve(plane, given["words"], form.items, given.get("exact", False))
    return Wanted(**given, match=form.items.match, items=resolved.list), resolved


async def _resolve(plane: AdminPlane, words: Sequence[str], form: ItemsForm, exact: bool) -> Resolved:
    return await plane.off_loop(lambda: resolve_items(plane.artifact, words, form.ids, form.match, exact))


async def _moved(
    plane: AdminPlane, words: Sequence[str], form: PatchedItemsForm, before: Binding, exact: bool
) -> Resolved:
    """Return the list of `before` with what `form` adds and without what it removes."""
    lists, failed = await plane.store.items([before.items])
    if failed:
        raise StoreError(f"the items of {before.id} cannot be read: {failed[before.items]}; name all of them instead")
    listed = dict.fromkeys((*lists[before.items], *form.add))
    ids = [item_id for item_id in listed if item_id not in set(form.remove)]

    def resolve() -> Resolved:
        check_known(plane.artifact, "items.add", form.add)
        return resolve_items(plane.artifact, words, ids, LIVE if before.is_live else False, exact)

    return await plane.off_loop(resolve)


async def _found_anew(plane: AdminPlane, words: Sequence[str], before: Binding, exact: bool) -> Resolved | None:
    """Look up what other words find of a live match, whose listed items stay; None where these cannot be read."""
    listed = plane.watcher.good.items.get(before.items) if plane.watcher.good else None
    if listed is None:
        return None
    return await plane.off_loop(lambda: resolve_items(plane.artifact, words, listed, LIVE, exact))
