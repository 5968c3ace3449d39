"""`slotbeam slots export --csv` and `slots import` against real processes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from support.processes import Up

YEAR = datetime.now(UTC).year + 1


def first(up: Up, query: str) -> set[str]:
    return {item["id"] for item in up.retrieve(query, k=5)["items"] if item["source"] == "binding"}


def test_a_sheet_is_exported_edited_and_loaded_again(up: Up, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("\ufeffwords,category,items\r\nlabubu|=cmd,brand,i003|i004\r\ncrocs,brand,i005|gone\r\n")
    dry = up.cli("slots", "import", str(sheet), "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert "would be: 2 bindings and rules made, 0 replaced; nothing was changed" in dry.stdout
    assert first(up, "labubu mug") == set()
    done = up.cli("slots", "import", str(sheet))
    assert done.returncode == 0, done.stderr
    assert "line 3: not in the catalog: gone (1 in all)" in done.stdout
    assert "live in 2 of 2 replicas" in done.stdout
    assert first(up, "labubu mug") == {"i003", "i004"}
    exported = tmp_path / "bindings.csv"
    assert up.cli("slots", "export", "--csv", "--out", str(exported)).returncode == 0
    text = exported.read_text(encoding="utf-8")
    assert "labubu|=cmd" in text
    exported.write_text(text.replace("i003|i004", "i007"), encoding="utf-8")
    again = up.cli("slots", "import", str(exported))
    assert again.returncode == 1
    assert "2 of 2 rows are refused" in again.stderr
    assert "is bound on slot 1-4" in again.stdout
    assert up.cli("slots", "import", str(exported), "--mode", "update").returncode == 0
    assert first(up, "labubu mug") == {"i007"}
    stale = up.cli("slots", "import", str(exported), "--mode", "update", "--json")
    assert stale.returncode == 1
    assert {line["problem"]["status"] for line in json.loads(stale.stdout)["lines"]} == {412}


def test_what_is_exported_as_json_is_loaded_too(up: Up, tmp_path: Path) -> None:
    file = tmp_path / "bindings.json"
    assert up.cli("slots", "bind", "dyson", "-c", "brand", "--item", "i009").returncode == 0
    assert up.cli("slots", "export", "--out", str(file)).returncode == 0
    assert up.cli("slots", "unbind", "dyson").returncode == 0
    file.write_text(json.dumps([row for row in json.loads(file.read_text()) if row["words"] == ["dyson"]]))
    done = json.loads(up.cli("slots", "import", str(file), "--json").stdout)
    assert (done["created"], done["propagation"]["applied"]) == (1, 2)
    assert first(up, "dyson") == {"i009"}


def test_a_sheet_of_another_country_is_loaded_and_its_times_are_shown_in_its_zone(up: Up, tmp_path: Path) -> None:
    sheet, exported = tmp_path / "sheet.csv", tmp_path / "bindings.csv"
    rows = ("sep=;", "Words;Category;Items;Ends_At;", f"lego | duplo ;brand;i011 | i012;{YEAR}-03-01 09:00;")
    sheet.write_text("".join(f"{row}\r\n" for row in rows))
    zone = ("--zone", "europe/berlin")
    assert "has neither an offset nor a zone" in up.cli("slots", "import", str(sheet)).stdout
    done = up.cli("slots", "import", str(sheet), *zone)
    assert done.returncode == 0, done.stderr
    assert first(up, "duplo") == {"i011", "i012"}
    assert f"{YEAR}-03-01 09:00 Europe/Berlin" in up.cli("slots", "list", *zone).stdout
    assert f"{YEAR}-03-01T08:00:00.000Z" in up.cli("slots", "list").stdout
    assert f"{YEAR}-03-01T08:00:00.000Z" in up.cli("slots", "list", "--json", *zone).stdout
    assert up.cli("slots", "export", "--csv", "--out", str(exported), *zone).returncode == 0
    assert f'"{YEAR}-03-01 09:00 Europe/Berlin"' in exported.read_text(encoding="utf-8")
    assert up.cli("slots", "import", str(exported), "--mode", "update").returncode == 0


def test_an_edit_takes_times_in_a_zone_and_says_them_back_in_it(up: Up) -> None:
    times = ("--starts", f"{YEAR}-01-27 09:00", "--ends", f"{YEAR}-01-31", "--zone", "UTC")
    for command in ("preview", "bind"):
        done = up.cli("slots", command, "teal", "-c", "color", "--item", "i013", *times)
        assert done.returncode == 0, done.stderr
        assert f"active from {YEAR}-01-27 09:00 UTC until {YEAR}-02-01 00:00 UTC" in done.stdout
    refused = up.cli("slots", "list", "--zone", "Mars/Base")
    assert refused.returncode == 2
    assert "Europe/Berlin" in refused.stderr
