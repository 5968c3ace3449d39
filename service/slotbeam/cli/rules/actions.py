"""What the commands of rules share: their flags, the body that these make, what is said of an answer."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from slotbeam.cli.console import counted, say, show_json, table
from slotbeam.cli.slots.edits import say_propagation, say_reach, say_spellings, say_warnings
from slotbeam.cli.zones import say_window
from slotbeam.errors import SetupError

_JSON_FIELDS = ("when", "filter", "metadata")
_WEIGHED = ("boost", "bury")

Unless = Annotated[list[str] | None, typer.Option("--unless", help="Not where the query holds this word.")]
Whole = Annotated[bool | None, typer.Option("--whole/--contains", help="The word is all of the query, or a part.")]
When = Annotated[str | None, typer.Option("--when", help="Positions count while an item passes this filter (JSON).")]
Position = Annotated[list[str] | None, typer.Option("--position", help="An item at 1, the next one at 2 …")]
Hide = Annotated[list[str] | None, typer.Option("--hide", help="An item that is in no answer.")]
Boost = Annotated[list[str] | None, typer.Option("--boost", help='WEIGHT:FILTER, for example 1.5:{"brand":"zenvia"}.')]
Bury = Annotated[list[str] | None, typer.Option("--bury", help="The same, for less score.")]
FilterBy = Annotated[str | None, typer.Option("--filter", help="The word leaves the query; this filter (JSON) counts.")]
Replace = Annotated[str | None, typer.Option("--replace", help="The word is read as this text.")]
Metadata = Annotated[str | None, typer.Option("--metadata", help="An object (JSON) that the answer passes on.")]
Alias = Annotated[str | None, typer.Option("--alias", help="The word is read as this one of the dictionary.")]
TwoWay = Annotated[bool | None, typer.Option("--two-way/--one-way", help="And that one as the word, too.")]
IsDraft = Annotated[bool | None, typer.Option("--draft/--live", help="Keep it, and do not apply it yet.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and change nothing.")]


def actions_of(whole: bool | None = None, draft: bool | None = None, **given: Any) -> dict[str, Any]:
    """Return what the flags that were given say, as a body has it."""
    body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name in _JSON_FIELDS:
        if name in body:
            body[name] = _json(name, body[name])
    for name in _WEIGHED:
        if name in body:
            body[name] = [_weighed(name, text) for text in body[name]]
    if whole is not None:
        body["trigger"] = "whole" if whole else "contains"
    return body if draft is None else {**body, "draft": draft}


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SetupError(f'--{name} is no JSON ({error}); give an object, for example {{"brand": "zenvia"}}') from None


def _weighed(name: str, text: str) -> dict[str, Any]:
    weight, colon, test = text.partition(":")
    try:
        if colon:
            return {"test": _json(name, test), "weight": float(weight)}
    except ValueError:
        pass
    raise SetupError(f'--{name} is {text}; give WEIGHT:FILTER, for example 1.5:{{"brand": "zenvia"}}')


def say_edit(answer: dict[str, Any], zone: str | None, as_json: bool) -> None:
    """Say what an edit did, or would do."""
    if as_json:
        show_json(answer)
    elif answer.get("dry_run"):
        _say_dry_run(answer, zone)
    else:
        say(f"rule {answer['id']} is {answer['state']}: {told(answer)}")
        say_window(answer, zone)
        say_warnings(answer)
        say_propagation(answer)


def _say_dry_run(answer: dict[str, Any], zone: str | None) -> None:
    say("nothing was changed")
    say_window(answer, zone)
    items = answer["items"]
    if items and items["missing_count"]:
        say(f"not in the catalog: {', '.join(items['missing'])} ({items['missing_count']} in all)")
    for word in answer["words"]:
        say_spellings(word)
    say_reach(answer)
    say_warnings(answer)
    for sample in answer["samples"]:
        say(f'query "{sample["query"]}"' + ("" if sample.get("matches") else " does not trigger it"))
        before = [hit["title"] for hit in sample.get("before") or ()]
        after = [hit["title"] for hit in sample.get("after") or ()]
        rows = [
            (rank + 1, *(titles[rank] if rank < len(titles) else "" for titles in (before, after)))
            for rank in range(max(len(before), len(after)))
        ]
        table(("#", "before", "after"), rows, right=("#",))


def told(rule: dict[str, Any]) -> str:
    """Return what a rule does, in one line."""
    words = ", ".join(rule["words"]) or "every query"
    return f"{words}: {'; '.join(_action(rule, name) for name in rule['actions'])}"


def _action(rule: dict[str, Any], name: str) -> str:
    value = rule[name]
    if name in ("hide", "positions"):
        return f"{name} {counted(len(value), 'item')} ({', '.join(value[:3])}{' …' if len(value) > 3 else ''})"
    if name in _WEIGHED:
        return f"{name} " + ", ".join(f"{one['weight']:g}:{_shown(one['test'])}" for one in value)
    if name == "alias":
        return f"alias {'<->' if rule['two_way'] else '->'} {value}"
    return f"{name} {value if isinstance(value, str) else _shown(value)}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
