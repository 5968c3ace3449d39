"""`slotbeam query`: one search, asked from the shell."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from slotbeam.cli.console import counted, say, show_json, table
from slotbeam.cli.options import AsJson, DataDir, settings_of

DataUrl = Annotated[str | None, typer.Option("--url", envvar="SLOTBEAM_DATA_URL", help="Data plane address.")]


def query(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="What to search for.")],
    k: Annotated[int, typer.Option("-k", "--k", help="Items wanted.")] = 10,
    bindings: Annotated[bool, typer.Option(help="Whether bound words count.")] = True,
    explain: Annotated[bool, typer.Option("--explain", help="Print how the answer came about (JSON).")] = False,
    url: DataUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Ask the data plane and print its answer."""
    from slotbeam.cli.client import data_client

    body = {"query": text, "k": k, "use_bindings": bindings, "explain": explain}
    with data_client(settings_of(ctx), url) as client:
        response = client.call("POST", "/retrieve", json=body)
    answer: dict[str, Any] = response.json()
    if as_json or explain:
        show_json(answer)
        return
    named = [f"{place['group']}={place['word']}" for place in answer["query_sid"] if place["word"]]
    say(f"read as  {', '.join(named) or '(no known word)'}")
    for applied in answer["applied_bindings"]:
        say(f"bound    {applied['word']} → slot {applied['slot']} ({counted(applied['items'], 'item')})")
    rows = [
        (rank, item["source"], f"{item['score']:.3f}", item["id"], item["title"])
        for rank, item in enumerate(answer["items"], 1)
    ]
    table(("#", "source", "score", "id", "title"), rows, right=("#", "score"))
    state, stages = answer["bindings"], response.headers["server-timing"].split(", ")
    took = ", ".join(stage.replace(";dur=", " ") + " ms" for stage in stages)
    say(f"model {answer['model']}, revision {state['revision']} ({state['state']}); {took}")
