"""What `train --check` says of a catalog and a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slotbeam.cli.console import say, table

if TYPE_CHECKING:
    from slotbeam.catalog.loaders import Report


def say_report(report: Report) -> None:
    """Print what the files hold and what is worth a look. Raises `InputError` naming every fault, if there are any."""
    census = report.census
    say(f"{len(census)} items, {census.described} of them with a description; {report.interactions} interactions")
    if census.categories:
        table(("attribute", "items"), census.categories.most_common(), right=("items",))
    if census.fields:
        table(("field", "type", "items"), census.types(), right=("items",))
    for line in report.faults.warnings:
        say(f"warning: {line}")
    report.faults.refuse()
    say("no fault was found")
