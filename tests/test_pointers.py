"""What a message, a docstring or a page names exists: commands, options, paths, files, settings, metrics, targets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path, PurePosixPath

import pytest
from fastapi.routing import iter_route_contexts
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from slotbeam.api.admin import create_admin_app
from slotbeam.api.http.docs import docs_routes
from slotbeam.api.retrieve.app import STABLE, create_data_app
from slotbeam.cli import app
from slotbeam.search.artifact import Artifact
from slotbeam.settings import PREFIX, Settings
from support.pointers import HOLE, ROOT, Text, constants, spans, texts, tree

Command = TyperCommand | TyperGroup


@cache
def root() -> TyperGroup:
    """`slotbeam` itself."""
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    return command


def members(group: TyperGroup) -> dict[str, Command]:
    """The commands of a group, by name."""
    return {name: command for name, command in group.commands.items() if isinstance(command, Command)}


MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
ROOTS = ("bin", "data", "dev", "etc", "opt", "proc", "run", "sys", "tmp", "usr", "srv", "var")
"""Where absolute paths of files begin; every other absolute path is one of HTTP."""
FOREIGN = {"--help", "--index-url", "--target", "--build", "--no-deps", "--patch-file"}
"""Options of pip, docker-compose and kubectl that pages show; every command of ours has --help."""
EXAMPLES = {"bindings.csv", "bindings.json", "clicks.jsonl", "items.csv", "items.jsonl", "judged.csv", "queries.txt"}
EXAMPLES |= {"today.jsonl"}
"""Files of the reader's own."""
KUAISEARCH = {"recall.jsonl", "rank.jsonl", "relevance.jsonl"}
"""Files of that release."""
FILE = re.compile(
    r"(?<![\w/.*>}-])[\w.<>*{}…-]*[\w*>}…](?:/[\w.<>*{}…-]+)*\.(?:py|md|lua|sh|toml|ya?ml|jsonl?|np[yz]|onnx|acl|txt|svg|csv)\b"
)
PATH = re.compile(r"(?<![\w.~$}/…*\\>)])/[a-z{][\w{}:….-]*(?:/[\w{}:….-]+)*(\?[\w=&…]+)?")

IN_CODE = re.compile(r"(?:[\w=./$]+[ /])*slotbeam\s(.+)", re.DOTALL)
IN_QUOTES = re.compile(r"([\"'`])slotbeam ([a-z][^\"'`]*)\1|\b(?:run|start|try):? slotbeam ([a-z].*)", re.IGNORECASE)
IN_SHELL = re.compile(r"^(?!--)[^#\n]*?(?:^|[\s(]|bin/|\(BIN\)/)slotbeam ([a-z].*)$", re.MULTILINE)
SHORT = (*(f"{name} -" for name in root().commands), "slots ", "tokens ", "suggestions ", "kae ")
"""How a command line begins on a page that leaves `slotbeam` out."""

Find = Callable[[Text], Iterator[tuple[int, str]]]


def hold(find: Find, kinds: str, fault: str) -> None:
    """Fail with "file:line what" for each thing that `find` finds in a text of `kinds`.

    Args:
        kinds: of `Text`, with spaces between.
        fault: a text of the first kind in which it must find something: it is not blind.
    """
    assert list(find(Text("fault.md", 1, kinds.split()[0], fault)))
    found = [f"{text.at(place)} {what}" for text in texts() if text.kind in kinds.split() for place, what in find(text)]
    assert not found, "\n".join(["", *found])


# Commands and options


def options_of(command: Command) -> set[str]:
    """Every option of one command."""
    return {"--help", "-h"}.union(
        *([*p.opts, *p.secondary_opts] for p in command.params if p.param_type_name == "option")
    )


def commands(group: TyperGroup) -> Iterator[Command]:
    """The group and every command in it."""
    yield group
    for command in members(group).values():
        yield from commands(command) if isinstance(command, TyperGroup) else [command]


def fault(line: str) -> str | None:
    """What is wrong with a command line, `slotbeam` left out: the first unknown command or option."""
    command: Command = root()
    words = re.findall(r'"[^"]*"?|\'[^\']*\'?|[^\s"\']+', line)
    while isinstance(command, TyperGroup) and words and not words[0].startswith(("-", HOLE, "[", "#", "<")):
        *names, name = words.pop(0).rstrip(".,:;)").split("|")
        if unknown := [each for each in (*names, name) if each not in members(command)]:
            return f"`slotbeam {line}`: there is no command {unknown[0]}"
        command = members(command)[name]
    for word in words:
        if word in ("#", "&", "&&", ";", "|", ">"):
            break
        option = re.match(r"\[?(--?[a-z][a-z-]*)", word)
        if option and option[1] not in options_of(command):
            return f"`slotbeam {line}`: {command.name} has no option {option[1]}"
    return None


def command_lines(text: Text) -> Iterator[tuple[int, str]]:
    """What stands behind `slotbeam` in code, in quotes and where a shell would run it."""
    if text.kind in ("page", "docstring", "comment"):
        for place, span in spans(text):
            found = IN_CODE.match(span)
            if found or span.startswith(SHORT):
                yield place, " ".join((found[1] if found else span).split())
    if "slotbeam " not in text.text:
        return
    if text.kind in ("message", "comment", "file"):
        for found in IN_QUOTES.finditer(text.text):
            yield found.start(), " ".join((found[2] or found[3]).split())
    if text.kind in ("block", "file"):
        for found in IN_SHELL.finditer(text.text.replace("\\\n", "  ")):
            yield found.start(1), re.split(r"\$\(|\)", found[1])[0]


def test_every_command_line_that_is_named_can_be_typed() -> None:
    def faults(text: Text) -> Iterator[tuple[int, str]]:
        return ((place, found) for place, line in command_lines(text) if (found := fault(line)))

    for kind, line in (
        ("message", "run `slotbeam export` again"),
        ("message", 'it is gone; "slotbeam slots lst" shows the others'),
        ("page", "see `slotbeam bench --quick`"),
        ("page", "then `slots bind --words labubu`"),
        ("block", "$ slotbeam slots bind labubu --categories brand"),
        ("file", "bench:\n\t$(BIN)/slotbeam bench --quick --out x"),
    ):
        hold(faults, f"{kind} page block docstring comment message file", line)


def test_every_option_that_is_named_is_one_of_some_command() -> None:
    known = FOREIGN.union(*map(options_of, commands(root())))
    folders = ("loadtest", "tests/torture", "tests/kernels", "deploy")
    for script in (script for folder in folders for script in (ROOT / folder).glob("*.py")):
        known.update(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', script.read_text(encoding="utf-8")))

    def unknown(text: Text) -> Iterator[tuple[int, str]]:
        if " " in text.text:  # not an argument of a process
            for found in re.finditer(r"(?<![\w-])--[a-z][a-z-]*", text.text):
                if found[0] not in known:
                    yield found.start(), f"{found[0]} is no option"

    hold(unknown, "page block docstring comment message", "without `--wiat`")


def test_every_target_and_variable_of_make_that_is_named_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    variables = set(re.findall(r"^(\w+) +\??:?=", MAKEFILE, re.MULTILINE)) | set(
        re.findall(r"\$\((?:if )?([A-Z]+)\b", MAKEFILE)
    )

    def unknown(text: Text) -> Iterator[tuple[int, str]]:
        places = spans(text) if text.kind in ("page", "block", "docstring", "comment") else [(0, text.text)]
        for place, span in places:
            for found in re.finditer(r"^(?:\w+=\S+ )?make ([a-z-]+)(?: ([A-Z]+)=)?", span, re.MULTILINE):
                if found[1] not in targets or (found[2] or "JOBS") not in variables:
                    yield place, f"{found[0]}: no such target or variable"

    hold(unknown, "page block docstring comment file", "`make bnech`")


# Paths of HTTP


@pytest.fixture(scope="module")
def routes(tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Path of either plane, its parameters as "…" → names of its query parameters."""
    artifact, settings = Artifact.load(tiny_artifact), Settings(data_dir=tmp_path_factory.mktemp("routes"))
    found = {str(getattr(route, "path", "")): set[str]() for route in docs_routes("").routes} | {"/openapi.json": set()}
    for plane in (create_data_app(settings, artifact), create_admin_app(settings, artifact)):
        for path, operations in plane.openapi()["paths"].items():
            named = (one for operation in operations.values() for one in operation.get("parameters", ()))
            found[path] = {one["name"] for one in named if one["in"] == "query"}
        served = {context.path for context in iter_route_contexts(plane.routes)}
        found |= {STABLE + path: names for path, names in found.items() if STABLE + path in served}
    return {re.sub(r"\{\w+\}", HOLE, path): names for path, names in found.items()}


def fits(one: str, other: str) -> bool:
    """Whether two paths can be the same; "…" in either is any part of a segment."""
    return any(re.fullmatch(re.escape(a).replace(HOLE, "[^/]+"), b) for a, b in ((one, other), (other, one)))


def test_every_path_that_is_named_is_a_route_with_those_parameters(routes: dict[str, set[str]]) -> None:
    within = {path[:place] for path in routes for place, character in enumerate(path) if character == "/"}

    def known(path: str, asked: set[str]) -> bool:
        path = re.sub(r"\{\w+\}", HOLE, path)
        if any(fits(path, route) and asked <= names for route, names in routes.items()):
            return True
        return path.rstrip("/" + HOLE) in within and not asked

    def unknown(text: Text) -> Iterator[tuple[int, str]]:
        if text.path.startswith("service/slotbeam/api/") and text.kind == "message" and " " not in text.text:
            return  # where routes are declared, prefixes apart
        for found in PATH.finditer(re.sub(r"<[^<>\n]+>", lambda tag: HOLE * len(tag[0]), text.text)):
            path, _, query = found[0].rstrip(".:").partition("?")
            asked = {part.partition("=")[0] for part in query.split("&") if part}
            if path.split("/")[1].rstrip("}") not in ROOTS and not known(path, asked):
                yield found.start(), f"{found[0]} is no route"

    hold(unknown, "page block docstring comment message", "ask `/admin/slot`")


# Files, modules and headings


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as hosting sites make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_of_a_page_leads_to_a_file_and_a_heading() -> None:
    def broken(text: Text) -> Iterator[tuple[int, str]]:
        for found in re.finditer(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text.text):
            page = (ROOT / text.path).parent / found[1] if found[1] else ROOT / text.path
            if not page.exists() or (found[2] and found[2] not in anchors(page)):
                yield found.start(), f"{found[0]} leads nowhere"

    hold(broken, "page", "[how](docs/http.md#nowhere)")


def test_every_heading_that_is_named_is_on_its_page() -> None:
    def broken(text: Text) -> Iterator[tuple[int, str]]:
        for found in re.finditer(r"\b(docs/\w+\.md|README\.md|SECURITY\.md)#([\w-]+)", text.text):
            if found[2] not in anchors(ROOT / found[1]):
                yield found.start(), f"{found[0]} is no heading"

    hold(broken, "page block docstring comment message file", "see docs/http.md#nowhere")


def written() -> set[str]:
    """Names of files and folders that the code writes or reads, and endings of such names."""
    return {part for text in constants() if " " not in text for part in text.split("/") if part}


def test_every_file_that_is_named_is_in_the_repository_or_is_written_by_it() -> None:
    ours, names = written() | {"openapi.json"}, {PurePosixPath(name).name for name in tree()}
    endings = tuple(each for each in ours if each.startswith(".") and each.count(".") == 2)
    forms = [each.replace(HOLE, "*") for each in ours if re.search(rf"{HOLE}[-_].*\.", each)]

    @cache
    def known(name: str) -> bool:
        last = PurePosixPath(name).name
        if name.startswith(("build/", "shared/")) or last in ours | EXAMPLES | KUAISEARCH or name.endswith(endings):
            return True
        if any(fnmatch(last, form) for form in forms):
            return True
        pattern = re.sub(r"…|<\w+>|\{[^}]*\}|[A-Z]{3,}(?=[-./])|(?<=/)i(?=\.npy)", "*", name)
        if "/" not in name and "*" not in pattern:
            return name in names
        return any(fnmatch(each, place) for each in tree() for place in (pattern, f"*/{pattern}"))

    def unknown(text: Text) -> Iterator[tuple[int, str]]:
        if text.kind == "message" and " " not in text.text:
            return  # the name of a file that is written or read
        for found in FILE.finditer(text.text):
            if not known(found[0].removeprefix("./")):
                yield found.start(), f"{found[0]} is nowhere"

    hold(unknown, "page block docstring comment message", "counted in `api/suggesting.py`")


def test_every_folder_that_is_named_is_in_the_repository_or_is_written_by_it() -> None:
    written_by_the_store = {"appendonlydir"}
    ours, top = {*written(), *written_by_the_store, "build", "data"}, {name for name in tree() if name.count("/") == 1}

    def unknown(text: Text) -> Iterator[tuple[int, str]]:
        for place, span in spans(text):
            if not re.fullmatch(r"[a-z_]+/(?:[a-z_]+/)*", span):
                continue
            if not span.startswith(tuple(top)) and ours.issuperset(span.strip("/").split("/")):
                continue
            if not any(f"/{each}".endswith(f"/{span}") for each in tree()):
                yield place, f"{span} is no folder"

    hold(unknown, "page docstring comment", "in `docs/kae/`")


def test_every_module_that_is_named_is_there() -> None:
    def unknown(text: Text) -> Iterator[tuple[int, str]]:
        for found in re.finditer(r"`slotbeam((?:\.\w+)+)", text.text):
            *parts, last = found[1][1:].split(".")
            folder = "/".join(["service/slotbeam", *parts])
            inside = [ROOT / f"{folder}.py", ROOT / folder / "__init__.py"]
            defined = any(each.exists() and re.search(rf"\b{last}\b", each.read_text("utf-8")) for each in inside)
            if not defined and not {f"{folder}/{last}.py", f"{folder}/{last}/"} & tree():
                yield found.start(), f"slotbeam{found[1]} is no module"

    hold(unknown, "page block docstring comment message file", "in `slotbeam.api.suggesting`")


# Settings and metrics


def test_every_variable_that_is_named_is_read_by_something() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    declared = (p.envvar for command in commands(root()) for p in command.params if p.envvar)
    known.update(name for names in declared for name in ([names] if isinstance(names, str) else names))
    known.update(re.findall(r"SLOTBEAM_\w+", " ".join(text for text in constants() if " " not in text)))
    for name in ("docker-compose.yml", "deploy/compose.observe.yml", "deploy/redis/start.sh"):
        known.update(re.findall(r"\$\{?(SLOTBEAM_\w+)", (ROOT / name).read_text(encoding="utf-8")))

    def unknown(text: Text) -> Iterator[tuple[int, str]]:
        for found in re.finditer(r"\bSLOTBEAM_[A-Z][A-Z0-9_]*", text.text):
            if found[0] not in known:
                yield found.start(), f"{found[0]} is read by nothing"

    hold(unknown, "page block docstring comment message file", "set SLOTBEAM_THREAD")


def exported() -> set[str]:
    """The names under which Prometheus sees what `service/` counts."""
    endings = {"Counter": ("_total",), "Gauge": ("",), "Histogram": ("", "_bucket", "_sum", "_count")}
    found: set[str] = set()
    for name in tree():
        if name.startswith("service/slotbeam/api/") and name.endswith(".py"):
            declared = re.findall(
                r'(Counter|Gauge|Histogram)\w*\(\s*"(\w+)"', (ROOT / name).read_text(encoding="utf-8")
            )
            found.update(metric + ending for kind, metric in declared for ending in endings[kind])
    return found


def test_every_metric_that_is_named_is_exported() -> None:
    known = exported() | {"slotbeam_train", "slotbeam_lab"}  # packages

    def unknown(text: Text) -> Iterator[tuple[int, str]]:
        if text.kind == "message" and " " not in text.text:
            return  # its declaration
        for found in re.finditer(r"\bslotbeam_[a-z][a-z_]*", text.text):
            if found[0] not in known:
                yield found.start(), f"{found[0]} is not exported"

    hold(unknown, "page block docstring comment message file", "`slotbeam_queue`")
