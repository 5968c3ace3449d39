"""Reports: figures are rendered from kept JSON, into tables and into the blocks of pages."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from slotbeam.errors import InputError
from slotbeam_lab.measures.report import (
    Row,
    Section,
    block,
    markdown,
    provenance,
    read_results,
    rewrite,
    section_of,
    write_results,
)

ROOT = Path(__file__).parents[3]
CLICKS = Section(
    "click",
    "Clicks",
    ("HR@10", "n", "why"),
    (
        Row("BM25", {"HR@10": [0.25, 0.2, 0.3], "n": 4000, "why": "a|b"}),
        Row("ours ÷ BM25", {"HR@10": [2.0, 1.75, 2.25]}, "ratio"),
    ),
    notes=("A note.",),
)


def test_a_section_becomes_a_table() -> None:
    assert markdown(CLICKS).splitlines() == [
        "**Clicks**",
        "",
        "| system | HR@10 | n | why |",
        "| --- | --- | --- | --- |",
        "| BM25 | 0.250 (0.200–0.300) | 4000 | a\\|b |",
        "| ours ÷ BM25 (95 %) | 2.00 (1.75–2.25) |  |  |",
        "",
        "A note.",
    ]
    brief = markdown(CLICKS, intervals=False, title=False)
    assert "| BM25 | 0.250 | 4000 | a\\|b |" in brief
    assert "2.00 (1.75–2.25)" in brief, "a ratio keeps its interval"
    assert "**Clicks**" not in brief


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    write_results(tmp_path / "results" / "world.json", [CLICKS], {"command": "slotbeam eval", "seed": "0"})
    assert read_results(tmp_path / "results" / "world.json") == ([CLICKS], {"command": "slotbeam eval", "seed": "0"})
    assert section_of(asdict(CLICKS)) == CLICKS


def test_marked_blocks_are_rendered_anew_and_nothing_else_changes(tmp_path: Path) -> None:
    other = Section("order", "Orders", ("HR@10",), (Row("BM25", {"HR@10": 0.5}),))
    write_results(tmp_path / "world.json", [CLICKS, other], {"command": "slotbeam eval", "commit": "abc"})
    text = "# Title\n\n<!-- results:world/order -->\nold | 0.9\n<!-- /results -->\n\ntail\n"
    new = rewrite(text, tmp_path)
    assert new.startswith("# Title\n\n<!-- results:world/order -->\n| system | HR@10 |\n")
    assert "| BM25 | 0.500 |" in new
    assert "old" not in new
    assert "<sub>Orders. `slotbeam eval`; commit abc</sub>\n<!-- /results -->\n\ntail\n" in new
    assert rewrite(new, tmp_path) == new
    whole = rewrite("<!-- results:world -->\n<!-- /results -->\n", tmp_path)
    assert "**Clicks**" in whole
    assert "**Orders**" in whole


def test_a_block_may_leave_the_ratios_out(tmp_path: Path) -> None:
    rows = (Row("a", {"HR@10": 0.5}), Row("b", {"HR@10": 0.25}), Row("a ÷ b", {"HR@10": [2.0, 1.5, 2.5]}, "ratio"))
    write_results(tmp_path / "world.json", [Section("click", "Clicks", ("HR@10",), rows)], {"command": "c"})
    assert "| a ÷ b (95 %) | 2.00 (1.50–2.50) |" in block("world/click", tmp_path)
    means = block("world/click:means", tmp_path)
    assert "| b | 0.250 |" in means
    assert "÷" not in means


def test_a_block_may_leave_the_parts_of_systems_out(tmp_path: Path) -> None:
    labels = ("BM25", "BM25 + aliases", "ours", "ours, without words", "ours, words alone", "alone, ours")
    rows = [Row(label, {"HR@10": 0.5}) for label in labels]
    rows.append(Row("ours ÷ BM25", {"HR@10": [2.0, 1.5, 2.5]}, "ratio"))
    write_results(tmp_path / "world.json", [Section("click", "Clicks", ("HR@10",), tuple(rows))], {"command": "c"})
    lines = block("world/click:systems", tmp_path).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:6]] == ["BM25", "BM25 + aliases", "ours", "alone, ours"]
    assert not lines[6]
    with pytest.raises(InputError, match=r"asks for :best of click; allowed: :means, :systems"):
        block("world/click:best", tmp_path)


def test_a_block_without_its_figures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json is no file of results"):
        rewrite("<!-- results:none -->\n<!-- /results -->\n", tmp_path)
    write_results(tmp_path / "world.json", [CLICKS], {})
    with pytest.raises(InputError, match=r"names no section of world\.json; allowed: click"):
        rewrite("<!-- results:world/none -->\n<!-- /results -->\n", tmp_path)
    (tmp_path / "bad.json").write_text('{"facts": {}, "sections": [{"name": "x"}]}')
    with pytest.raises(InputError, match="not readable"):
        read_results(tmp_path / "bad.json")


def test_a_figure_says_where_it_comes_from() -> None:
    facts = provenance("slotbeam eval", seed="0")
    assert (facts["command"], facts["seed"]) == ("slotbeam eval", "0")
    assert len(facts["date"]) == 10


def test_every_page_shows_what_docs_results_holds() -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))}
    shown = {path.name: page for path, page in pages.items() if re.search("^<!-- results:", page, re.MULTILINE)}
    assert set(shown) == {"README.md", "results.md"}
    for name, page in shown.items():
        assert rewrite(page, ROOT / "docs" / "results") == page, f'run "slotbeam report" for {name}'
