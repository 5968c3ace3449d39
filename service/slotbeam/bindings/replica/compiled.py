"""What a replica makes of a listing: the verdict of the protocol, and the compiled active set. Pure code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from slotbeam.bindings.binding import Binding, Lifecycle, active_digest, next_boundary
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.search.artifact import Artifact
from slotbeam.search.snapshot import Overlay, ServingState
from slotbeam.types import Slot


class Verdict(StrEnum):
    """What a replica does with a listing.

    `apply`        serve it
    `same`         nothing: it is served already
    `wait`         nothing: none is known, and none is there
    `hold:<why>`   keep what is served
    """

    APPLY = "apply"
    SAME = "same"
    WAIT = "wait"
    NO_EPOCH = ServingState.NO_EPOCH.value
    REGRESSED = ServingState.REGRESSED.value
    DIVERGED = ServingState.DIVERGED.value
    CRASHED = ServingState.CRASHED.value

    @property
    def hold(self) -> ServingState | None:
        """The state that it puts the replica in; None when it is no hold."""
        return ServingState(self.value) if self.startswith("hold:") else None


def judge(known: Listing | None, seen: Listing | None) -> Verdict:
    """What to do about `seen` after `known`.

    A hold keeps what is served. Recovery from one is a new epoch at a higher revision, or the store coming back.
    """
    if seen is None:
        return Verdict.WAIT if known is None else Verdict.NO_EPOCH
    if not seen.verify() or not seen.logged():
        return Verdict.DIVERGED
    if known is None:
        return Verdict.APPLY
    if seen.revision < known.revision:
        return Verdict.REGRESSED
    if seen.revision == known.revision:
        same = (seen.epoch, seen.state, seen.slots) == (known.epoch, known.state, known.slots)
        # No digest is over the slots, but each change of them is a revision.
        return Verdict.SAME if same else Verdict.DIVERGED
    if seen.epoch == known.epoch and seen.known_state not in (None, known.state):
        return Verdict.DIVERGED  # the log remembers another state at the revision we know
    if seen.epoch != known.epoch and not known.revision < seen.began <= seen.revision:
        return Verdict.DIVERGED  # no restore: a store that began anew and was edited until it went past us
    return Verdict.APPLY


@dataclass(frozen=True, eq=False)
class Compiled:
    """A listing, ready to serve at one clock value.

    Attributes:
        overlay: of the active bindings.
        every: of the scheduled ones, too: its pieces make the next boundary cheap.
        active: active binding id → slot.
        digest: active digest, hex.
        failed: binding id → `NACK:…`, why it is not served.
        boundary: the next `starts_at`/`ends_at` in unix ms.
    """

    overlay: Overlay
    every: Overlay
    active: Mapping[str, Slot]
    digest: str
    failed: Mapping[str, str] = field(default_factory=dict)
    boundary: int | None = None


Build = Callable[..., Overlay]


def compile_listing(
    artifact: Artifact,
    listing: Listing,
    items: Mapping[str, tuple[str, ...]],
    now_ms: int,
    previous: Overlay | None = None,
    lost: Mapping[str, str] | None = None,
    build: Build = build_overlay,
    blamed: Mapping[str, str] | None = None,
) -> Compiled:
    """Compile what `listing` says is active at `now_ms`; a binding that does not build is left out and reported.

    A binding without a slot whose words the artifact absorbed is left out, too, and is no failure.

    Args:
        items: hash → item ids, for every record's list that could be read.
        previous: an overlay whose unchanged pieces are reused.
        lost: item list hash → why it could not be read.
        blamed: binding id → why it must not be built (see `guard.py`).
    """
    failed = {key: f"NACK:RECORD {why}" for key, why in listing.malformed.items()}
    bounds: dict[str, Bound] = {}
    live: dict[str, Binding] = {}
    for key, binding in sorted(listing.bindings.items(), key=lambda pair: (pair[1].revision, pair[0])):
        if binding.lifecycle(now_ms) in (Lifecycle.DRAFT, Lifecycle.EXPIRED):
            continue
        slot = listing.placed.get(key)
        if slot is None and is_absorbed(artifact, binding):
            continue
        if slot is None:
            failed[key] = f"NACK:MODEL codebook {artifact.codebook_sha[:12]}… has no slot for it"
        elif blamed and key in blamed:
            failed[key] = blamed[key]
        elif binding.items not in items:
            failed[key] = f"NACK:ITEMS {(lost or {}).get(binding.items, 'its item list is not there')}"
        else:
            live[key] = binding
            bounds[key] = Bound.of(binding, slot, items[binding.items])
    every, bad = _build_good(artifact, bounds, previous, build)
    failed.update(bad)
    active = {
        key: bounds[key].slot
        for key, binding in live.items()
        if key not in bad and binding.lifecycle(now_ms) is Lifecycle.ACTIVE
    }
    overlay = every
    if len(active) != len(bounds) - len(bad):
        overlay = build(artifact, [bounds[key] for key in active], every)
    return Compiled(
        overlay=overlay,
        every=every,
        active=active,
        digest=active_digest(artifact.codebook_sha, active),
        failed=failed,
        boundary=next_boundary(listing.bindings.values(), now_ms),
    )


def is_absorbed(artifact: Artifact, binding: Binding) -> bool:
    """Whether the artifact was trained with all words of `binding` on all of its items: then it needs no slot."""
    return any(
        one["items_sha"] == binding.items and not one["contested"] and set(binding.words) <= set(one["words"])
        for one in artifact.manifest.get("training", {}).get("absorbed", ())
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
    for key, bound in bounds.items():
        try:
            overlay = build(artifact, [*good, bound], overlay)
            good.append(bound)
        except Exception as error:
            failed[key] = f"NACK:BUILD {type(error).__name__}: {error}"[:300]
    return overlay, failed
