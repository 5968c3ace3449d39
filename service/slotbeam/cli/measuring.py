"""`eval`, `report`: what systems are worth, and tables generated from it (docs/evaluation.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.learning import Catalog, Logs, need, progress_bar
from slotbeam.cli.options import ArtifactDir, AsJson, settings_of
from slotbeam.errors import InputError

if TYPE_CHECKING:
    from slotbeam.eval.command import Contest

Results = Annotated[
    Path | None, typer.Option(dir_okay=False, help="Keep the tables in this JSON file (docs/results/…).")
]
Systems = Annotated[str | None, typer.Option(help="Systems of the registry, e.g. bm25,kae,rq-opq.")]
Config = Annotated[str, typer.Option(help="Training: tiny, quick, standard or large.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Training steps of each system.")]
Cache = Annotated[Path, typer.Option(help="Where trained systems are kept, by what they were trained from.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("eval")(evaluate)
    app.command("report")(report)


def evaluate(
    ctx: typer.Context,
    catalog: Catalog,
    judgements: Annotated[Path | None, typer.Option(exists=True, help="A CSV of judged queries.")] = None,
    world: Annotated[Path | None, typer.Option(exists=True, help="A log, or a world's directory.")] = None,
    artifact: ArtifactDir = None,
    baseline_only: Annotated[bool, typer.Option("--baseline-only", help="BM25 alone, no artifact.")] = False,
    queries: Annotated[int | None, typer.Option(min=1, help="At most so many rows of the log.")] = None,
    interventions: Annotated[int | None, typer.Option(min=1, help="Bind so many unseen words of each size.")] = None,
    systems: Systems = None,
    logs: Logs = None,
    config: Config = "quick",
    steps: Steps = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Training time of each instead of steps.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="PyTorch threads.")] = None,
    seeds: Annotated[str, typer.Option(help="Of training; figures are means over them.")] = "0",
    cache: Cache = Path("build/systems"),
    out: Annotated[Path | None, typer.Option(help="Also write eval.json and eval.md there.")] = None,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Measure an artifact beside BM25, or --systems beside each other, trained on --catalog and --logs.

    What lies beside the catalog says on which queries, unless you do.
    """
    need("bm25s")
    from slotbeam.eval.command import render, run_eval
    from slotbeam.eval.report import provenance, section_of, write_results

    contest = None
    if systems is not None:
        contest = _contest(catalog, logs, systems, config, seeds, cache, steps=steps, minutes=minutes, threads=threads)
    directory = None if baseline_only else settings_of(ctx).artifact
    with progress_bar() as progress:
        result = run_eval(
            directory,
            catalog,
            judgements,
            world,
            out,
            queries=queries,
            interventions=interventions,
            contest=contest,
            progress=progress,
        )
    if results is not None:
        facts = provenance(command_line(), seed=seeds if contest else None, artifact=result.get("artifact"))
        write_results(results, [section_of(section) for section in result["sections"]], facts)
    if as_json:
        show_json(result)
    else:
        say(render(result))


def report(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A Markdown file with marked blocks.")],
    results: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The kept figures.")] = Path(
        "docs/results"
    ),
) -> None:
    """Render every block between `<!-- results:NAME -->` and `<!-- /results -->` of a file anew."""
    from slotbeam.eval.report import rewrite

    old = file.read_text(encoding="utf-8")
    new = rewrite(old, results)
    if new != old:
        file.write_text(new, encoding="utf-8")
    say(f"{file} {'is rewritten' if new != old else 'is as it was'}")


def command_line() -> str:
    """The command that was given, as one would type it."""
    return " ".join(["slotbeam", *sys.argv[1:]])


def numbers(text: str) -> tuple[int, ...]:
    """`0,1,2` as numbers. Raises `InputError`."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"seeds are {text!r}; allowed: whole numbers with commas, e.g. 0,1,2") from None


def _contest(
    catalog: Path, logs: Path | None, systems: str, config: str, seeds: str, cache: Path, **loop: float | None
) -> Contest:
    need("torch")
    from slotbeam.eval.command import Contest
    from slotbeam.eval.registry import Setup, chosen
    from slotbeam.train.options import preset

    names = tuple(name.strip() for name in systems.split(",") if name.strip())
    chosen(names)
    return Contest(names, Setup(catalog, logs, preset(config, **loop), cache), numbers(seeds))
