"""One word, one thing: what can be told of names by reading the code."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

SERVICE = Path(__file__).parents[1] / "service"


def classes() -> dict[str, list[Path]]:
    """Return the files that define a class, by its name."""
    places: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(SERVICE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path)
    return places


def test_no_class_shares_its_name_with_another() -> None:
    twice = {
        name: [str(path.relative_to(SERVICE)) for path in places]
        for name, places in classes().items()
        if len(places) > 1
    }
    assert not twice, "rename one of each, so that a name in a trace or an import says which class it is"
