"""`slotbeam kae …`: the keyword encoding of a catalog, and how it reads a text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slotbeam.cli.console import say, show_json, table
from slotbeam.cli.extras import need
from slotbeam.cli.options import ArtifactDir, AsJson, CatalogPath, Format, Logs, Mapping, served_settings
from slotbeam.cli.progress import progress_bar

group = typer.Typer(help="The keyword encoding: words, groups, slots.", no_args_is_help=True)


@group.command()
def explain(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="A query, or any text.")],
    artifact: ArtifactDir = None,
    as_json: AsJson = False,
) -> None:
    """Show which words are known, their groups and slots, which of them represents its group, and why."""
    from slotbeam.kae.encode import Kae
    from slotbeam.kae.facts import facts_of
    from slotbeam.language.fold import Folding
    from slotbeam.language.normalize import normalize
    from slotbeam.search.artifact import INDEX, LANGUAGE, MODEL, read_manifest

    directory = served_settings(ctx).artifact
    read_manifest(directory)
    kae = Kae.load(directory / MODEL / "kae", Folding.load(directory / INDEX / LANGUAGE))
    canonical = normalize(text)
    encoded = kae.encode(canonical)
    facts = facts_of(kae, canonical)
    if as_json:
        words = [
            {name: str(getattr(fact, name)) if name == "slot" else getattr(fact, name) for name in fact.__slots__}
            for fact in facts
        ]
        show_json({"canonical": canonical, "sid": encoded.sid, "words": words})
        return
    say(f"canonical  {canonical}")
    say(f"SID        {' '.join(map(str, encoded.sid))}")
    rows = [
        (
            f"{fact.start}–{fact.end}",
            fact.surface,
            fact.word,
            fact.category,
            f"{fact.position} {fact.group}",
            fact.slot,
            fact.kind,
            "●" if fact.chosen else "",
            fact.reason,
        )
        for fact in facts
    ]
    table(("span", "found", "word", "category", "group", "slot", "kind", "", "why"), rows)


@group.command()
def groups(
    catalog: CatalogPath,
    logs: Logs = None,
    format: Format = None,
    mapping: Mapping = None,
    groups: Annotated[int | None, typer.Option(min=1, max=18, help="Positions; the elbow otherwise.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the curve of the information loss (PNG or SVG).")] = None,
    last_day: Annotated[int, typer.Option(min=1, help="Last day of the log that is read.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show how the 18 categories of a catalog become positions: information loss, elbow, capacity."""
    need("sklearn")
    from slotbeam.catalog.loaders import read_data
    from slotbeam_train.lexicon import KaeOptions, behaviour_of, build_with_grouping, plot_losses

    data = read_data(catalog, logs, format, mapping, last_day)
    items, log = data.items, data.log
    queries, clicks = behaviour_of(log)
    with progress_bar() as progress:
        built = build_with_grouping(items, queries, KaeOptions(groups=groups), progress, clicks)
    grouping, codebook = built.grouping, built.kae.codebook
    if plot is not None:
        plot_losses(grouping, plot)
    if as_json:
        losses = [{"groups": count, "loss_nats": loss} for count, loss in grouping.losses]
        show_json({"groups": grouping.groups, "elbow": grouping.elbow, "losses": losses, "sizes": codebook.sizes})
        return
    rows = [
        (
            position,
            ", ".join(categories),
            f"{grouping.densities[position]:.3f}",
            codebook.cluster_counts[position],
            codebook.solo_counts[position],
            codebook.reserved_counts[position],
        )
        for position, categories in enumerate(grouping.groups)
    ]
    numbers = ("density", "cluster", "solo", "reserved")
    table(("position", "categories", *numbers), rows, right=numbers)
    table(
        ("groups", "loss (nats)"), [(count, f"{loss:.4f}") for count, loss in grouping.losses], right=("loss (nats)",)
    )
    say(f"elbow {grouping.elbow}, used {len(grouping.groups)}" + (f"; curve in {plot}" if plot else ""))
