"""`slotbeam items …` against real processes."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import redis

from slotbeam.cli.client import admin_client
from slotbeam.cli.folding import AutoFolding
from slotbeam.embedded.address import store_url
from slotbeam.settings import Settings
from support.processes import Up, wait_for

MUG = json.dumps({"title": "A red mug", "fields": {"price": 12.5}})


def test_an_item_is_put_shown_patched_found_and_deleted(up: Up, tmp_path: Path) -> None:
    made = up.cli("items", "put", "cli/1", MUG)
    assert made.returncode == 0, made.stderr
    assert "cli/1 is created\nseq 1, live in 2 of 2 replicas" in made.stdout
    file = tmp_path / "patch.json"
    file.write_text('{"fields": {"price": 9}}')
    assert (
        "cli/1 would be updated: fields.price; nothing"
        in up.cli("items", "patch", "cli/1", str(file), "--dry-run").stdout
    )
    assert "cli/1 is updated: fields.price\n" in up.cli("items", "patch", "cli/1", str(file)).stdout
    shown = up.cli("items", "show", "cli/1")
    assert '"price": 9' in shown.stdout
    assert "edited, seq 2; ETag" in shown.stdout
    assert "cli/1" in up.cli("items", "find").stdout
    assert json.loads(up.cli("items", "find", "red mug", "--json", "--limit", "2").stdout)["items"]
    stale = up.cli("items", "delete", "cli/1", "--if-match", '"other"')
    assert (stale.returncode, "with another ETag" in stale.stderr) == (1, True)
    assert "cli/1 is deleted" in up.cli("items", "delete", "cli/1").stdout
    gone = up.cli("items", "show", "cli/1")
    assert (gone.returncode, "it was deleted" in gone.stderr) == (1, True)
    assert up.cli("items", "put", "x", "no.json").stderr.startswith("slotbeam: no.json is no JSON object, and no file")


def test_a_file_is_imported_and_what_is_as_it_says_costs_no_edit(up: Up, tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    lines = ["id,title,fields.price,attributes.color", *(f"f{n},mug number {n},{n}.5,red|blue" for n in range(1200))]
    feed.write_text("\n".join([*lines, "broken,,1,red"]))
    refused = up.cli("items", "import", str(feed))
    assert (refused.returncode, "feed.csv:1202: title: is missing" in refused.stderr) == (1, True)
    dry = up.cli("items", "import", str(feed), "--skip-bad", "1", "--dry-run")
    assert "would be: 1200 items created, 0 updated, 0 unchanged; nothing was changed" in dry.stdout, dry.stderr
    done = up.cli("items", "import", str(feed), "--skip-bad", "1")
    assert done.returncode == 0, done.stderr
    assert "1200 items created, 0 updated, 0 unchanged" in done.stdout
    assert "live in 2 of 2 replicas" in done.stdout
    feed.write_text("\n".join([*lines[:-1], lines[-1].replace("1199.5", "1")]))
    again = json.loads(up.cli("items", "import", str(feed), "--json").stdout)
    assert (again["updated"], again["unchanged"], again["refused"]) == (1, 1199, 0)
    cheap = tmp_path / "odd.jsonl"
    cheap.write_text('{"id": "f1", "title": "mug", "fields": {"price": "cheap"}}\n')
    odd = up.cli("items", "import", str(cheap))
    assert odd.returncode == 1
    assert 'odd.jsonl:1: f1: fields.price: "cheap" is text, price is a number' in odd.stderr


def test_items_that_the_store_lost_are_brought_back(up: Up) -> None:
    assert up.cli("items", "put", "kept", MUG).returncode == 0
    with redis.Redis.from_url(store_url(None, up.data_dir), decode_responses=True) as raw:
        raw.flushall()
        wait_for(lambda: up.retrieve("red mug")["catalog"]["state"] == "hold:NO_EPOCH")
        refused = up.cli("items", "put", "more", MUG)
        assert (refused.returncode, "nothing was written" in refused.stderr) == (1, True)
        assert " added, 0 changed, 0 removed, from seq" in up.cli("items", "restore", "--dry-run").stdout
        assert not raw.exists("{sb}:imeta")
        done = up.cli("items", "restore")
        assert (done.returncode, " added, 0 changed, 0 removed; seq " in done.stdout) == (0, True), done.stderr
    wait_for(lambda: up.retrieve("red mug")["catalog"]["state"] == "live")
    assert '"price": 12.5' in up.cli("items", "show", "kept").stdout
    assert up.cli("slots", "restore", "--from", "last-good").returncode == 0
    wait_for(lambda: up.cli("items", "put", "more", MUG).returncode == 0)


async def test_when_there_are_many_up_folds_them_into_the_next_index_and_every_replica_serves_it(up: Up) -> None:
    assert up.cli("items", "put", "many", '{"title": "zorblax plush"}').returncode == 0
    settings = Settings(data_dir=up.data_dir, fold_at=1)
    work = AutoFolding(settings, partial(admin_client, settings), lambda: up.environment)
    await work.look()
    answer = up.retrieve("zorblax")
    assert answer["catalog"]["index"].startswith("tiny-")
    assert answer["items"][0]["id"] == "many"
    told = json.loads(up.cli("index", "list", "--json").stdout)
    assert (told["active"]["name"], told["before"]["name"], told["delta"]) == (answer["catalog"]["index"], "tiny", 0)
    await work.look()
    assert len(list((up.data_dir / "indexes").iterdir())) == 1, "there was nothing more to fold"
