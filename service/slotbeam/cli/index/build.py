"""`slotbeam index`: a catalog encoded by a model becomes an artifact, without training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slotbeam.cli.console import counted, say, say_error
from slotbeam.cli.index import fold as folding
from slotbeam.cli.items.watermark import held_by
from slotbeam.cli.options import (
    ArtifactDir,
    AsJson,
    DataDir,
    Format,
    IndexDir,
    Language,
    Mapping,
    RedisUrl,
    served_settings,
    settings_of,
)
from slotbeam.cli.progress import progress_bar
from slotbeam.errors import InputError

if TYPE_CHECKING:
    from slotbeam.catalog.loaders.faults import Faults


def index(
    ctx: typer.Context,
    model: Annotated[Path | None, typer.Option(exists=True, help="An artifact whose model is taken.")] = None,
    catalog: Annotated[
        list[Path] | None, typer.Option(exists=True, help="Items: a file or directory; may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The artifact directory to write.")] = None,
    format: Format = None,
    mapping: Mapping = None,
    locale: Annotated[str | None, typer.Option(help="How numbers are written in mapped rows: de, en-US.")] = None,
    language: Language = None,
    name: Annotated[str | None, typer.Option(help="Name of the artifact; that of the model otherwise.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that encode items.")] = 1,
    statistics_of: Annotated[
        Path | None,
        typer.Option(exists=True, help="An artifact by whose index terms weigh, so that scores of both compare."),
    ] = None,
    skip_bad: Annotated[int, typer.Option(min=0, help="So many rows with faults may be left out.")] = 0,
    watermark: Annotated[
        str | None,
        typer.Option(
            metavar="now|EPOCH:SEQ",
            help="Live edits that the catalog holds: up to what slotbeam items watermark said before it was exported.",
        ),
    ] = None,
    fold: Annotated[
        bool, typer.Option("--fold", help="Take the active index and the live edits since, instead of a catalog.")
    ] = False,
    base: Annotated[
        Path | None, typer.Option(exists=True, help="With --fold: an artifact to take instead of the active one.")
    ] = None,
    at_least: Annotated[
        int, typer.Option(min=1, help="With --fold: make none unless so many items were edited since.")
    ] = 1,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    artifact: ArtifactDir = None,
    index_dir: IndexDir = None,
    redis_url: RedisUrl = None,
) -> None:
    """Encode a catalog of any size by a model: an artifact that `serve` reads. Needs no PyTorch."""
    if ctx.invoked_subcommand is not None:
        return
    if fold:
        if catalog or format or skip_bad or watermark:
            raise InputError(
                "--fold takes the items of the active index, and the store tells its watermark; leave out --catalog, "
                "--format, --skip-bad and --watermark"
            )
        folding.fold(
            served_settings(ctx),
            base=base,
            model=model,
            name=name,
            out=out,
            mapping=mapping,
            locale=locale,
            language=language,
            jobs=jobs,
            statistics_of=statistics_of,
            at_least=at_least,
            as_json=as_json,
        )
        return
    missing = [flag for flag, given in (("--model", model), ("--catalog", catalog), ("--out", out)) if not given]
    if model is None or not catalog or out is None:
        raise InputError(f"{', '.join(missing)} missing; for example: slotbeam index --model M --catalog C --out I")
    from slotbeam.catalog.loaders import CatalogReader
    from slotbeam.indexing.build import build_index
    from slotbeam.language.fold import UNDETERMINED

    says = {"watermark": held_by(settings_of(ctx), watermark)._asdict()} if watermark else {}
    reader = CatalogReader(*catalog, format=format, mapping=mapping, locale=locale, skip_bad=skip_bad)
    try:
        with progress_bar() as progress:
            manifest = build_index(
                model, reader, out, jobs, progress, name, language=language, statistics_of=statistics_of, says=says
            )
    except InputError as error:
        if "faults" not in error.details:  # else whoever catches it tells them
            _tell(reader.faults)
        raise
    _tell(reader.faults)
    facts = manifest["index"]
    left = f", {facts['catalog']['left_out']} rows left out" if facts["catalog"]["left_out"] else ""
    if language is None:
        told = "no language, or many" if facts["language"] == UNDETERMINED else f"the language {facts['language']}"
        say(f"the titles are of {told}; if that is wrong, give --language")
    edits = f", edits up to seq {facts['watermark']['seq']}" if watermark else ""
    beside = out.absolute().parent == served_settings(ctx).indexes.absolute()
    served = f"slotbeam index activate {out.name}" if beside else f"SLOTBEAM_ARTIFACT={out} slotbeam up"
    say(f"{out} holds {counted(facts['items'], 'item')}{left}{edits}; serve it: {served}")


def _tell(faults: Faults) -> None:
    """Say of each row that was left out why."""
    for line in (*faults.warnings, *faults.lines()):
        say_error(line)
