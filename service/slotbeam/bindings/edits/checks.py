"""What an edit is checked for before a listing is looked at: window, spelling, slot, ETag, what the catalog knows."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from slotbeam.bindings.actions import check_actions, tests_of
from slotbeam.bindings.binding import Binding
from slotbeam.bindings.spec import BindingSpec
from slotbeam.catalog.filters import read_filter
from slotbeam.errors import BindingError, PreconditionRequired, Stale
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot

MAX_AHEAD_MS = 5 * 366 * 86_400_000
SHOWN = 100
"""Ids that an error or a dry run names."""


def check_times(starts_at: int | None, ends_at: int | None, now_ms: int) -> None:
    """Refuse a window that is over, empty, or years away. Raises `BindingError`."""
    if ends_at is not None and ends_at <= now_ms:
        raise BindingError("ends_at is in the past; give a later time, or null for no end")
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise BindingError("ends_at is not after starts_at; the binding would never be active")
    for name, at in (("starts_at", starts_at), ("ends_at", ends_at)):
        if at is not None and at > now_ms + MAX_AHEAD_MS:
            raise BindingError(f"{name} is more than five years away; give an earlier time, or null for none")


def check_spelling(wanted: BindingSpec) -> None:
    """Refuse a binding that asks for its exact spelling only and for slips, too. Raises `BindingError`."""
    if wanted.exact and wanted.near_miss:
        raise BindingError(
            "exact and near_miss exclude each other: one wants no other spelling, the other slips: set one to false"
        )


def check_slot(artifact: Artifact, slot: Slot, category: str | None = None) -> None:
    """Refuse a slot that is not reserved, or not in the category's position. Raises `BindingError` with the range."""
    codebook = artifact.kae.codebook
    position = slot.position if category is None else codebook.position_of(category)
    if not 0 <= position < len(codebook.sizes):
        raise BindingError(f"slot {slot} has position {position}; positions are 0 to {len(codebook.sizes) - 1}")
    bindable = codebook.bindable(position)
    if slot.position != position or slot.index not in bindable:
        where = f"{codebook.group_name(position)} (position {position})"
        allowed = f"{position}-{bindable.start} to {position}-{bindable.stop - 1}" if bindable else "none"
        raise BindingError(
            f"slot {slot} is not a reserved slot of {where}; reserved there: {allowed}", slot=str(slot), allowed=allowed
        )


def check_match(binding: Binding, if_match: str | None) -> None:
    """Compare the caller's If-Match with the binding's ETag. Raises `PreconditionRequired`, `Stale`."""
    if if_match is None:
        raise PreconditionRequired(f"send If-Match with the ETag you read; {binding.id} has {binding.etag} now")
    given = [tag.strip() for tag in if_match.split(",")]
    if "*" not in given and binding.etag not in given:
        raise Stale(
            f"{binding.id} was changed in revision {binding.revision}; read it again and repeat the edit",
            etag=binding.etag,
            revision=binding.revision,
        )


def check_said(artifact: Artifact, wanted: BindingSpec) -> None:
    """Refuse what excludes itself, and actions that the catalog or the dictionary that is served does not allow.

    Raises:
        FilterError: a test names no field, or does not fit one.
        BindingError: anything else.
    """
    check_spelling(wanted)
    check_actions(wanted, "the rule" if wanted.is_rule else "the binding")
    fields = artifact.catalog.fields
    for place, test in tests_of(wanted):
        read_filter(fields, test, place)
    for name in ("positions", "hide"):
        check_known(artifact, name, getattr(wanted, name))
    if wanted.alias:
        _check_alias(artifact, wanted)


def check_known(artifact: Artifact, name: str, ids: Sequence[str]) -> None:
    """Refuse ids of which the catalog holds none. Raises `BindingError`."""
    found, missing = artifact.catalog.rows_of(dict.fromkeys(ids))
    if ids and not found:
        raise BindingError(
            f"none of the {len(missing)} item ids of {name} is in the catalog of model {artifact.name}, "
            f'for example "{missing[0][:64]}"; put those items first, or name one more that it holds',
            missing=missing[:SHOWN],
        )


def _check_alias(artifact: Artifact, wanted: BindingSpec) -> None:
    dictionary = artifact.kae.dictionary
    if dictionary.concept_of(wanted.alias) is None:
        near = get_close_matches(wanted.alias, dictionary.surfaces, 3, 0.7)
        meant = " or ".join(f'"{word}"' for word in near)
        raise BindingError(
            f'the dictionary does not know "{wanted.alias}"'
            + (f"; did you mean {meant}?" if near else "; an alias is of a word that it knows: bind the word instead"),
        )
    for word in wanted.words:
        if any(match.surface == word for match in artifact.kae.encode(word).matches):
            raise BindingError(
                f'the dictionary knows "{word}" already, so it needs no alias; use replace to have it read otherwise',
                word=word,
            )
