"""`slotbeam rules …`, `hide` and `alias` against real processes: what was typed is live when the command ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.processes import Up

YEAR = datetime.now(UTC).year + 1


def run(up: Up, *arguments: str) -> str:
    """Run a command that succeeds."""
    done = up.cli(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ids(up: Up, query: str, k: int = 5) -> list[str]:
    return [item["id"] for item in up.retrieve(query, k=k)["items"]]


def test_a_rule_is_added_shown_edited_listed_and_deleted(up: Up) -> None:
    first, *rest = ids(up, "red mug")
    dry = run(up, "rules", "add", "red mug", "--hide", first, "--dry-run")
    assert dry.startswith("nothing was changed")
    assert ids(up, "red mug")[0] == first
    added = ("--position", rest[2], "--when", '{"price": {"gte": 0}}', "--unless", "summer", "--reason", "recall")
    made = run(up, "rules", "add", "red mug", "--hide", first, *added)
    assert f"is active: red mug: hide 1 item ({first}); positions 1 item ({rest[2]})" in made
    assert "live in 2 of 2 replicas" in made
    shown = ids(up, "red mug")
    assert (shown[0], first in shown) == (rest[2], False)
    rule = made.split()[1]
    assert f"rule     red mug → hide, positions ({rule})" in run(up, "query", "red mug")
    told = run(up, "rules", "show", rule)
    assert "not where the query holds summer" in told
    assert "reason: recall" in told
    edited = run(up, "rules", "edit", rule, "--boost", '1.5:{"department": "toys"}', "--clear", "positions", "--clear",
                 "when", "--whole", "--metadata", '{"banner": "Sale"}')  # fmt: skip
    assert 'passes   {"banner": "Sale"}' in run(up, "query", "red mug")
    assert 'boost 1.5:{"department":"toys"}' in edited
    assert "only where the word is the whole query" in run(up, "rules", "show", rule)
    listed = json.loads(run(up, "rules", "list", "--action", "boost", "--json"))["rules"]
    assert [(one["id"], one["actions"], one["trigger"]) for one in listed] == [
        (rule, ["hide", "boost", "metadata"], "whole")
    ]
    assert "0 shown, 1 in all" in run(up, "rules", "list", "--action", "alias")
    assert "is removed" in run(up, "rules", "delete", rule)
    assert ids(up, "red mug")[0] == first
    gone = up.cli("rules", "show", rule)
    assert (gone.returncode, "there is no rule" in gone.stderr) == (1, True)


def test_what_makes_no_rule_is_refused_with_what_to_do(up: Up) -> None:
    for arguments, said in (
        (("rules", "add", "sale"), "does nothing"),
        (("rules", "add", "sale", "--boost", "brand"), "give WEIGHT:FILTER"),
        (("rules", "add", "sale", "--filter", "{"), "--filter is no JSON"),
        (("rules", "edit", "b_2222", "--clear", "id"), "--clear is id; allowed: hide"),
        (("alias", "tumbler", "mugg"), "did you mean"),
    ):
        refused = up.cli(*arguments)
        assert (refused.returncode, said in refused.stderr) == (1, True), (arguments, refused.stderr)
    assert json.loads(run(up, "rules", "list", "--json"))["rules"] == []


def test_items_are_hidden_and_a_word_is_read_as_another_and_a_file_brings_both_back(up: Up, tmp_path: Path) -> None:
    """A restore of them is in `test_restore`."""
    mugs = ids(up, "mug")
    run(up, "hide", "mug", mugs[0], "--ends", f"{YEAR}-12-24")
    run(up, "hide", "", mugs[1])
    run(up, "alias", "tumbler", "mug")
    run(up, "slots", "bind", "labubu", "-c", "brand", "--item", "i003")
    now = [ids(up, query) for query in ("mug", "tumbler", "red mug")]
    assert mugs[0] not in now[0]
    assert mugs[0] in now[1]
    assert all(mugs[1] not in answer for answer in now)
    kept, exported = rules(up), {}
    for name in ("bindings.json", "bindings.csv"):
        exported[name] = tmp_path / name
        run(up, "slots", "export", "--out", str(exported[name]), *(["--csv"] if name.endswith("csv") else []))
    for file in exported.values():
        for rule in json.loads(run(up, "rules", "list", "--json"))["rules"]:
            run(up, "rules", "delete", rule["id"])
        assert ids(up, "mug") == mugs
        run(up, "slots", "unbind", "labubu")
        assert "4 bindings and rules made" in run(up, "slots", "import", str(file))
        assert rules(up) == kept
        assert [ids(up, query) for query in ("mug", "tumbler", "red mug")] == now


def rules(up: Up) -> list[dict[str, Any]]:
    """What the rules say, whenever and in whatever order they were made."""
    made = ("id", "created_at", "revision", "etag", "changed_at", "changed_by")
    listed = json.loads(run(up, "rules", "list", "--json"))["rules"]
    return sorted(({k: v for k, v in rule.items() if k not in made} for rule in listed), key=str)
