"""A listing → what is served of it at one clock value; a binding that does not build is left out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from slotbeam.bindings.binding import Binding, ItemLists, Lifecycle, active_digest, next_boundary
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.overlay import Bound, Build, bound_of, build_overlay
from slotbeam.bindings.replica.renewal import LiveMatches, with_items
from slotbeam.bindings.replica.rules import rule_of, rules_of, unbuilt
from slotbeam.bindings.words import read_again
from slotbeam.search.artifact import Artifact
from slotbeam.search.rules.matching import NO_RULES
from slotbeam.search.rules.rule import Rule
from slotbeam.search.snapshot import Overlay
from slotbeam.types import Slot

NO_SLOT = "NACK:MODEL"
"""How the reason begins why a binding is left out that has no slot of the codebook that is served."""
WHATEVER_INDEX = ("NACK:CRASH", "NACK:ITEMS")
"""How a reason begins that another index changes nothing about."""


@dataclass(frozen=True, eq=False)
class Compiled:
    """A listing, ready to serve at one clock value.

    Attributes:
        overlay: of the active bindings.
        every: of the scheduled ones, too: its pieces make the next boundary cheap.
        active: active binding id → slot; None of a rule.
        digest: active digest, hex.
        failed: binding id → `NACK:…`, why it is not served.
        boundary: the next `starts_at`/`ends_at` in unix ms.
        artifact: that `overlay` and `every` were compiled against.
        live: of `every`.
    """

    overlay: Overlay
    every: Overlay
    active: Mapping[str, Slot | None]
    digest: str
    artifact: Artifact
    live: LiveMatches
    failed: Mapping[str, str] = field(default_factory=dict)
    boundary: int | None = None

    @property
    def cut(self) -> dict[str, int]:
        """Id of each binding that more items match than it may have → how many it leaves out."""
        return {pinned.id: pinned.cut for pinned in self.every.pinned if pinned.cut}

    def with_items(self, artifact: Artifact, changed: AbstractSet[str]) -> Compiled:
        """Return it for another version of the catalog, of the same index and with its rows numbered as before.

        Args:
            artifact: with this version.
            changed: ids of items that were edited in between.
        """
        every = with_items(self.artifact, artifact, self.every, self.live, changed)
        renewed = {pinned.id: pinned for pinned in every.pinned}
        pinned = tuple(renewed[pinned.id] for pinned in self.overlay.pinned)
        return replace(self, artifact=artifact, every=every, overlay=replace(self.overlay, pinned=pinned))


def compile_listing(
    artifact: Artifact,
    listing: Listing,
    items: ItemLists,
    now_ms: int,
    previous: Overlay | None = None,
    lost: Mapping[str, str] | None = None,
    build: Build = build_overlay,
    blamed: Mapping[str, str] | None = None,
    name: Callable[[str], None] | None = None,
) -> Compiled:
    """Compile what `listing` says is active at `now_ms`; a binding that does not build is left out and reported.

    A binding without a slot whose words the artifact absorbed is left out, too, and is no failure.

    Args:
        items: hash → item ids, for every record's list that could be read.
        previous: an overlay whose unchanged pieces are reused.
        lost: item list hash → why it could not be read.
        blamed: binding id → why it must not be built (see `crashguard.py`).
        name: where care is due, is told whose rule is tried alone, and "" when it was.
    """
    failed = {binding_id: f"NACK:RECORD {why}" for binding_id, why in listing.malformed.items()}
    bounds: dict[str, Bound] = {}
    live: dict[str, Binding] = {}
    rules: dict[str, Rule] = {}
    before = {pinned.id: bound_of(pinned) for pinned in previous.pinned} if previous else {}
    for binding_id, binding in sorted(listing.bindings.items(), key=lambda pair: (pair[1].revision, pair[0])):
        if binding.lifecycle(now_ms) in (Lifecycle.DRAFT, Lifecycle.EXPIRED):
            continue
        if blamed and binding_id in blamed:
            failed[binding_id] = blamed[binding_id]
            continue
        if (rule := rule_of(binding)) is not None:
            if why := unbuilt(artifact, rule, name):
                failed[binding_id] = why
                continue
            rules[binding_id] = rule
        if binding.is_rule:
            live[binding_id] = binding
            continue
        slot = listing.placed.get(binding_id)
        if slot is None and is_absorbed(artifact, binding):
            continue
        if slot is None:
            failed[binding_id] = f"{NO_SLOT} codebook {artifact.codebook_sha[:12]}… has no slot for it"
        elif binding.items not in items:
            failed[binding_id] = f"NACK:ITEMS {(lost or {}).get(binding.items, 'its item list is not there')}"
        else:
            live[binding_id] = binding
            bounds[binding_id] = Bound.of(binding, slot, items[binding.items], before.get(binding_id))
    every, bad = _build_good(artifact, bounds, previous, build)
    failed.update(bad)
    active = {
        binding_id: bounds[binding_id].slot if binding_id in bounds else None
        for binding_id, binding in live.items()
        if binding_id not in bad and binding.lifecycle(now_ms) is Lifecycle.ACTIVE
    }
    placed = [bounds[binding_id] for binding_id in active if binding_id in bounds]
    overlay = every if len(placed) == len(bounds) - len(bad) else build(artifact, placed, every)
    acting = rules_of(
        artifact, (rules[one] for one in active if one in rules), previous.rules if previous else NO_RULES
    )
    every, overlay = replace(every, rules=acting), replace(overlay, rules=acting)
    return Compiled(
        overlay=overlay,
        every=every,
        active=active,
        digest=active_digest(artifact.codebook_sha, active),
        artifact=artifact,
        live=LiveMatches(artifact.folding, every.pinned),
        failed=failed,
        boundary=next_boundary(listing.bindings.values(), now_ms),
    )


def is_absorbed(artifact: Artifact, binding: Binding) -> bool:
    """Return whether the artifact was trained with all words of `binding` on all its items: then it needs no slot."""
    return not binding.is_live and any(
        one["items_sha"] == binding.items
        and not one["contested"]
        and set(read_again(binding.words)) <= set(read_again(one["words"]))
        for one in artifact.manifest.get("model", {}).get("training", {}).get("absorbed", ())
    )


def _build_good(
    artifact: Artifact, bounds: Mapping[str, Bound], previous: Overlay | None, build: Build
) -> tuple[Overlay, dict[str, str]]:
    """Build all of `bounds`; when that fails, all but those that do not build, older revisions first."""
    try:
        return build(artifact, list(bounds.values()), previous), {}
    except Exception:  # a poisonous record must not take its neighbours along
        pass
    good: list[Bound] = []
    failed: dict[str, str] = {}
    overlay = build(artifact, [], previous)
    for binding_id, bound in bounds.items():
        try:
            overlay = build(artifact, [*good, bound], overlay)
            good.append(bound)
        except Exception as error:
            failed[binding_id] = f"NACK:BUILD {type(error).__name__}: {error}"[:300]
    return overlay, failed
