"""Commands against a running `slotbeam up`: edits, questions, what they print."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import httpx

from slotbeam.bindings.store.store import Store
from slotbeam.embedded.address import store_url
from slotbeam.suggestions.reporting import TrendReporter
from slotbeam.suggestions.trends import BUCKET_S
from slotbeam_train.lexicon import read_absorbed
from support.processes import HANG_S, Up, wait_for


def test_a_bound_word_is_live_in_every_replica_and_unbinding_restores_the_answer(up: Up) -> None:
    before = up.retrieve("labubu mug", k=20)
    bound = up.cli("slots", "bind", "Labubu", "--category", "brand", "--item", "i003", "--item", "i004")
    assert bound.returncode == 0, bound.stderr
    assert "labubu is bound to slot 1-4 (2 items, top)" in bound.stdout
    assert "live in 2 of 2 replicas" in bound.stdout
    during = up.retrieve("labubu mug", k=20)
    assert {item["id"] for item in during["items"][:2]} == {"i003", "i004"}
    assert during["bindings"]["revision"] == before["bindings"]["revision"] + 1
    assert "labubu" in up.cli("slots", "list").stdout
    freed = up.cli("slots", "unbind", "labubu", "--json")
    assert json.loads(freed.stdout)["propagation"]["applied"] == 2
    after = up.retrieve("labubu mug", k=20)
    assert after["items"] == before["items"]
    assert "(model" not in freed.stderr


def test_an_export_holds_every_binding_with_its_items_and_drafts_can_be_removed_by_their_word(
    up: Up, tmp_path: Path
) -> None:
    file = tmp_path / "bindings.json"
    bound = json.loads(
        up.cli("slots", "bind", "Labubu", "-c", "brand", "--item", "i004", "--item", "i003", "--json").stdout
    )
    draft = {"words": ["crocs"], "category": "brand", "items": {"ids": ["i005"]}, "draft": True}
    made = httpx.post(
        f"{up.record['admin']}/admin/slots", json=draft, headers={"authorization": f"Bearer {up.token}"}, timeout=HANG_S
    )
    assert made.status_code in (200, 201, 202), made.text
    try:
        done = up.cli("slots", "export", "--out", str(file))
        assert f"{file} holds 2 bindings and rules, 3 items in all" in done.stdout, done.stderr
        assert up.cli("slots", "export", "--out", "-").stdout == file.read_text()
        labubu, crocs = json.loads(file.read_text())
        assert {name: labubu[name] for name in ("id", "words", "category", "items", "placement", "slot", "state")} == {
            "id": bound["id"],
            "words": ["labubu"],
            "category": "brand",
            "items": ["i003", "i004"],
            "placement": "top",
            "slot": bound["slot"],
            "state": "active",
        }
        assert (crocs["words"], crocs["slot"], crocs["state"]) == (["crocs"], None, "draft")
        found, skipped = read_absorbed(file)
        assert [one.word for one in found] == ["labubu"]
        assert len(skipped) == 1
    finally:
        assert up.cli("slots", "unbind", "labubu").returncode == 0
        assert "is removed" in up.cli("slots", "unbind", "crocs").stdout


def test_a_draft_is_edited_scheduled_published_and_drafted_again_by_its_word(up: Up) -> None:
    made = up.cli("slots", "bind", "furby", "-c", "brand", "--item", "i003", "--item", "i004", "--draft")
    assert made.returncode == 0, made.stderr
    name = re.search(r"slots publish (b_\w+)", made.stdout)
    assert name is not None, made.stdout

    def change(*arguments: str) -> dict[str, Any]:
        done = up.cli("slots", *arguments, "--json")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    try:
        assert not up.retrieve("furby mug")["applied_bindings"]
        told = up.cli("slots", "edit", "furby", "--placement", "blend", "--dry-run")
        assert "nothing was changed" in told.stdout, told.stderr
        edited = change("edit", name[1], "--add-item", "i005", "--remove-item", "i003", "--owner", "toys")
        assert (edited["item_count"], edited["owner"], edited["placement"]) == (2, "toys", "top")
        again = change("edit", "furby", "--clear", "owner", "--item", "i006")
        assert (again["item_count"], again["owner"]) == (1, "")
        timed = change("schedule", "furby", "--ends", "2031-01-01", "--zone", "Europe/Berlin")
        assert (timed["state"], timed["ends_at"]) == ("draft", "2031-01-01T23:00:00.000Z")
        live = change("publish", "furby")
        assert (live["state"], live["propagation"]["applied"]) == ("active", 2)
        [applied] = up.retrieve("furby mug")["applied_bindings"]
        assert (applied["word"], applied["items"]) == ("furby", 1)
        assert change("draft", live["slot"])["state"] == "draft"
        assert not up.retrieve("furby mug")["applied_bindings"]
    finally:
        assert up.cli("slots", "unbind", name[1]).returncode == 0


def test_an_edit_that_says_nothing_or_two_things_at_once_is_refused_before_anything_is_asked(up: Up) -> None:
    for arguments, said in (
        (("edit", "furby"), "what is to change?"),
        (("edit", "furby", "--item", "a", "--add-item", "b"), "give them or a new list"),
        (("edit", "furby", "--clear", "words"), "allowed: starts_at, ends_at, owner, reason"),
        (("schedule", "furby"), "give --starts or --ends"),
    ):
        refused = up.cli("slots", *arguments)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert said in refused.stderr


def test_the_history_says_who_changed_what_and_the_list_who_and_since_when(up: Up) -> None:
    times = ("--starts", "2026-01-01", "--ends", "2031-01-01 00:00 Europe/Berlin")
    bound = up.cli("slots", "bind", "ugg", "uggs", "-c", "brand", "--item", "i003", "--item", "i004", *times, "--json")
    made = json.loads(bound.stdout)
    listed = up.cli("slots", "list", "--zone", "Europe/Berlin").stdout
    [row] = [line for line in listed.splitlines() if "ugg" in line]
    assert {"2026-01-01", "01:00", "2031-01-01", "00:00", "admin"} <= set(row.split())
    [shown] = json.loads(up.cli("slots", "list", "--q", "ugg", "--json").stdout)["slots"]
    assert (shown["changed_by"], shown["starts_at"]) == ("admin", "2026-01-01T00:00:00.000Z")
    assert up.cli("slots", "unbind", "ugg").returncode == 0
    newest, first = json.loads(up.cli("slots", "history", "--word", "uggs", "--json").stdout)
    assert (newest["op"], first["op"], first["actor"]) == ("unbind", "bind", "admin")
    assert (first["revision"], first["at"]) == (made["revision"], shown["changed_at"])
    assert newest["changes"][0]["items"]["first_removed"] == ["i003", "i004"]
    told = up.cli("slots", "history", "--slot", made["slot"], "--count", "1").stdout
    assert {"unbind", "admin", made["slot"], "ugg,", "uggs", "−2"} <= set(told.split())
    assert "1 revision shown" in told
    assert "0 revisions shown" in up.cli("slots", "history", "--word", "ugg", "--until", "2026-01-01").stdout
    refused = up.cli("slots", "history", "--since", "yesterday")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "since" in refused.stderr


def test_match_binds_every_item_whose_text_holds_the_word(up: Up) -> None:
    bound = json.loads(up.cli("slots", "bind", "acme", "-c", "brand", "--match", "--json").stdout)
    try:
        items = up.retrieve("acme", k=1000)["items"]
        assert bound["item_count"] == sum(item["source"] == "binding" for item in items) > 0
        assert all("acme" in item["title"] for item in items if item["source"] == "binding")
    finally:
        assert up.cli("slots", "unbind", bound["slot"]).returncode == 0


def test_a_live_match_lists_no_item_and_binds_all_that_there_are(up: Up) -> None:
    said = up.cli("slots", "bind", "acme", "-c", "brand", "--match-live").stdout.splitlines()
    try:
        assert int(said[0].split()[3]) == sum(
            item["source"] == "binding" for item in up.retrieve("acme", k=1000)["items"]
        )
        assert said[2].startswith("acme is bound to slot 1-4 (0 items and all that match, top)")
        assert "0 + live" in up.cli("slots", "list").stdout
    finally:
        assert up.cli("slots", "unbind", "acme").returncode == 0


def test_a_bind_of_a_match_says_first_how_many_items_and_which_queries_it_takes(up: Up) -> None:
    preview = up.cli("slots", "preview", "blue", "-c", "color", "--match").stdout
    bound = up.cli("slots", "bind", "blue", "-c", "color", "--match")
    try:
        [items] = [line for line in preview.splitlines() if line.startswith("the text of ")]
        said = bound.stdout.splitlines()
        assert said[0] == items
        assert "queries sampled from the last day" in said[1] or "no query of the last day is known" in said[1]
        count = int(items.split()[3])
        assert count > 0
        assert said[2].startswith(f"blue is bound to slot 2-4 ({count} items")
    finally:
        assert up.cli("slots", "unbind", "blue").returncode == 0


def test_a_preview_changes_nothing(up: Up) -> None:
    revision = up.retrieve("mug")["bindings"]["revision"]
    shown = up.cli("slots", "preview", "crocs", "-c", "brand", "--item", "i003", "--item", "nowhere")
    assert "would take slot 1-4 with" in shown.stdout
    assert "not in the catalog: nowhere" in shown.stdout
    assert up.retrieve("mug")["bindings"]["revision"] == revision


def test_a_refused_edit_is_one_line_and_a_status(up: Up) -> None:
    refused = up.cli("slots", "bind", "crocs", "-c", "fruit", "--item", "i003")
    assert refused.returncode == 1
    assert refused.stderr.startswith("slotbeam: ")
    assert "fruit" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert refused.stdout == ""


def test_query_prints_the_answer(up: Up) -> None:
    shown = up.cli("query", "red mug", "-k", "3")
    assert "entity=mug" in shown.stdout
    assert "model tiny, revision" in shown.stdout
    assert len(json.loads(up.cli("query", "red mug", "-k", "3", "--json").stdout)["items"]) == 3


def test_query_pages_to_the_end(up: Up) -> None:
    whole = json.loads(up.cli("query", "red mug", "-k", "100", "--json").stdout)["items"]
    ids: list[str] = []
    cursor = "*"
    while cursor:
        page = json.loads(up.cli("query", "red mug", "-k", "60", "--cursor", cursor, "--json").stdout)
        ids += [item["id"] for item in page["items"]]
        last, cursor = cursor, page["next"]
    assert ids[:100] == [item["id"] for item in whole]
    first, end = (up.cli("query", "red mug", "-k", "60", "--cursor", each).stdout for each in ("*", last))
    assert "next     --cursor AQ" in first
    assert "next     nothing is left (120 candidates)" in end


async def report_burst(url: str, word: str) -> None:
    """Report a day of queries without `word`, then an hour with it, as a replica reports it."""
    store, now = Store(url), time.time()
    reporter = TrendReporter(lambda: now - hours * BUCKET_S)
    for hours in range(24, -1, -1):
        if hours == 0:
            reporter.note(f"=2+3 \x1b[31m{word}", [word])  # past the data plane, which drops control characters
        for number in range(20):
            reporter.note(f"red {word} {number}" if hours == 0 else "red mug", [word] if hours == 0 else [])
        if hours:
            reporter.drain()
    try:
        assert await reporter.report(store, "elsewhere")
    finally:
        await store.close()


def test_a_suggestion_is_listed_accepted_twice_and_dismissed_from_the_shell(up: Up) -> None:
    word = "拉布布"
    asyncio.run(report_burst(store_url(None, up.data_dir), word))
    listed = up.cli("suggestions", "list")
    assert listed.returncode == 0, listed.stderr
    assert word in listed.stdout
    assert "1 shown" in listed.stdout
    assert "=2+3" in listed.stdout
    assert "\x1b" not in listed.stdout
    made = up.cli("suggestions", "accept", word, "-c", "brand", "--item", "i003")
    assert f"{word} is a draft: brand, 1 item, b_" in made.stdout, made.stderr
    assert "slotbeam slots publish b_" in made.stdout
    try:
        again = json.loads(up.cli("suggestions", "accept", word, "--json").stdout)
        assert (again["state"], again["item_count"], again["replayed"]) == ("draft", 1, True)
    finally:
        assert up.cli("slots", "unbind", word).returncode == 0
    assert up.cli("suggestions", "dismiss", word).stdout == f"{word} is never suggested again\n"
    assert "0 shown" in up.cli("suggestions", "list").stdout


def test_doctor_finds_everything_well(up: Up) -> None:
    def well() -> dict[str, dict[str, str]] | None:
        done = up.cli("doctor", "--json")
        findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
        marks = {finding["mark"] for finding in findings.values()}
        return findings if done.returncode == 0 and marks == {"✓"} else None

    findings = wait_for(well)  # the last edit's file may still be on its way to the disk
    assert findings is not None
    assert "durable (appendfsync always)" in findings["durability"]["found"]
    assert "last known good" in findings
