"""What tests patch is named here with the reason: else a limit or a dependency is an argument, a failure a real one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
PATCHED = {
    "access/test_auth.py": "how often secrets are compared is the promise",
    "bindings/replica/test_lastgood.py": "what a power cut leaves depends on which call to the disk came before it",
    "lab/baselines/test_closed.py": "a training that must not begin",
    "lab/interventions/test_intervene.py": "a quantiser that takes minutes to train",
    "test_background.py": "every task of a plane breaks once, whichever method it is",
    "test_files.py": "which calls to the disk are made, in which order, and each of them failing",
    "training/teacher/test_sentences.py": "a machine without a network, whether the one that tests has it or not",
}
"""Nothing is added while the condition itself can be made (`support/failing.py`)."""


TAKES = ("monkeypatch.setattr", "monkeypatch.delattr")


def patching() -> Iterator[str]:
    """The tests that take the place of an attribute: by pytest's `monkeypatch`, or a name of `unittest.mock`."""
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            mocks = isinstance(node, ast.ImportFrom | ast.Import) and "unittest" in ast.unparse(node)
            if mocks or (isinstance(node, ast.Attribute) and ast.unparse(node) in TAKES):
                yield path.relative_to(TESTS).as_posix()


def test_nothing_is_patched_where_an_argument_or_a_real_failure_does() -> None:
    assert set(patching()) <= set(PATCHED)
    assert all((TESTS / name).exists() for name in PATCHED)
