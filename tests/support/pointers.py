"""Every text of the repository that a person reads, for tests of what it names.

A text is a page, a comment, a docstring or a message (a string of `service/` with its holes as "…"). What tells of the
past (docs/log.md and the rows before it, CHANGELOG.md), what is generated (docs/results, locks) and tests are left out.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HOLE = "…"
_OTHERS = {".git", ".venv", "build", "data", "shared", "__pycache__"}
_SHOWN = (".ci", ".dockerignore", ".gitignore")
_LEFT_OUT = (
    "docs/log.md",
    "docs/log-2026-11.md",
    "CHANGELOG.md",
    "docs/results/",
    "deploy/requirements/",
    "LICENSE",
    "model_artifacts/",
    "tests/",
)
_READ = ("", ".py", ".md", ".lua", ".sh", ".toml", ".yml", ".yaml", ".acl", ".json")
_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Text:
    """One text.

    Attributes:
        path: of its file, from the root of the repository.
        line: where it begins.
        kind: `page`, `block` (fenced, of a page), `file` (Makefile, YAML, …), `comment`, `docstring` or `message`.
    """

    path: str
    line: int
    kind: str
    text: str

    def at(self, place: int) -> str:
        """Where the character at `place` is, for a message."""
        return f"{self.path}:{self.line + self.text.count(chr(10), 0, place)}"


@cache
def tree() -> frozenset[str]:
    """Every file of the repository, and every folder with a slash behind, from its root."""
    found: set[str] = set()
    folders = [ROOT]
    while folders:
        for path in folders.pop().iterdir():
            if path.name in _OTHERS or (path.name.startswith(".") and path.name not in _SHOWN):
                continue
            name = path.relative_to(ROOT).as_posix()
            if path.is_dir():
                folders.append(path)
            found.add(name + "/" * path.is_dir())
    return frozenset(found)


@cache
def texts() -> tuple[Text, ...]:
    """Every text that is read."""
    found: list[Text] = []
    for name in sorted(tree()):
        path = ROOT / name
        if name.endswith("/") or name.startswith(_LEFT_OUT) or path.suffix not in _READ or ".egg-info/" in name:
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            found += (Text(name, *row) for row in _of_python(text))
        elif path.suffix == ".md":
            found += (Text(name, *row) for row in _of_page(text))
        elif path.suffix != ".json" or name.startswith("deploy/"):
            found.append(Text(name, 1, "file", text))
    return tuple(found)


@cache
def constants() -> frozenset[str]:
    """Every string of `service/` and `tests/system/` that is no docstring, names of what is written among them."""
    system = [ROOT / name for name in tree() if name.startswith("tests/system/") and name.endswith(".py")]
    of_tests = (row for path in system for row in _strings(path.read_text(encoding="utf-8")))
    rows = [*((text.kind, text.text) for text in texts()), *((kind, text) for _, kind, text in of_tests)]
    return frozenset(text for kind, text in rows if kind == "message")


def spans(text: Text) -> Iterator[tuple[int, str]]:
    """(place, content) of what stands between backticks; of a block, each of its lines."""
    if text.kind == "block":
        place = 0
        for line in text.text.splitlines(keepends=True):
            yield place, line.rstrip("\n")
            place += len(line)
    else:
        for match in re.finditer(r"`([^`]+)`", text.text):
            yield match.start(1), match[1]


def _of_page(text: str) -> Iterator[tuple[int, str, str]]:
    """Prose and fenced blocks of Markdown."""
    line = 1
    for number, part in enumerate(re.split(r"^```.*$", text, flags=re.MULTILINE)):
        yield line, "block" if number % 2 else "page", part
        line += part.count("\n")


def _of_python(text: str) -> Iterator[tuple[int, str, str]]:
    yield from _strings(text)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], "comment", token.string


def _strings(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, kind, text) of every string; holes of an f-string are "…"."""
    tree = ast.parse(text)
    documented = (node.body[0] for node in ast.walk(tree) if isinstance(node, _WITH_DOCSTRING) and node.body)
    docstrings = {id(first.value) for first in documented if isinstance(first, ast.Expr)}
    parts: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts.update(map(id, node.values))
            yield (
                node.lineno,
                "message",
                "".join(str(v.value) if isinstance(v, ast.Constant) else HOLE for v in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.lineno, "docstring" if id(node) in docstrings else "message", node.value
