"""Which queries one binding, or one rule, is triggered by: what a dry run counts and shows."""

from __future__ import annotations

from collections.abc import Callable

from slotbeam.bindings.binding import Binding
from slotbeam.bindings.replica.rules import rule_of
from slotbeam.language.boundaries import Span
from slotbeam.search.artifact import Artifact
from slotbeam.search.rules.matching import Rules
from slotbeam.search.snapshot import Overlay

EVERY = 1000
"""More bindings than a query can hold."""

Triggers = Callable[[str], list[Span] | None]
"""Canonical query → where it holds what triggers; None where nothing does, () where every query does."""


def triggers_of(target: Binding, overlay: Overlay, artifact: Artifact) -> Triggers:
    """Return what tells whether `target` is triggered.

    Args:
        overlay: that holds it, where it is on a slot.
    """
    return _rule(target, artifact) if target.is_rule else _bound(target, overlay, artifact)


def _bound(target: Binding, overlay: Overlay, artifact: Artifact) -> Triggers:
    def spans(query: str) -> list[Span] | None:
        found = overlay.match(query, EVERY, artifact.is_another_word)
        return [(one.match.start, one.match.end) for one in found if one.pinned.id == target.id] or None

    return spans


def _rule(target: Binding, artifact: Artifact) -> Triggers:
    rule = rule_of(target)
    rules = Rules([rule] if rule else [], artifact.folding)

    def spans(query: str) -> list[Span] | None:
        return next((sorted((*found.spans, *found.meant)) for found in rules.match(query)), None)

    return spans
