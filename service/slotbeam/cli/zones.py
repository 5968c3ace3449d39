"""`--zone`: the time zone of times that name none, and of those that a command shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from slotbeam.cli.console import say


def zone_key(name: str) -> str:
    """Return the name of a time zone as the tz database writes it. Raises `typer.BadParameter`."""
    from slotbeam.bindings.times import zone_of

    try:
        return zone_of(name).key
    except ValueError as error:
        raise typer.BadParameter(f"it {error}") from None


ZoneName = Annotated[
    str | None,
    typer.Option(
        envvar="SLOTBEAM_ZONE",
        parser=zone_key,
        help="Time zone of times given and shown (Europe/Berlin); UTC otherwise.",
    ),
]


def placed(text: str | None, zone: str | None) -> str | None:
    """Return a time as it was given, in `zone` where it names none."""
    from slotbeam.bindings.times import in_zone

    return None if text is None else in_zone(text, zone)


def clock(text: str | None, zone: str | None) -> str:
    """Return a time of an answer as the clocks of `zone` show it; empty where there is none."""
    from slotbeam.bindings.times import seen_from, zone_of

    return (text if zone is None else seen_from(text, zone_of(zone))) or ""


def say_window(view: Mapping[str, Any], zone: str | None) -> None:
    """Say when a binding is active, where that is not always."""
    named = (("from", view.get("starts_at")), ("until", view.get("ends_at")))
    said = [f"{word} {clock(text, zone)}" for word, text in named if text]
    if said:
        say(f"active {' '.join(said)}")
