"""`slotbeam calibrate`: relevance and confidence of an artifact, fitted anew; nothing else of it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slotbeam.cli.console import say
from slotbeam.cli.extras import need


def calibrate(
    artifact: Annotated[Path, typer.Argument(exists=True, help="The artifact whose manifest is written.")],
    logs: Annotated[Path | None, typer.Option(exists=True, help="Clicks and orders.")] = None,
    judgements: Annotated[Path | None, typer.Option(exists=True, help="A CSV of judged queries.")] = None,
    good: Annotated[float, typer.Option(help="The grade from which an item counts as relevant.")] = 2.0,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    plot: Annotated[Path | None, typer.Option(help="Draw the reliability curve of the judged half there.")] = None,
) -> None:
    """Fit relevance and confidence to a log, or to queries made of the titles; relevance to judgements, where given."""
    need("scipy")
    from slotbeam.catalog.loaders import load_log
    from slotbeam.search.artifact import Artifact
    from slotbeam_train.export.calibrate import CALIBRATED, calibrate, fit_calibration
    from slotbeam_train.export.weights import last_taken

    served = Artifact.load(artifact)
    taken = last_taken(list(load_log(logs)) if logs else [], served.catalog, CALIBRATED, seed)
    graded = None
    if judgements is not None:
        from slotbeam_lab.measures.questions import read_judgements
        from slotbeam_lab.measures.reliability import calibration_error, draw_reliability, reliability, said_of_others

        graded = {
            each.query: {item: rating >= good for item, rating in each.ratings.items()}
            for each in read_judgements(judgements)
        }
        said, true = said_of_others(served, graded, seed)
        say(f"{len(said)} judged pairs, by fits that saw none of their query: ECE {calibration_error(said, true):.3f}")
        for own in reliability(said, true):
            say(f"  said {own.said:.2f}  true {own.true:.2f}  {own.pairs} pairs")
        if plot is not None:
            draw_reliability({served.name: reliability(said, true)}, plot)
    written = fit_calibration(served, taken, seed, CALIBRATED, graded)
    calibrate(served, written)
    for name, weights in (("relevance", written.relevance), ("confidence", written.confidence)):
        say(f"{name}: {', '.join(f'{value:g} {key}' for key, value in weights.items() if value)}")
