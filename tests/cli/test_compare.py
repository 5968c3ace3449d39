"""`slotbeam compare`: what is printed is what the JSON says, and what is wrong is told in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from slotbeam.cli import app
from slotbeam.items.record import EMPTY_DIGEST, Digest, ItemRecord, Op
from slotbeam.items.replica.lastgood import ItemsFile, ItemsGood
from slotbeam.items.store.store import ItemsHead
from slotbeam.search.artifact import Artifact
from slotbeam_lab.measures.run import Asked
from slotbeam_lab.measures.sides import Side
from support.exporting import write_export

RUN = CliRunner()


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare") / "queries.txt"
    path.write_text("red mug\nacme lamp\n")
    return path


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Path:
    """One rule, which hides the first item of "red mug" there."""
    [best] = Side.open(Artifact.load(tiny_artifact), None, 0).ask(Asked("red mug"), 1).ids
    rule = {"words": ("red mug",), "trigger": "whole", "hide": (best,)}
    return write_export(tmp_path_factory.mktemp("compare") / "rules.json", (rule, [], None))


def test_an_index_by_its_name_is_compared_with_an_artifact_by_its_path(tiny_artifact: Path, queries: Path) -> None:
    arguments = ["compare", str(tiny_artifact), tiny_artifact.name, "--index-dir", str(tiny_artifact.parent)]
    done = RUN.invoke(app, [*arguments, "--queries", str(queries), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["overlap"]["identical"] == [1, 1, 1]
    assert told["a"] == told["b"]
    assert told["queries"] == 2


def test_rules_of_a_file_are_shown_with_what_they_did(tiny_artifact: Path, queries: Path, rules: Path) -> None:
    arguments = ["compare", str(tiny_artifact), str(tiny_artifact), "--queries", str(queries)]
    done = RUN.invoke(app, [*arguments, "--bindings-b", str(rules)])
    assert done.exit_code == 0, done.output
    assert f"bindings and rules of {rules}, 1 active" in done.stdout
    assert 'hide of "red mug"' in done.stdout
    assert "A answers 2, B 2 of 2" in done.stdout
    assert "acme lamp" not in done.stdout
    told = json.loads(RUN.invoke(app, [*arguments, "--bindings-b", str(rules), "--json"]).stdout)
    [changed] = told["look_at"]["changed"]
    [left] = changed["left"]
    assert left["title"] in done.stdout
    assert left["rank"] == {"a": 1, "b": None}


@pytest.mark.parametrize("kind", ["judgements", "clicks"])
def test_what_is_right_gives_measures_with_paired_differences(
    kind: str, tiny_artifact: Path, rules: Path, tmp_path: Path
) -> None:
    [best] = json.loads(rules.read_text())[0]["hide"]
    (tmp_path / "judgements.csv").write_text(f"query,docid,rating\nred mug,{best},3\nred mug,gone,3\n")
    clicks = [{"query": "red mug", "item_id": item, "kind": "click", "day": 1, "user": "u"} for item in (best, "gone")]
    (tmp_path / "clicks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in clicks))
    [file] = tmp_path.glob(f"{kind}.*")
    arguments = ["compare", str(tiny_artifact), str(tiny_artifact), "--bindings-b", str(rules), f"--{kind}", str(file)]
    told = json.loads(RUN.invoke(app, [*arguments, "-k", "5", "--json"]).stdout)
    assert told["measures"]["Recall@5"]["difference"] == [-1, -1, -1]
    assert told["outside_the_catalogs"] == 1
    done = RUN.invoke(app, [*arguments, "-k", "5"])
    assert "-1.000 (-1.000 to -1.000)" in done.stdout
    assert "left out 1 judgements or clicks" in done.stdout
    assert "(right)" in done.stdout


def test_live_items_of_a_replica_are_put_over_the_index(tiny_artifact: Path, tmp_path: Path) -> None:
    [best] = Side.open(Artifact.load(tiny_artifact), None, 0).ask(Asked("red mug"), 1).ids
    rows: list[dict[str, Any]] = [
        {"id": "new", "title": "zorblax mug"},
        {"id": "bad", "title": "mug", "fields": {"price": "much"}},
    ]
    records = {row["id"]: ItemRecord(Op.PUT, seq, row).data() for seq, row in enumerate(rows, 2)}
    records[best] = ItemRecord(Op.DELETE, 1, {"id": best}).data()
    file = ItemsFile(tmp_path / "items-data")
    file.save(ItemsGood(ItemsHead("e1", 3, str(Digest.of(records.values()))), records))
    file.close()
    (tmp_path / "queries.txt").write_text("red mug\nzorblax\n")
    arguments = ["compare", str(tiny_artifact), str(tiny_artifact), "--queries", str(tmp_path / "queries.txt")]
    done = RUN.invoke(app, [*arguments, "--items-b", str(file.path)])
    assert done.exit_code == 0, done.output
    assert f"120 items, with 2 edits of {file.path}, no bindings" in done.stdout
    assert "left out bad: " in done.stderr
    told = json.loads(RUN.invoke(app, [*arguments, "--items-b", str(file.path), "--json"]).stdout)
    by_query = {one["query"]: one for one in told["look_at"]["changed"]}
    assert best in [item["id"] for item in by_query["red mug"]["left"]]
    assert [item["title"] for item in by_query["zorblax"]["came"]][:1] == ["zorblax mug"]
    file.save(ItemsGood(ItemsHead("e1", 3, EMPTY_DIGEST), {}, trimmed=2))
    file.close()
    done = RUN.invoke(app, [*arguments, "--items-b", str(file.path)])
    assert "records up to 2 were let go" in str(done.exception)


def test_a_comparison_is_written_with_its_picture(tiny_artifact: Path, rules: Path, tmp_path: Path) -> None:
    [best] = json.loads(rules.read_text())[0]["hide"]
    (tmp_path / "judgements.csv").write_text(f"query,docid,rating\nred mug,{best},3\n")
    arguments = ["compare", str(tiny_artifact), str(tiny_artifact), "--bindings-b", str(rules), "--json"]
    arguments += ["--judgements", str(tmp_path / "judgements.csv")]
    for name in ("one", "two"):
        done = RUN.invoke(app, [*arguments, "--out", str(tmp_path / name)])
        assert done.exit_code == 0, done.output
        assert json.loads((tmp_path / name / "compare.json").read_text()) == json.loads(done.stdout)
    pictures = [(tmp_path / name / "compare.svg").read_bytes() for name in ("one", "two")]
    assert pictures[0] == pictures[1]
    assert b"</svg>" in pictures[0]
    (tmp_path / "file").write_text("")
    done = RUN.invoke(app, [*arguments, "--out", str(tmp_path / "file")])
    assert f"{tmp_path / 'file'} cannot be written" in str(done.exception)


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        ([], "name the queries: one of --queries"),
        (["--queries", "QUERIES", "--clicks", "QUERIES"], "name the queries: one of --queries"),
        (["--queries", "QUERIES", "-k", "0,10"], "allowed: numbers from 1 to 1000"),
        (["--queries", "QUERIES", "-k", "ten"], "k are 'ten'"),
        (["--queries", "QUERIES", "--bindings-a", "QUERIES"], "last-known-good"),
        (["--queries", "QUERIES", "--bindings-b", "QUERIES", "--at", "soon"], "--at "),
        (["--queries", "QUERIES", "--drafts"], "name their file with --bindings-b"),
    ],
)
def test_what_is_wrong_is_told(extra: list[str], what: str, tiny_artifact: Path, queries: Path) -> None:
    given = [str(queries) if one == "QUERIES" else one for one in extra]
    done = RUN.invoke(app, ["compare", str(tiny_artifact), str(tiny_artifact), *given])
    assert done.exit_code == 1
    assert what in str(done.exception)


def test_a_name_that_is_no_index_is_told(tiny_artifact: Path, queries: Path, tmp_path: Path) -> None:
    arguments = ["compare", str(tiny_artifact), "shop-9", "--queries", str(queries), "--index-dir", str(tmp_path)]
    done = RUN.invoke(app, arguments)
    assert done.exit_code == 1
    assert "shop-9 is no directory" in str(done.exception)
