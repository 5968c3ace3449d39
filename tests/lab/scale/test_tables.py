"""Tables at scale: what was wanted is met when the bound of the interval is."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("faiss")

from slotbeam_lab.measures.report import markdown
from slotbeam_lab.scale.measure import OURS, TANTIVY
from slotbeam_lab.scale.tables import SYSTEMS, median_ratio, sections_of
from slotbeam_lab.scale.ways import SERVED

HITS = [1.0] * 30 + [0.0] * 10


def kept(items: int, milliseconds: float = 3.0, hits: list[float] = HITS) -> dict[str, Any]:
    """What one size kept: tantivy takes 0.1 ms, slotbeam `milliseconds`; slotbeam alone has `hits`."""
    values = {"HR@10": HITS, "HR@350": HITS, "MRR@350": HITS}
    times = {name: [0.1 if name == TANTIVY else milliseconds] * 40 for name in SYSTEMS}
    point = {"budget": 4096, "served": True, "rows": [4100] * 40, "steps": [1] * 40, "decoded": [1] * 40}
    point |= {name: [int(hit) for hit in HITS] for name in ("ranges", "lists", "words", "mass", "deeper")}
    point |= {"mass_rows": [5000] * 40, "deeper_rows": [4100] * 40}
    return {
        "items": items,
        "queries": 40,
        "answers": {name: values | ({"HR@350": hits} if name == OURS else {}) for name in SYSTEMS},
        "milliseconds": {"100": times, "350": times},
        "curve": [point],
        "parts": {
            SERVED: {"values": values, "milliseconds": [3.0] * 40},
            "no prior": {"values": values | {"HR@10": [0.5] * 40}, "milliseconds": [3.0] * 40},
            "width 1": {"values": values, "milliseconds": [3.0] * 40},
        },
        "lists": {"lists": 512, "probes": 9},
        "index": {"bytes": items * 600, "anonymous_mb": 66.0, "mapped_mb": 60.0, "ready_s": 0.3, "ready_wall_s": 0.5},
    }


def met(*sizes: dict[str, Any], demo: dict[str, Any] | None = None, agreement: Any = None) -> dict[str, Any]:
    targets = sections_of(sizes, demo, agreement)[0]
    return {row.label: row.cells["met"] for row in targets.rows}


def test_every_target_is_shown_beside_its_value_and_met_when_the_bound_is() -> None:
    agreed = {"queries": 2, "top_1": [1, 1], "top_350": [1.0, 1.0], "sids": 700, "outside": 0}
    assert set(met(kept(100_000), kept(1_000_000, 3.6), demo=kept(30_000, 2.4), agreement=agreed).values()) == {"yes"}
    worse = {"queries": 2, "top_1": [1, 0], "top_350": [1.0, 0.9], "sids": 700, "outside": 1}
    missed = met(kept(100_000), kept(1_000_000, 4.5, HITS[::-1]), demo=kept(30_000, 3.5), agreement=worse)
    assert {label for label, held in missed.items() if held == "yes"} == {
        "recall of the ranges ÷ the inverted file's at equal rows, 1000000 items"
    }


def test_what_is_not_there_is_left_out() -> None:
    assert met() == {}
    assert list(met(kept(10_000))) == [
        "HR@350 ÷ exact scan, 10000 items",
        "recall of the ranges ÷ the inverted file's at equal rows, 10000 items",
    ]


def test_what_brings_nothing_is_named_under_the_table_and_what_brings_something_is_not() -> None:
    section = next(each for each in sections_of([kept(10_000)], None, None) if each.name == "parts-10000")
    assert section.notes == ("No interval of the answers lies below 1 for: width 1.",)


def test_every_table_is_rendered_and_says_of_which_size_it_is() -> None:
    text = "\n".join(markdown(section) for section in sections_of([kept(10_000), kept(100_000)], None, None))
    assert "**10000 items, 40 clicks, k = 350**" in text
    assert "| 100000 | 3.000 | 3.000 | 30.000 (30.000–30.000) |" in text
    assert "| no prior (95 %) | 0.67 (" in text
    assert "| 10000 items, 4096 | 0.750 (" in text


def test_a_ratio_of_medians_has_the_interval_of_its_queries() -> None:
    value, lower, upper = median_ratio([2.0, 4.0, 6.0] * 30, [1.0, 2.0, 3.0] * 30)
    assert (value, lower, upper) == (2.0, 2.0, 2.0)
    value, lower, upper = median_ratio([2.0, 4.0, 6.0] * 30, [1.0, 2.0, 3.0] * 30, paired=False)
    assert lower <= value <= upper
