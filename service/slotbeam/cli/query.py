"""`slotbeam query`: one search, asked from the shell."""

from __future__ import annotations

import json
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
    min_relevance: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Items below are left out; those of bindings stay.")
    ] = 0.0,
    fallback: Annotated[
        str | None, typer.Option(help="What is answered where nothing of the query is known: popular.")
    ] = None,
    interpret: Annotated[bool, typer.Option("--interpret", help="Filter by what the text says of a price.")] = False,
    spelling: Annotated[bool, typer.Option(help="Whether words that nobody knows are corrected.")] = True,
    cursor: Annotated[
        str | None, typer.Option(help="* for the first of several pages; for the next one what the page before says.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print how the answer came about (JSON).")] = False,
    url: DataUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Ask the data plane and print its answer."""
    from slotbeam.cli.client import data_client

    body = {"query": text, "k": k, "use_bindings": bindings, "interpret": interpret, "explain": explain}
    body |= {"min_relevance": min_relevance}
    body |= {"spelling": "on" if spelling else "off"}
    body |= {"fallback": fallback} if fallback else {}
    body |= {"cursor": cursor} if cursor else {}
    with data_client(settings_of(ctx), url) as client:
        response = client.call("POST", "/retrieve", json=body)
    answer: dict[str, Any] = response.json()
    if as_json or explain:
        show_json(answer)
        return
    named = [f"{place['group']}={place['word']}" for place in answer["query_sid"] if place["word"]]
    say(f"read as  {', '.join(named) or '(no known word)'}")
    understood = answer["understood"]
    if understood["corrected"]:
        say(
            "showing results for "
            + ", ".join(f"{word['to']} (typed {word['from']})" for word in understood["corrected"])
        )
    said = [*understood["known"], *(f"{word} (unknown)" for word in understood["unknown"])]
    say(f"words    {', '.join(said)}; confidence {answer['confidence']:.2f}")
    for applied in answer["applied_bindings"]:
        say(f"bound    {applied['word']} → slot {applied['slot']} ({counted(applied['items'], 'item')})")
    for rule in answer.get("applied_rules", ()):
        say(f"rule     {rule['word'] or 'every query'} → {', '.join(rule['actions'])} ({rule['id']})")
    for each in answer.get("metadata", ()):
        say(f"passes   {json.dumps(each, ensure_ascii=False)}")
    for each in answer["understood"]["filters"]:
        applied = "" if interpret else " (--interpret applies it)"
        say(f"filter   {each['text']} → {json.dumps(each['filter'])}{applied}")
    rows = [
        (
            rank,
            item["source"],
            f"{item['score']:.3f}",
            f"{item['relevance']:.2f}",
            ", ".join(item["matched"]),
            item["id"],
            item["title"],
        )
        for rank, item in enumerate(answer["items"], 1)
    ]
    if not rows:
        say("no items" if understood["known"] else "no items: no word of it is known; --fallback popular shows some")
    else:
        heads = ("#", "source", "score", "relevance", "matched", "id", "title")
        table(heads, rows, right=("#", "score", "relevance"))
    if cursor:
        if answer["changed"]:
            say("changed  something was edited since the page before")
        ends = {"exhausted": "nothing is left", "limit": "pages go no further; narrow the query down"}
        further = f"--cursor {answer['next']}" if answer["next"] else ends[answer["end"]]
        say(f"next     {further} ({counted(answer['candidates'], 'candidate')})")
    state, stages = answer["bindings"], response.headers["server-timing"].split(", ")
    took = ", ".join(stage.replace(";dur=", " ") + " ms" for stage in stages)
    say(f"model {answer['model']}, revision {state['revision']} ({state['state']}); {took}")
