"""`slotbeam compare`: what changes when an index, a model or a set of rules is served in another's place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slotbeam.cli.console import counted, say, say_error, show_json, table
from slotbeam.cli.extras import need
from slotbeam.cli.options import AsJson, DataDir, IndexDir, numbers, served_settings
from slotbeam.cli.progress import progress_bar
from slotbeam.errors import InputError, SetupError
from slotbeam.settings import Settings

if TYPE_CHECKING:
    from slotbeam.search.artifact import Artifact

SideName = Annotated[str, typer.Argument(help="An artifact's directory, or the name of one under SLOTBEAM_INDEX_DIR.")]
BindingsFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Of `slots export`; none: no binding and no rule.")
]
ItemsFile = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Live items: DATA_DIR/last-good/items-data; none: the index alone."),
]


def compare(
    ctx: typer.Context,
    a: SideName,
    b: SideName,
    queries: Annotated[Path | None, typer.Option(exists=True, help="One a line, or rows: query, count.")] = None,
    judgements: Annotated[Path | None, typer.Option(exists=True, help="A CSV: query, docid, rating.")] = None,
    clicks: Annotated[Path | None, typer.Option(exists=True, help="A log of clicks and orders.")] = None,
    bindings_a: BindingsFile = None,
    bindings_b: BindingsFile = None,
    items_a: ItemsFile = None,
    items_b: ItemsFile = None,
    drafts: Annotated[bool, typer.Option("--drafts", help="Read the drafts of B as if they were published.")] = False,
    at: Annotated[str | None, typer.Option(help="Ask B at this time, for what is scheduled: 2026-12-24.")] = None,
    ks: Annotated[str, typer.Option("-k", "--k", help="Items that count, e.g. 10,100.")] = "10,100",
    sample: Annotated[int | None, typer.Option(min=1, help="At most so many queries, always the same ones.")] = None,
    show: Annotated[int, typer.Option(min=0, help="Queries of each list to look at.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Also write compare.json and compare.svg there.")] = None,
    index_dir: IndexDir = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Compare the answers of A and B to --queries, --judgements or --clicks, before B is served in A's place.

    Each is an index with the bindings and live items of the files that are named; no service is asked.
    """
    import time

    from slotbeam.search.artifact import Artifact
    from slotbeam.search.request import MAX_K
    from slotbeam_lab.measures import asking
    from slotbeam_lab.measures.comparing import compare as run
    from slotbeam_lab.measures.sides import Side

    if sum(file is not None for file in (queries, judgements, clicks)) != 1:
        raise InputError("name the queries: one of --queries, --judgements and --clicks")
    if (drafts or at is not None) and bindings_b is None:
        raise InputError("--drafts and --at are about the bindings of B; name their file with --bindings-b")
    if out is not None:
        need("matplotlib")
    depths = tuple(sorted(set(numbers(ks, "k"))))
    if not 1 <= depths[0] <= depths[-1] <= MAX_K:
        raise InputError(f"--k is {ks}; allowed: numbers from 1 to {MAX_K}")
    settings = served_settings(ctx)
    now_ms = int(time.time() * 1000)
    then_ms = _moment(at, now_ms)
    first = Artifact.load(_directory(a, settings))
    of_b = _directory(b, settings)
    second = first if of_b.resolve() == first.directory.resolve() else Artifact.load(of_b, beside=first)
    sides = (
        Side.open(first, bindings_a, now_ms, items=items_a),
        Side.open(second, bindings_b, then_ms, drafts, items_b),
    )

    lost = 0
    if queries:
        questions = asking.read_queries(queries)
    else:
        file, read = (judgements, asking.judged_questions) if judgements else (clicks, asking.clicked_questions)
        assert file is not None
        questions, lost = read(file, lambda ids: _known(ids, *(side.artifact for side in sides)))
    questions, refused = asking.answerable(questions)
    with progress_bar() as progress:
        result = run(*sides, asking.sampled(questions, sample), depths, show, seed, progress)
    result |= {"refused": refused, "outside_the_catalogs": lost}
    if out is not None:
        _write(result, out)
    if as_json:
        show_json(result)
        return
    _say(result, show)
    if out is not None:
        say(f"{out / 'compare.svg'} shows it")


def _write(result: Mapping[str, Any], out: Path) -> None:
    """Write a comparison and its picture. Raises `SetupError`: they cannot be written."""
    import json

    from slotbeam.files import write_whole
    from slotbeam_lab.measures.changeplot import draw_changes

    try:
        draw_changes(result, out / "compare.svg")
        write_whole(out / "compare.json", json.dumps(result, ensure_ascii=False, indent=2).encode())
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error.strerror or error}; give another --out") from error


def _directory(name: str, settings: Settings) -> Path:
    """Return the directory of an artifact that is named by its path or as an index. Raises `InputError`."""
    for path in (Path(name), settings.indexes / name):
        if path.is_dir():
            return path
    raise InputError(f"{name} is no directory, and {settings.indexes} holds none of this name: slotbeam index list")


def _moment(text: str | None, now_ms: int) -> int:
    """Return a time in unix ms; now where none is given. Raises `InputError`."""
    from slotbeam.bindings.times import starts_ms

    try:
        at_ms = starts_ms(text)
    except ValueError as error:
        raise InputError(f"--at {error}") from None
    return now_ms if at_ms is None else at_ms


def _known(ids: Collection[str], *artifacts: Artifact) -> set[str]:
    """Return the ids that one of the catalogs holds."""
    return {one for artifact in artifacts for one in set(ids).difference(artifact.catalog.rows_of(ids)[1])}


def _say(result: Mapping[str, Any], show: int) -> None:
    for name in ("a", "b"):
        side = result[name]
        bound = (
            f"bindings and rules of {side['bindings']}, {side['active']} active" if side["bindings"] else "no bindings"
        )
        live = f", with {counted(side['edited'], 'edit')} of {side['live_items']}" if side["live_items"] else ""
        held = f"{counted(side['items'], 'item')}{live}"
        say(f"{name.upper()}  {side['artifact']} in {side['directory']}: {held}, {bound}")
        for one, why in side["left_out"].items():
            say_error(f"   left out {one}: {why}")
    asked = f", asked {result['asked']:g} times" if result["asked"] != result["queries"] else ""
    say(f"{counted(result['queries'], 'query', 'queries')}{asked}")
    for why in result["refused"][:1]:
        say(f"left out {len(result['refused'])} that a service refuses; the first: {why}")
    if result["outside_the_catalogs"]:
        say(f"left out {result['outside_the_catalogs']} judgements or clicks of items that neither A nor B has")
    table(("", "mean (95 %)"), [(name, _interval(value)) for name, value in result["overlap"].items()])
    answered = result["answered"]
    said = f"A answers {answered['a']}, B {answered['b']} of {result['queries']}"
    say(f"{said}; newly without an answer: {answered['newly_empty']}, newly with one: {answered['newly_answered']}")
    if measures := result.get("measures"):
        heads = ("measure", "A", "B", "B − A (95 %)", "better", "same", "worse")
        rows = [
            (name, f"{one['a'][0]:.3f}", f"{one['b'][0]:.3f}", _interval(one["difference"], "+"), *_counts(one))
            for name, one in measures.items()
        ]
        table(heads, rows, right=heads[1:])
    if applied := result["applied"][:show]:
        columns = ("binding or rule", "word", "does", "in A", "in B", "of them changed")
        triggered = [
            (one["id"], _word(one), " and ".join(one["actions"]), one["a"], one["b"], one["changed"]) for one in applied
        ]
        table(columns, triggered, right=columns[3:])
    titles = {"losses": "Largest losses", "gains": "Largest gains", "changed": "Least alike"}
    for name, title in titles.items():
        if result["look_at"][name]:
            say(f"{title}:")
            for one in result["look_at"][name]:
                _say_query(one)


def _say_query(one: Mapping[str, Any]) -> None:
    times = f" (asked {one['count']:g} times)" if one["count"] != 1 else ""
    worth = [f"{name} {one[name]['a']:.3f} → {one[name]['b']:.3f}" for name in one if name.startswith("nDCG")]
    alike = [f"{name} {value:.2f}" for name, value in one.items() if name.startswith("overlap")]
    held = f"{one['items']['a']} → {one['items']['b']} items" if one["items"]["a"] != one["items"]["b"] else ""
    say(f"  {one['query']}{times}: {', '.join(filter(None, [*worth, *alike, held]))}")
    for what in ("left", "came", "moved"):
        for item in one[what]:
            ranks = f"{item['rank']['a'] or '–'} → {item['rank']['b'] or '–'}"
            right = " (right)" if item.get("right") else ""
            say(f"    {what:5} {ranks:10} {item['id']}  {item['title']}{right}")
    for name in ("a", "b"):
        for rule in one["applied"][name]:
            say(f"    {name.upper()}     {' and '.join(rule['actions'])} of {_word(rule)} ({rule['id']})")


def _word(rule: Mapping[str, Any]) -> str:
    return f'"{rule["word"]}"' if rule["word"] else "every query"


def _counts(one: Mapping[str, Any]) -> tuple[int, int, int]:
    return one["better"], one["same"], one["worse"]


def _interval(value: Sequence[float], sign: str = "") -> str:
    mean, lower, upper = value
    return f"{mean:{sign}.3f} ({lower:{sign}.3f} to {upper:{sign}.3f})"
