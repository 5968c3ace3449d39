"""Plots: well-formed, and the same bytes for the same figures."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from slotbeam_lab.measures.report import Cell, Row, Section
from slotbeam_lab.paper.plots import PLOTS, draw, svg


def rows(labels: str, cells: dict[str, Cell]) -> tuple[Row, ...]:
    return tuple(Row(label, cells) for label in labels.split())


SECTIONS = [
    Section("elbow", "Loss", ("loss (nats)",), rows("1 2 3", {"loss (nats)": 0.5}), facts={"elbow": 2, "used": 3}),
    Section(
        "density", "Slots", ("used",), rows("p", {"used": 2}), facts={"curves": {"0 entity": [[1, 9], [2, 1]], "1": []}}
    ),
    Section(
        "beam", "B", ("recall, a", "candidates, a"), rows("16 32", {"recall, a": [0.5, 0.4, 0.6], "candidates, a": 9})
    ),
    Section("candidates", "C", ("recall", "HR@10"), rows("250 500", {"recall": [0.5, 0.4, 0.6], "HR@10": None})),
    Section("gap", "Gap", ("HR@350, BM25",), rows("0 0.5 1", {"HR@350, BM25": [0.5, 0.4, 0.6]})),
    Section("ihr", "IHR", ("1", "5", "1–5"), rows("IHR@10,x IAR@10,x", {"1": [1, 1, 1], "5": [0.5, 0, 1], "1–5": 0.7})),
    Section("scale-recall", "R", ("ranges, 9 items",), rows("256 1024", {"ranges, 9 items": [0.5, 0.4, 0.6]})),
    Section("scale-cost", "S", ("slotbeam", "tantivy OR"), rows("10000 100000", {"slotbeam": 3.1, "tantivy OR": 0.1})),
    Section(
        "history",
        "History",
        ("HR@10",),
        rows("1", {"HR@10": 1}),
        facts={"curve": [{"strength": "1", "rows": 4, "ratio": {"HR@10": [1.1, 1.0, 1.2]}}]},
    ),
]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_a_plot_is_well_formed_svg_and_equal_figures_give_equal_bytes(section: Section, tmp_path: Path) -> None:
    one, other = draw([section], tmp_path / "one"), draw([section], tmp_path / "two")
    assert [path.name for path in one] == [f"{section.name}.svg"]
    assert one[0].read_bytes() == other[0].read_bytes()
    assert ElementTree.parse(one[0]).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_every_plot_is_tested_and_a_section_without_one_draws_nothing(tmp_path: Path) -> None:
    assert {*PLOTS, "history"} == {section.name for section in SECTIONS}
    assert draw([Section("click", "Clicks", ("HR@10",), rows("BM25", {"HR@10": 0.5}))], tmp_path) == []


def test_other_figures_give_another_plot() -> None:
    gap = SECTIONS[4]
    other = Section("gap", "Gap", gap.columns, rows("0 0.5 1", {"HR@350, BM25": [0.7, 0.4, 0.9]}))
    assert svg(gap) != svg(other)
