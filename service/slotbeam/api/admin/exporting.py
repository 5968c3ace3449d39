"""Every binding and every rule with what it holds, for a file."""

from __future__ import annotations

from slotbeam.api.admin.places import all_places
from slotbeam.api.admin.plane import AdminPlane
from slotbeam.api.admin.views import View, place_view, rule_view, told_of
from slotbeam.errors import StoreError


def export_views(plane: AdminPlane) -> list[View]:
    """Return every binding with its items, as this replica holds them. Raises `StoreError` when a list is not whole."""
    listing, good = plane.watcher.listing, plane.watcher.good
    if listing is None or good is None:
        return []
    views = []
    now, failed = plane.now_ms(), plane.watcher.facts.failed
    rules = ({"slot": None, **rule_view(rule, now, failed.get(rule.id))} for rule in listing.rules.values())
    places = all_places(plane.artifact.kae.codebook, listing)
    slots = (place_view(plane.artifact, place, failed, now) for place in places)
    for view in (*slots, *rules):
        binding = listing.bindings.get(view.get("id", ""))
        if binding is None:
            continue
        items = good.items.get(binding.items, ())
        if len(items) != binding.item_count:
            raise StoreError(
                f'"{", ".join(binding.words)}" ({binding.id}) has {binding.item_count} items, the control plane could '
                f"read {len(items)} of them; try again, or unbind it"
            )
        views.append({**told_of(binding), **view, "items": items})
    return views
