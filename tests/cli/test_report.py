"""`slotbeam report`: kept figures into a page."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from slotbeam.cli import app
from slotbeam_lab.measures.report import Row, Section, write_results

RUN = CliRunner()


def test_report_rewrites_the_marked_blocks_once(tmp_path: Path) -> None:
    write_results(tmp_path / "world.json", [Section("click", "Clicks", ("HR@10",), (Row("BM25", {"HR@10": 0.5}),))], {})
    page = tmp_path / "page.md"
    page.write_text("<!-- results:world -->\n<!-- /results -->\n")
    first = RUN.invoke(app, ["report", str(page), "--results", str(tmp_path)])
    assert (first.exit_code, "is rewritten" in first.output) == (0, True)
    assert "| BM25 | 0.500 |" in page.read_text()
    again = RUN.invoke(app, ["report", str(page), "--results", str(tmp_path)])
    assert "is as it was" in again.output
