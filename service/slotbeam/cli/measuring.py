"""`eval`, `paper`, `report`: what systems are worth, and tables generated from it (docs/evaluation.md)."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slotbeam.cli.console import fail, say, show_json
from slotbeam.cli.learning import Catalog, Logs, need, progress_bar
from slotbeam.cli.options import ArtifactDir, AsJson, settings_of
from slotbeam.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slotbeam_lab.command import Contest
    from slotbeam_lab.paper.units import Told, Unit

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
    app.command("paper")(paper)
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
    plots: Annotated[Path | None, typer.Option(help="Also measure what is behind an artifact; draw it there.")] = None,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Measure an artifact beside BM25, or --systems beside each other, trained on --catalog and --logs.

    What lies beside the catalog says on which queries, unless you do.
    """
    need("bm25s")
    from slotbeam_lab.command import render, run_eval
    from slotbeam_lab.measures.report import provenance, section_of, write_results

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
            logs=logs,
            contest=contest,
            plots=plots,
            progress=progress,
        )
    if results is not None:
        facts = provenance(command_line(), seed=seeds if contest else None, artifact=result.get("artifact"))
        write_results(results, [section_of(section) for section in result["sections"]], facts)
    if as_json:
        show_json(result)
    else:
        for line in render(result).split("\n"):
            say(line)


def paper(
    out: Annotated[Path, typer.Option(help="Directory of units, worlds, trained systems, tables and plots.")] = Path(
        "build/paper"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="Small worlds and short trainings: half an hour.")] = False,
    systems: Systems = None,
    parts: Annotated[str | None, typer.Option(help="Of systems,interventions,ablations,gap,curves,icecat.")] = None,
    items: Annotated[int | None, typer.Option(min=1000, help="Products of the systems' world.")] = None,
    ablation_items: Annotated[int | None, typer.Option(min=1000, help="Products of the ablations' world.")] = None,
    minutes_per_system: Annotated[float | None, typer.Option(min=0.01, help="Training budget of each.")] = None,
    steps: Steps = None,
    config: Config = "quick",
    seeds: Annotated[str | None, typer.Option(help="Of training, for the rows that decide.")] = None,
    queries: Annotated[int | None, typer.Option(min=1, help="Rows of a test day at most.")] = None,
    words: Annotated[int | None, typer.Option(min=1, help="Interventions of each size.")] = None,
    icecat: Annotated[Path | None, typer.Option(exists=True, help="Folder of a catalog with judgements*.csv.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Units side by side, one thread each.")] = None,
    results: Results = None,
) -> None:
    """Regenerate every table; what is in --out already is not run again. Exit code 1 when a unit failed."""
    need("torch")
    from slotbeam_lab.paper.command import PaperOptions, run_paper
    from slotbeam_lab.paper.command import quick as quick_options
    from slotbeam_lab.paper.tasks import Place
    from slotbeam_train.options import preset

    options = quick_options() if quick else PaperOptions()
    loop = options.train.loop
    minutes = minutes_per_system if minutes_per_system or steps else loop.minutes
    given: dict[str, Any] = {
        "systems": _names(systems),
        "parts": _names(parts),
        "seeds": None if seeds is None else numbers(seeds),
        "queries": queries,
        "words": words,
        "icecat": icecat,
        "world": None if items is None else replace(options.world, items=items),
        "ablated": None if ablation_items is None else replace(options.ablated, items=ablation_items),
        "train": preset(config, steps=steps, minutes=minutes),
    }
    options = replace(options, **{key: value for key, value in given.items() if value is not None})
    jobs = jobs or min(4, len(os.sched_getaffinity(0)))
    place = Place(out / "worlds", out / "systems", threads=1 if jobs > 1 else None)
    with unit_progress() as tell:
        outcome, sections = run_paper(options, out, place, jobs, command_line(), tell)
    if results is not None:
        results.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(out / "paper.json", results)
    say(f"{out / 'paper.md'}: {len(sections)} tables; {len(outcome.ran)} units run, {len(outcome.failed)} failed")
    if outcome.failed:
        fail(f"failed: {', '.join(outcome.failed)}; why: {out / 'units'}/*.error.txt")


def report(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A Markdown file with marked blocks.")],
    results: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The kept figures.")] = Path(
        "docs/results"
    ),
) -> None:
    """Render every block between `<!-- results:NAME -->` and `<!-- /results -->` of a file anew."""
    from slotbeam_lab.measures.report import rewrite

    old = file.read_text(encoding="utf-8")
    new = rewrite(old, results)
    if new != old:
        file.write_text(new, encoding="utf-8")
    say(f"{file} {'is rewritten' if new != old else 'is as it was'}")


@contextmanager
def unit_progress() -> Iterator[Told]:
    """One line for every unit that ends and, on a terminal, a bar with what runs and how long it will take."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    columns = (MofNCompleteColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    running: list[str] = []
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, unit: Unit, seconds: float, error: str, total: int) -> None:
            if what == "start":
                running.append(unit.name)
            else:
                running[:] = [name for name in running if name != unit.name]
                bar.advance(task)
                console.print(f"{what:8}{unit.name}  {f'{seconds:.0f} s' if seconds else ''}  {error}", markup=False)
            bar.update(task, description=", ".join(running), total=total)

        yield tell


def command_line() -> str:
    """The command that was given, as one would type it."""
    return " ".join(["slotbeam", *sys.argv[1:]])


def numbers(text: str) -> tuple[int, ...]:
    """`0,1,2` as numbers. Raises `InputError`."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"seeds are {text!r}; allowed: whole numbers with commas, e.g. 0,1,2") from None


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def _contest(
    catalog: Path, logs: Path | None, systems: str, config: str, seeds: str, cache: Path, **loop: float | None
) -> Contest:
    need("torch")
    from slotbeam_lab.baselines.registry import Setup, chosen
    from slotbeam_lab.command import Contest
    from slotbeam_train.options import preset

    names = _names(systems) or ()
    chosen(names)
    return Contest(names, Setup(catalog, logs, preset(config, **loop), cache), numbers(seeds))
