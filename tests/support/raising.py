"""What errors bring, read from the source: every call of an error's class, and the members that it names."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from slotbeam import errors
from slotbeam.errors import SlotbeamError

SOURCE = Path(errors.__file__).parent
ENDS_A_COMMAND = ("ArtifactError", "SetupError")
"""No plane answers with these."""
OF_COMMANDS = ("cli/", "catalog/loaders/")
BY_HAND: tuple[tuple[type[SlotbeamError], str], ...] = (
    *((errors.ImportRefused, name) for name in ("rows", "refused", "lines")),
    *((kind, name) for kind in (errors.UnknownRequestId, errors.RequestIdExpired) for name in ("event", "errors")),
    (errors.FieldError, "errors"),
    (errors.FilterError, "errors"),
    (errors.CursorError, "errors"),
)
"""What is added to an error that exists, or by its class."""


@cache
def brought() -> frozenset[tuple[type[SlotbeamError], str]]:
    """`(class, member)` of every error that a plane may answer with."""
    kinds = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, SlotbeamError) and name not in ENDS_A_COMMAND
    }
    found = set(BY_HAND)
    for path in SOURCE.rglob("*.py"):
        place = path.relative_to(SOURCE).as_posix()
        if place.startswith(OF_COMMANDS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                for keyword in node.keywords if name in kinds else ():
                    assert keyword.arg is not None, f"{place}:{node.lineno} hides what {name} brings"
                    found.add((kinds[name], keyword.arg))
    return frozenset(found)
