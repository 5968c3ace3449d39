"""What became of queries that triggered bindings, added up over the replicas."""

from __future__ import annotations

from typing import Any

import pytest

from slotbeam.suggestions.activity import MIN_QUERIES, Taken, merge_activity


def test_what_replicas_counted_is_added_up_by_binding() -> None:
    one = {"bindings": {"b_a": [30, 2, 1], "b_b": [5, 0, 0]}}
    other = {"bindings": {"b_a": [10, 1, 0], "b_c": [1, 1, 1]}}
    merged = merge_activity([one, other])
    assert merged == {"b_a": Taken(40, 3, 1), "b_b": Taken(5, 0, 0), "b_c": Taken(1, 1, 1)}


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"bindings": None}, {"bindings": {"b_a": None}}, {"bindings": {"b_a": ["x", 1, 2]}},
     {"bindings": {"b_a": [1]}}, {"bindings": {"b_a": [-1, 0, 0]}}],
)  # fmt: skip
def test_what_is_no_such_document_is_left_out(document: Any) -> None:
    assert merge_activity([document, {"bindings": {"b_b": [1, 0, 0]}}]) == {"b_b": Taken(1, 0, 0)}


def test_that_nobody_clicked_is_said_once_enough_asked() -> None:
    assert Taken(MIN_QUERIES).is_unclicked
    assert not Taken(MIN_QUERIES - 1).is_unclicked
    assert not Taken(MIN_QUERIES, clicks=1).is_unclicked
    assert not Taken(MIN_QUERIES, orders=1).is_unclicked
