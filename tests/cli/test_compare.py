"""`slotbeam compare`: what is printed is what the JSON says, and what is wrong is told in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slotbeam.cli import app
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
