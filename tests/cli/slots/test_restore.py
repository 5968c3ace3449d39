"""`slotbeam slots restore` against real processes: a wiped store gets what it held back, no search fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from slotbeam.bindings.recovery.restore import AHEAD
from slotbeam.embedded.address import store_url
from support.processes import Up, wait_for


def bound(up: Up) -> set[str]:
    """Return the first two items for the word; they are the bound ones or not."""
    return {item["id"] for item in up.retrieve("labubu mug", k=20)["items"][:2]}


def test_a_wiped_store_is_restored_from_a_replicas_file_while_searches_go_on(up: Up) -> None:
    assert up.cli("slots", "bind", "labubu", "-c", "brand", "--item", "i003", "--item", "i004").returncode == 0
    hidden = up.retrieve("labubu mug", k=20)["items"][5]["id"]
    assert up.cli("hide", "labubu mug", hidden).returncode == 0
    before = up.retrieve("labubu mug", k=20)
    assert hidden not in {item["id"] for item in before["items"]}
    revision = before["bindings"]["revision"]
    wait_for(lambda: _dry_run(up)["source_revision"] == revision)
    with redis.Redis.from_url(store_url(None, up.data_dir), decode_responses=True) as raw:
        raw.flushall()
        wait_for(lambda: up.retrieve("labubu mug")["bindings"]["state"] == "hold:NO_EPOCH")
        assert bound(up) == {"i003", "i004"}
        refused = up.cli("slots", "bind", "crocs", "-c", "brand", "--item", "i005")
        assert refused.returncode == 1
        assert "nothing was written" in refused.stderr
        shown = up.cli("slots", "restore", "--from", "last-good", "--dry-run")
        assert "the store holds no epoch" in shown.stdout
        assert "nothing was changed" in shown.stdout
        assert "labubu" in shown.stdout
        assert not raw.exists("{sb}:meta")
        done = up.cli("slots", "restore", "--from", "last-good", "--json")
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["revision"] == revision + AHEAD
        assert (answer["durability"], len(answer["added"])) == ("appendfsync always", 2)
    wait_for(lambda: up.retrieve("labubu mug")["bindings"]["revision"] == revision + AHEAD)
    after = up.retrieve("labubu mug", k=20)
    assert after["items"] == before["items"]
    assert after["bindings"]["state"] == "live"
    wait_for(lambda: up.cli("slots", "unbind", "labubu").returncode == 0)


def test_an_export_goes_back_over_newer_edits_only_when_asked_to(up: Up, tmp_path: Path) -> None:
    assert up.cli("slots", "bind", "labubu", "-c", "brand", "--item", "i003", "--item", "i004").returncode == 0
    file = tmp_path / "bindings.json"
    assert up.cli("slots", "export", "--out", str(file)).returncode == 0
    assert up.cli("slots", "unbind", "labubu").returncode == 0
    assert up.cli("slots", "bind", "crocs", "-c", "brand", "--item", "i005").returncode == 0
    refused = up.cli("slots", "restore", "--from", str(file))
    assert refused.returncode == 1
    assert "newer than" in refused.stderr
    assert "--overwrite" in refused.stderr
    words = json.loads(up.cli("slots", "list", "--state", "active", "--json").stdout)["slots"]
    assert [slot["words"] for slot in words] == [["crocs"]]
    done = up.cli("slots", "restore", "--from", str(file), "--overwrite")
    assert done.returncode == 0, done.stderr
    assert "live in 2 of 2 replicas" in done.stdout
    assert bound(up) == {"i003", "i004"}
    audit = up.cli("slots", "list", "--state", "active", "--json")
    assert [slot["words"] for slot in json.loads(audit.stdout)["slots"]] == [["labubu"]]


def test_a_revision_of_the_log_comes_back(up: Up) -> None:
    assert up.cli("slots", "bind", "dyson", "-c", "brand", "--item", "i007").returncode == 0
    revision = up.retrieve("mug")["bindings"]["revision"]
    wait_for(lambda: up.cli("slots", "unbind", "dyson").returncode == 0)
    done = up.cli("slots", "restore", "--from", str(revision), "--overwrite", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["source"] == f"revision {revision} of the store"
    assert up.retrieve("dyson", k=5)["items"][0]["id"] == "i007"


@pytest.mark.parametrize(
    ("source", "why"),
    [("nowhere.json", "cannot be read"), ("999999999", "not in the store's log"), ("LICENSE", "no last-known")],
)
def test_a_source_that_cannot_be_used_is_one_line(up: Up, source: str, why: str) -> None:
    done = up.cli("slots", "restore", "--from", source)
    assert done.returncode == 1
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1


def _dry_run(up: Up) -> dict[str, Any]:
    return dict(json.loads(up.cli("slots", "restore", "--from", "last-good", "--dry-run", "--json").stdout or "{}"))
